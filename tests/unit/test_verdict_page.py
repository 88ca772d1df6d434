"""The page behind an alert's link: it shows, it takes a verdict from its own form, and from nowhere else."""

import itertools
import re
from html import unescape
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from flask import Flask

from detectors.verdict import About
from exporter.verdicts.desk import Size, VerdictDesk
from exporter.verdicts.page import verdict_page
from exporter.verdicts.records import Alert
from exporter.verdicts.store import open_file
from series import SeriesKey
from series.matcher import parse_matchers
from tests.fakes.watched import FakeWatched

NOW = 1_782_788_400.0  # 2026-06-30 03:00 UTC, a Tuesday
KEY = SeriesKey({"metric": "runs", "pipeline": "a"})
BY_SCOPE = "/verdict?query=rate&matchers=" + quote('{pipeline="a"}')


@pytest.fixture
def store(tmp_path):
    opened = open_file(tmp_path / "verdicts.sqlite")
    labels = {"pipeline": "<b>a</b>", "query": "rate"}
    matchers = parse_matchers('{pipeline="<b>a</b>"}')
    opened.record(
        [
            Alert(
                fingerprint="f1",
                query="rate",
                matchers=matchers,
                labels=labels,
                summary="Odd <i>",
                begun=NOW - 600,
                received=NOW,
                score=4.5,
                side=1,
            )
        ],
        NOW,
    )
    yield opened
    opened.close()


@pytest.fixture
def app(store):
    app = Flask("test")
    numbers = itertools.count(1)
    desk = VerdictDesk(
        store, FakeWatched({"rate": [KEY]}, Size(3.0, 1)), clock=lambda: NOW, identity=lambda: f"v{next(numbers)}"
    )
    app.register_blueprint(verdict_page(desk))
    return app


@pytest.fixture
def client(app):
    return app.test_client()


def token(client, address=BY_SCOPE):
    return re.search(r'name="token" value="(\w+)"', client.get(address).text)[1]


def send(client, address=BY_SCOPE, headers=None, **fields):
    form = {
        "token": token(client, address),
        "note": "batch",
        "who": "oncall",
        "lasts": "7d",
        "when": "weekday",
    } | fields
    return client.post(address, data=form, headers=headers or {})


def test_a_look_changes_nothing(client, store):
    for address in ("/verdict", BY_SCOPE, "/verdict?alert=f1", "/verdict?alert=f1&verdict=false"):
        assert client.get(address).status_code == 200
    assert store.all() == ()


def test_the_alert_is_shown_escaped(client):
    page = client.get("/verdict?alert=f1").text
    assert "Odd &lt;i&gt;" in page
    assert "&lt;b&gt;a&lt;/b&gt;" in page
    assert "<b>a</b>" not in page
    assert "4.5" in page
    assert [button for button in ("true", "false", "expected") if f'value="{button}"' in page] == [
        "true",
        "false",
        "expected",
    ]


@pytest.mark.parametrize(
    ("address", "pipeline"), [("/verdict?alert=f1", "<b>a</b>"), (BY_SCOPE, "a"), ("/verdict", None)]
)
def test_the_page_leads_to_the_series(client, address, pipeline):
    link = re.search(r'<a href="series\?([^"]+)">Look at it</a>', client.get(address).text)
    if pipeline is None:
        assert link is None
        return
    asked = parse_qs(unescape(link[1]))
    assert asked["query"] == ["rate"]
    assert [(one.label, one.value) for one in parse_matchers(asked["series"][0])] == [("pipeline", pipeline)]


@pytest.mark.parametrize("opinion", ["true", "false", "expected"])
def test_each_button_gives_its_verdict(client, store, opinion):
    answer = send(client, "/verdict?alert=f1", verdict=opinion)
    assert answer.status_code == 303
    (kept,) = store.in_force(NOW)
    verdict = kept.verdict
    assert (verdict.opinion.value, verdict.query, verdict.score, verdict.who, verdict.note) == (
        opinion,
        "rate",
        4.5,
        "oncall",
        "batch",
    )
    assert verdict.expires == NOW + 7 * 86_400
    assert str(verdict.when) == ("tue 01:00 to 04:00 UTC" if opinion == "expected" else "None")
    page = client.get("/" + answer.headers["Location"])
    assert f"Kept as {opinion}" in page.text
    assert "Take back" in page.text


@pytest.mark.parametrize(("when", "words"), [("daily", "every day 01:00 to 04:00 UTC"), ("always", "None")])
def test_expected_at_other_times(client, store, when, words):
    send(client, "/verdict?alert=f1", verdict="expected", when=when)
    assert str(store.in_force(NOW)[0].verdict.when) == words


def test_a_link_may_name_the_label_series(client, store):
    series = quote('instance="h:1",job="forethought",metric="runs",pipeline="a",query="rate"')
    answer = send(client, f"/verdict?query=rate&series={series}", verdict="false")
    assert store.in_force(NOW)[0].verdict.scope == 'rate{metric="runs", pipeline="a"}'
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["done"] == ["v1"]


@pytest.mark.parametrize(("more", "about"), [("", About.PAST), ("&about=peers", About.PEERS)])
def test_a_link_of_an_alert_means_its_own_alarm(client, store, more, about):
    address = "/verdict?query=rate&series=" + quote('metric="runs",pipeline="a",query="rate"') + more
    assert ("differs from the others" in client.get(address).text) == (about is About.PEERS)
    client.post(address, data={"verdict": "false", "token": token(client)})
    assert [kept.verdict.about for kept in store.in_force(NOW)] == [about]
    beside = "rate{metric=&#34;runs&#34;, pipeline=&#34;a&#34;} beside its peers"
    assert (beside in client.get(address).text) == (about is About.PEERS)


def test_taking_back(client, store):
    send(client, verdict="false")
    assert send(client, remove="v1").status_code == 303
    assert store.in_force(NOW) == ()
    assert store.get("v1").revoked_by == "oncall"
    assert "None." in client.get(BY_SCOPE).text
    assert send(client, remove="v9").status_code == 400


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({"token": "0" * 64}, {}),
        ({"token": ""}, {}),
        ({"token": "é"}, {}),
        ({}, {"Sec-Fetch-Site": "cross-site"}),
        ({}, {"Origin": "http://evil.example"}),
    ],
)
def test_forms_of_other_sites_are_refused(client, store, fields, headers):
    answer = send(client, headers=headers, verdict="false", **fields)
    assert answer.status_code == 403
    assert store.all() == ()
    assert "Choose again" in answer.text


def test_a_token_is_of_one_visitor(app, store):
    stolen = token(app.test_client())
    victim = app.test_client()
    victim.get(BY_SCOPE)
    assert victim.post(BY_SCOPE, data={"token": stolen, "verdict": "false"}).status_code == 403
    assert app.test_client().post(BY_SCOPE, data={"token": stolen, "verdict": "false"}).status_code == 403
    assert store.all() == ()


def test_what_cannot_be_kept_is_said_on_the_page(client, store):
    for fields, words in (
        ({"verdict": "maybe"}, "&#39;true&#39;, &#39;false&#39; or &#39;expected&#39;"),
        ({"verdict": "false", "lasts": "900d"}, "must expire within"),
        ({"verdict": "expected", "when": "never"}, "when"),
        ({"verdict": "false", "note": "x" * 2_000}, "note"),
    ):
        answer = send(client, **fields)
        assert answer.status_code == 400
        assert words in answer.text
    assert store.all() == ()


@pytest.mark.parametrize(
    "address", ["/verdict?alert=none", "/verdict?query=rate&matchers=nonsense", "/verdict?query=rate&series=x"]
)
def test_what_is_not_there_is_said(client, address):
    answer = client.get(address)
    assert answer.status_code == 404
    assert "Was this alert right" not in answer.text


def test_no_other_site_may_frame_the_page_and_nothing_inline_may_run(client):
    answer = client.get(BY_SCOPE)
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert "form-action &#39;self&#39;" in answer.text
    assert "unsafe-inline" not in answer.text
    assert not re.search(r"\son\w+=", answer.text)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
