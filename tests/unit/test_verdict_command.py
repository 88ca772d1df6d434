"""The command against a service on a free port: what it says, and one line for each mistake."""

import itertools
import threading

import pytest
from click.testing import CliRunner
from flask import Flask
from werkzeug.serving import make_server

from exporter.verdicts.api import verdict_api
from exporter.verdicts.command import verdict
from exporter.verdicts.desk import Size, VerdictDesk
from exporter.verdicts.store import open_file
from series import SeriesKey
from tests.fakes.http_server import FakeServer, always
from tests.fakes.watched import FakeWatched

NOW = 1_782_788_400.0


@pytest.fixture
def url(tmp_path):
    store, numbers = open_file(tmp_path / "verdicts.sqlite"), itertools.count(1)
    watched = FakeWatched({"rate": [SeriesKey({"job": "a"})], "other": []}, Size(3.0, 1))
    app = Flask("test")
    app.register_blueprint(
        verdict_api(VerdictDesk(store, watched, clock=lambda: NOW, identity=lambda: f"v{next(numbers)}"))
    )
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()
    store.close()


def run(url, *arguments):
    return CliRunner().invoke(verdict, ["--url", url, *arguments], env={"USER": "oncall"})


def said(url, *arguments):
    result = run(url, *arguments)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_a_verdict_may_speak_of_peers_alone(url):
    line = "v1: true for rate{}, size 3 above, beside its peers, by oncall, until 2026-07-30 03:00 UTC"
    assert said(url, "add", "true", "--query", "rate", "--about", "peers") == [line]


def test_giving_showing_and_taking_back(url):
    line = 'v1: false for rate{job="a"}, size 3 above, by oncall (batch), until 2026-07-30 03:00 UTC'
    assert said(url, "add", "false", "--query", "rate", "--matchers", '{job="a"}', "--note", "batch") == [line]
    expected = said(
        url,
        "add",
        "expected",
        "--query",
        "other",
        "--weekday",
        "mon",
        "--weekday",
        "tue",
        "--from",
        "02:00",
        "--to",
        "04:00",
        "--lasts",
        "7d",
        "--who",
        "bo",
    )
    assert expected == ["v2: expected for other{}, mon, tue 02:00 to 04:00 UTC, by bo, until 2026-07-07 03:00 UTC"]
    assert said(url, "list") == [line, *expected]
    assert said(url, "list", "--query", "rate") == [line]
    assert said(url, "remove", "v1")[0].endswith("taken back 2026-06-30 03:00 UTC")
    assert said(url, "list") == expected
    assert len(said(url, "list", "--all")) == 2


def test_a_list_without_verdicts_says_so(url):
    assert said(url, "list") == ["no verdicts in force; --all shows those that are over"]
    assert said(url, "list", "--all") == ["no verdicts"]


def test_a_verdict_that_matches_no_series_says_so(url):
    lines = said(url, "add", "false", "--query", "rate", "--matchers", '{job="z"}')
    assert len(lines) == 2
    assert "warning: matches no series now." in lines


@pytest.mark.parametrize(("known", "who"), [(True, ", by bo,"), (False, "rate{}, size 3 above, until")])
def test_without_the_name_in_the_environment_the_system_is_asked(url, monkeypatch, known, who):
    def asked():
        if known:
            return "bo"
        raise KeyError("uid not found: 12345")

    monkeypatch.setattr("getpass.getuser", asked)
    result = CliRunner().invoke(verdict, ["--url", url, "add", "false", "--query", "rate"], env={"USER": None})
    assert who in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "false"], "an alert, a query or matchers must be named"),
        (["add", "false", "--query", "rate", "--matchers", "nonsense"], "matchers must look like"),
        (["add", "false", "--alert", "none"], "there is no alert 'none'"),
        (["add", "false", "--query", "rtae"], "query must be one of other, rate. Got 'rtae'"),
        (["add", "false", "--query", "rate", "--from", "02:00"], "when must be left out"),
        (["add", "expected", "--query", "rate", "--weekday", "someday"], "when"),
        (["add", "true", "--query", "rate", "--lasts", "5"], "must be a duration"),
        (["list", "--query", "rtae"], "query must be one of other, rate. Got 'rtae'"),
        (["remove", "../alerts"], "verdicts/..%2Falerts"),
        (["remove", "none"], "there is no verdict 'none'"),
    ],
)
def test_mistakes_are_one_line(url, arguments, words):
    result = run(url, *arguments)
    assert result.exit_code == 2
    assert len(result.output.strip().splitlines()) == 1
    assert words in result.output


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}"])
def test_another_server_is_told_apart(body):
    with FakeServer(always(200, body)) as server:
        result = run(server.url, "list")
    assert result.exit_code == 2
    assert "must be a forethought" in result.output


def test_a_service_that_is_not_there():
    result = run("http://127.0.0.1:1", "list")
    assert result.exit_code == 2
    assert "must be reachable. Got Connection refused" in result.output
