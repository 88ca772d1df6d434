"""Verdicts and alerts over HTTP: the envelope, the mistakes, and nothing for other sites."""

import datetime as dt
import itertools

import numpy as np
import pytest
from flask import Flask

from exporter.verdicts.api import verdict_api
from exporter.verdicts.desk import Size, VerdictDesk
from exporter.verdicts.scope import around, scope_of_alert
from exporter.verdicts.store import open_file
from series import SeriesKey
from tests.fakes.watched import FakeWatched

TUESDAY = 1_782_788_400.0  # 2026-06-30 03:00 UTC
KEY = SeriesKey({"metric": "runs", "pipeline": "a", "tenant_id": "acme"})
ALERT = {
    "status": "firing",
    "labels": {
        **KEY.labels,
        "alertname": "ForethoughtAnomaly",
        "query": "rate",
        "severity": "warning",
        "tenant": "acme",
        "job": "forethought",
        "instance": "host:9815",
        "series": 'pipeline="a",query="rate"',
    },
    "annotations": {"summary": "Unusual: rate pipeline=a"},
    "startsAt": "2026-06-30T02:50:00.123Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus/graph",
    "fingerprint": "c0ffee",
}


class Clock:
    now = TUESDAY

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def watched():
    known = {"rate": [KEY, SeriesKey({"metric": "runs", "pipeline": "b"})], "other": []}
    return FakeWatched(known, Size(3.2, -1), "Europe/Berlin")


@pytest.fixture
def store(tmp_path):
    opened = open_file(tmp_path / "verdicts.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def client(store, watched, clock):
    app = Flask("test")
    numbers = itertools.count(1)
    app.register_blueprint(verdict_api(VerdictDesk(store, watched, clock=clock, identity=lambda: f"v{next(numbers)}")))
    return app.test_client()


def webhook(client, *alerts):
    body = {"version": "4", "groupKey": "{}", "status": "firing", "receiver": "x", "alerts": list(alerts)}
    return client.post("/api/v1/alerts", json=body)


def give(client, **body):
    answer = client.post("/api/v1/verdicts", json={"verdict": "false"} | body)
    assert answer.status_code == 201, answer.json
    assert answer.json["status"] == "success"
    return answer.json["data"]


def refused(answer, status, kind, *words):
    assert (answer.status_code, answer.json["status"], answer.json["errorType"]) == (status, "error", kind)
    assert "\n" not in answer.json["error"]
    for word in words:
        assert word in answer.json["error"]


def test_a_verdict_for_a_scope(client, store):
    given = give(client, query="rate", matchers='{pipeline=~"a|c"}', note="batch", who="oncall", lasts="7d")
    assert given == {
        "id": "v1",
        "verdict": "false",
        "query": "rate",
        "matchers": '{pipeline=~"a|c"}',
        "score": 3.2,
        "side": "below",
        "when": None,
        "about": None,
        "alarm": None,
        "created": TUESDAY,
        "expires": TUESDAY + 7 * 86_400,
        "note": "batch",
        "who": "oncall",
        "alert": None,
        "active": True,
        "revoked": None,
        "revokedBy": None,
    }
    assert client.get("/api/v1/verdicts/v1").json["data"] == given
    assert client.get("/api/v1/verdicts").json["data"] == [given]
    assert store.in_force(TUESDAY)[0].verdict.score == 3.2


def test_a_verdict_for_an_alert_is_for_its_series_and_size(client, watched):
    assert webhook(client, ALERT, {**ALERT, "fingerprint": "2", "labels": {"alertname": "Other"}}).json["data"] == {
        "recorded": 1
    }
    watched.largest = Size(1.5, -1)  # by the time of the verdict it is nearly over
    given = give(client, alert="c0ffee")
    assert given["query"] == "rate"
    assert given["matchers"] == '{metric="runs", pipeline="a", tenant_id="acme"}'
    assert (given["score"], given["side"], given["alert"]) == (3.2, "below", "c0ffee")
    told = client.get("/api/v1/alerts").json["data"][0]
    assert (told["fingerprint"], told["summary"], told["ended"]) == ("c0ffee", "Unusual: rate pipeline=a", None)


def test_of_one_alert_the_highest_score_counts_and_of_the_next_its_own(client, watched):
    webhook(client, ALERT)
    watched.largest = Size(2.0, 1)
    webhook(client, {**ALERT, "status": "resolved", "endsAt": "2026-06-30T03:10:00Z"})
    told = client.get("/api/v1/alerts").json["data"][0]
    assert (told["score"], told["side"], told["ended"]) == (3.2, "below", TUESDAY + 600)
    webhook(client, {**ALERT, "startsAt": "2026-07-01T02:50:00Z"})
    assert client.get("/api/v1/alerts").json["data"][0]["score"] == 2.0


def test_expected_is_for_the_time_of_the_alert(client, clock):
    webhook(client, ALERT)
    clock.now += 600
    assert give(client, verdict="expected", alert="c0ffee")["when"] == "tue 03:00 to 07:00 Europe/Berlin"
    when = {"weekdays": ["sun"], "from": "22:00", "to": "04:00"}
    assert give(client, verdict="expected", query="rate", when=when)["when"] == "sun 22:00 to 04:00 UTC"
    assert give(client, verdict="expected", query="rate")["when"] is None


def test_a_small_or_unknown_size_is_left_open(client, watched):
    watched.largest = Size(0.7, 1)
    assert give(client, query="rate")["score"] is None
    assert give(client, query="other")["score"] is None
    assert give(client, query="rate", score=9.5, side="above")["score"] == 9.5


def test_taking_back(client, store, clock):
    give(client, query="rate")
    clock.now += 60
    back = client.delete("/api/v1/verdicts/v1?who=bo").json["data"]
    assert (back["active"], back["revoked"], back["revokedBy"]) == (False, TUESDAY + 60, "bo")
    assert store.in_force(clock.now) == ()
    assert client.get("/api/v1/verdicts?active=true").json["data"] == []
    assert len(client.get("/api/v1/verdicts").json["data"]) == 1
    refused(client.delete("/api/v1/verdicts/none"), 404, "not_found", "'none'")
    body = {"verdict": "false", "query": "rtae"}
    refused(
        client.post("/api/v1/verdicts", json=body), 404, "not_found", "query must be one of other, rate. Got 'rtae'"
    )


def test_lists_by_query(client):
    give(client, query="rate")
    give(client, query="other")
    assert [each["query"] for each in client.get("/api/v1/verdicts?query=other").json["data"]] == ["other"]


def test_a_list_is_narrowed_and_mistakes_in_it_are_named(client, watched):
    give(client, query="rate")
    give(client, query="rate")
    client.delete("/api/v1/verdicts/v1")
    for active, ids in (("true", ["v2"]), ("false", ["v1"])):
        assert [each["id"] for each in client.get(f"/api/v1/verdicts?active={active}").json["data"]] == ids
    refused(client.get("/api/v1/verdicts?query=nope"), 404, "not_found", "query must be one of other, rate. Got 'nope'")
    refused(client.get("/api/v1/verdicts?active=maybe"), 400, "bad_data", "active must be true or false. Got 'maybe'")
    refused(client.get("/api/v1/verdicts?activ=true"), 400, "bad_data", "parameters must be query or active")
    del watched.known["rate"]  # what was said of a query that is gone is still there to be read
    assert len(client.get("/api/v1/verdicts?query=rate").json["data"]) == 2


@pytest.mark.parametrize(
    ("scope", "warnings"),
    [
        ({"query": "rate", "matchers": '{pipeline="z"}'}, ["matches no series now."]),
        ({"query": "other", "matchers": '{pipeline="a"}'}, None),  # no series of it is known yet
        ({"matchers": '{pipeline="z"}'}, ["matches no series now."]),
        ({"query": "rate", "matchers": '{pipeline="a"}'}, None),
        ({"matchers": '{pipeline="a"}'}, None),
        ({"query": "other"}, None),
    ],
)
def test_a_verdict_that_matches_no_series_is_kept_with_a_warning(client, store, scope, warnings):
    answer = client.post("/api/v1/verdicts", json={"verdict": "false"} | scope)
    assert (answer.status_code, len(store.all())) == (201, 1)
    assert answer.json.get("warnings") == warnings


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"query": "rate", "verdict": "maybe"}, ["verdict: must be 'true', 'false' or 'expected'. Got 'maybe'."]),
        ({"query": "rate", "verdict": "fals"}, ["Got 'fals'. Did you mean false?"]),
        ({"query": 5}, ["query: must be text; put it in quotes. Got 5."]),
        ({}, ["an alert, a query or matchers must be named"]),
        ({"alert": "x", "query": "rate"}, ["alert must be left out"]),
        ({"matchers": "{a=b}"}, ["matchers: matchers must look like"]),
        ({"matchers": '{a=~"("}'}, ["regular expression"]),
        ({"matchers": "{}"}, ["must name a query or at least one matcher"]),
        ({"query": "rate", "lasts": "500d"}, ["must expire within 400 days"]),
        ({"query": "rate", "lasts": "0s"}, ["must expire within"]),
        ({"query": "rate", "lasts": 5}, ["lasts: must be a duration"]),
        ({"query": "rate", "score": -1}, ["score: must be greater than 0. Got -1."]),
        ({"query": "rate", "score": "big"}, ["score: must be a number. Got 'big'."]),
        ({"query": "rate", "score": 1e400}, ["score:"]),
        ({"query": "rate", "side": "left"}, ["side: must be 'above', 'below' or 'both'. Got 'left'."]),
        ({"query": "rate", "when": {}}, ["when must be left out"]),
        ({"query": "rate", "verdict": "expected", "when": {"from": "25:00"}}, ["when.from: must be a time of day"]),
        ({"query": "rate", "verdict": "expected", "when": {"timezone": "Mars"}}, ["when.timezone: timezone must be"]),
        ({"query": "rate", "note": "x" * 2_000}, ["note: must have at most 1000 characters. Got 'xxx"]),
        (
            {"query": "rate", "verdict": "expected", "when": "weekdays"},
            ["when: must be 'weekday'", "Did you mean weekday?"],
        ),
        (
            {"query": "rate", "verdict": "expected", "when": {"weekdays": ["monday"]}},
            ["when.weekdays[0]: must be 'mon',", "Got 'monday'. Did you mean mon?"],
        ),
        (
            {"query": "rate", "verdict": "expected", "when": {"form": "02:00"}},
            ["when.form: is not a known key. Did you mean when.from?"],
        ),
        ({"query": "rate", "colour": "red"}, ["colour: is not a known key. Known keys: about, alert, "]),
    ],
)
def test_mistakes_are_named(client, body, words):
    refused(client.post("/api/v1/verdicts", json={"verdict": "false"} | body), 400, "bad_data", *words)


def test_bodies_that_are_none(client):
    refused(
        client.post("/api/v1/verdicts", data=b"{", content_type="application/json"),
        400,
        "bad_data",
        "body: must be JSON.",
    )
    refused(
        client.post("/api/v1/verdicts", data={"verdict": "false", "query": "rate"}), 400, "bad_data", "application/json"
    )
    refused(client.post("/api/v1/alerts", json={"alerts": [{}]}), 400, "bad_data", "alerts[0].status: is missing")
    refused(
        client.post("/api/v1/alerts", json=[]), 400, "bad_data", "body: must be a mapping of keys to values. Got []."
    )
    late = {**ALERT, "endsAt": "soon", "fingerprint": ""}
    refused(
        client.post("/api/v1/alerts", json={"alerts": [late]}),
        400,
        "bad_data",
        "alerts[0].endsAt: must be a date and time such as 2026-11-20T03:00:00Z. Got 'soon'.",
        "alerts[0].fingerprint: must have at least 1 character. Got ''.",
    )


def test_an_unknown_alert(client):
    refused(client.post("/api/v1/verdicts", json={"verdict": "true", "alert": "x"}), 404, "not_found", "/api/v1/alerts")


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"}, True),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "null"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "http://localhost.evil.example"}, False),
    ],
)
def test_pages_of_other_sites_change_nothing(client, store, headers, allowed):
    answer = client.post("/api/v1/verdicts", json={"verdict": "false", "query": "rate"}, headers=headers)
    assert answer.status_code == (201 if allowed else 403)
    assert len(store.all()) == allowed
    if not allowed:
        refused(answer, 403, "forbidden", "another site")


def test_the_scope_of_an_alert_is_its_series():
    def scope(known, **labels):
        return [str(matcher) for matcher in scope_of_alert({**ALERT["labels"], **labels}, known)]

    exact = ['metric="runs"', 'pipeline="a"', 'tenant_id="acme"']
    assert scope([KEY]) == exact
    own_job = SeriesKey({**KEY.labels, "job": "ci"})
    assert scope([own_job, KEY], job="ci") == ['job="ci"', *exact]
    assert scope([], job="ci") == ['instance="host:9815"', 'job="ci"', *exact]
    assert scope([]) == exact
    tenant = SeriesKey({"metric": "runs", "tenant": "acme"})
    assert scope([tenant], pipeline="", tenant_id="") == ['metric="runs"', 'tenant="acme"']


@pytest.mark.parametrize(
    ("begun", "ended", "timezone", "words"),
    [
        ("2026-06-30 03:00", "2026-06-30 03:30", "UTC", "tue 02:00 to 05:00 UTC"),
        ("2026-06-30 23:40", "2026-07-01 00:10", "UTC", "tue 22:00 to 02:00 UTC"),
        ("2026-06-30 00:10", "2026-06-30 00:20", "UTC", "mon 23:00 to 02:00 UTC"),
        ("2026-06-30 03:00", "2026-07-01 09:00", "UTC", "tue"),
        ("2026-06-30 22:30", "2026-06-30 22:40", "Asia/Tokyo", "wed 06:00 to 09:00 Asia/Tokyo"),
    ],
)
def test_the_time_of_an_alert(begun, ended, timezone, words):
    moments = [dt.datetime.fromisoformat(text + "+00:00").timestamp() for text in (begun, ended)]
    kind = around(*moments, timezone)
    assert str(kind) == words
    if len(words) > 3:
        assert kind.holds(np.array(moments)).all()
