"""Silences read from a server that answers as a test wants, and the series they mean."""

import json
import time
from pathlib import Path

import pytest

from exporter.published import PublishedIndex
from exporter.silences.cache import SilenceCache
from exporter.silences.reader import AlertmanagerSilences, Silence, SilencesUnreadable
from exporter.silences.silenced import AlertLabels, SilencedSeries
from series import SeriesKey
from series.matcher import parse_matchers
from sources.connection import Connection
from tests.fakes.http_server import FakeServer, always, header

KEYS = [
    SeriesKey({"__name__": "runs", "pipeline": "a", "tenant_id": "acme"}),
    SeriesKey({"__name__": "runs", "pipeline": "b", "job": "ci"}),
]


def answer(*matchers, state="active", **more):
    given = {
        "id": "0123456789ab",
        "status": {"state": state},
        "matchers": [dict(zip(("name", "value", "isRegex", "isEqual"), each, strict=False)) for each in matchers],
        "startsAt": "2026-11-20T00:00:00.000Z",
        "endsAt": "2026-11-22T00:00:00Z",
        "updatedAt": "2026-11-20T00:00:00.000Z",
        "createdBy": "oncall",
        "comment": "patching",
    }
    return given | more


def read(body, status=200, **settings):
    with FakeServer(always(status, json.dumps(body).encode() if not isinstance(body, bytes) else body)) as server:
        source = AlertmanagerSilences(Connection(url=server.url + "/prefix", retries=0, timeout=5, **settings))
        try:
            return source.read(), server.requests
        finally:
            source.close()


def silence(text):
    return Silence("1", parse_matchers(text), 0.0, 1e12)


def test_all_kinds_of_matchers_are_read():
    body = [
        answer(("a", "x", False, True), ("b", "y", False, False), ("c", "z.*", True, True), ("d", "w", True, False))
    ]
    (found,), requests = read(body)
    assert [str(matcher) for matcher in found.matchers] == ['a="x"', 'b!="y"', 'c=~"z.*"', 'd!~"w"']
    assert (found.starts, found.ends) == (1_795_132_800.0, 1_795_305_600.0)
    assert str(found) == "silence 01234567 by oncall (patching)"
    assert (requests[0].method, requests[0].path) == ("GET", "/prefix/api/v2/silences")


def test_expired_and_unreadable_ones_are_left_out_and_old_matchers_are_equal():
    body = [
        answer(("a", "x", False), state="expired"),
        answer(("a", "(", True, True)),
        answer(("a", "x", False), state="pending"),
    ]
    found, _ = read(body)
    assert [str(each.matchers[0]) for each in found] == ['a="x"']


def test_credentials_are_sent(tmp_path: Path):
    token = tmp_path / "token"
    token.write_text("sesame")
    _, requests = read([], bearer_token_file=token, headers={"X-Scope-OrgID": "team"})
    assert header(requests[0], "Authorization") == "Bearer sesame"
    assert header(requests[0], "X-Scope-OrgID") == "team"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"<html>", 200), ({"status": "success"}, 200), ([{"id": 1}], 200), ([], 503), ([], 401), ([], 302), (b"", 200)],
)
def test_what_is_no_answer_is_one_line(body, status):
    with pytest.raises(SilencesUnreadable) as error:
        read(body, status)
    assert "\n" not in str(error.value)


def test_a_server_that_is_slow_is_given_up():
    def sleepy(handler, _):
        time.sleep(1.5)
        handler.send(200, b"[]")

    with FakeServer(sleepy) as server:
        source = AlertmanagerSilences(Connection(url=server.url, retries=0, timeout=0.2))
        started = time.perf_counter()
        with pytest.raises(SilencesUnreadable, match="must answer within"):
            source.read()
        assert time.perf_counter() - started < 1.2


class Scripted:
    """Answers in turn with what it was given; an exception is raised."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def read(self):
        now = self.answers.pop(0)
        if isinstance(now, Exception):
            raise now
        return now


class Clock:
    now = 1_000.0

    def __call__(self):
        return self.now


def test_the_last_answer_holds_for_a_while_and_then_nothing_is_silenced():
    clock = Clock()
    held = silence('{pipeline="a"}')
    cache = SilenceCache(Scripted((held,), SilencesUnreadable("gone"), (held,)), keep=600, clock=clock)
    assert cache.active() == ()
    cache.refresh()
    assert cache.active() == (held,)
    clock.now += 500
    cache.refresh()
    assert (cache.active(), cache.problem) == ((held,), "gone")
    clock.now += 200
    assert cache.active() == ()
    cache.refresh()
    assert (cache.active(), cache.problem, cache.read_at) == ((held,), "", clock.now)


def test_only_silences_in_force_are_active():
    clock = Clock()
    cache = SilenceCache(Scripted((Silence("1", (), 1_100, 1_200),)), clock=clock)
    cache.refresh()
    seen = []
    for clock.now in (1_050, 1_100, 1_199, 1_200):
        seen.append(len(cache.active()))
    assert seen == [0, 1, 1, 0]


def test_it_reads_in_a_thread_of_its_own_until_stopped():
    with FakeServer(
        always(200, json.dumps([answer(("a", "x", False), endsAt="2096-11-22T00:00:00Z")]).encode())
    ) as server:
        cache = SilenceCache(AlertmanagerSilences(Connection(url=server.url)), every=0.02)
        cache.start()
        deadline = time.monotonic() + 5
        while len(server.requests) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(cache.active()) == 1
        cache.stop()
        cache._thread.join(5)
        assert not cache._thread.is_alive()


@pytest.mark.parametrize(
    ("matchers", "rows"),
    [
        ('{pipeline="a"}', [0]),
        ('{pipeline=~"a|b"}', [0, 1]),
        ('{alertname="ForethoughtAnomaly"}', [0, 1]),
        ('{alertname="Other", pipeline="a"}', []),
        ('{query="rate", metric="runs"}', [0, 1]),
        ('{query!="rate"}', []),
        ('{tenant="acme"}', [0]),
        ('{tenant="none"}', [1]),
        ('{severity="warning"}', []),
        ('{severity=~"warning|critical", pipeline="b"}', [1]),
        ('{job="forethought"}', [0]),
        ('{job="ci"}', [1]),
        ('{component="forethought"}', []),
        ('{other=""}', [0, 1]),
        (
            '{series="job=\\"forethought\\",metric=\\"runs\\",pipeline=\\"a\\",query=\\"rate\\",tenant_id=\\"acme\\""}',
            [0],
        ),
        ("{}", [0, 1]),
    ],
)
def test_which_series_a_silence_means(matchers, rows):
    found = SilencedSeries(PublishedIndex(KEYS), "rate").by([silence(matchers)])
    assert list(found) == rows


def test_the_first_silence_is_named_and_each_severity_may_have_its_own():
    warning, critical, all_of_b = (
        silence('{severity="warning"}'),
        silence('{severity="critical",pipeline="a"}'),
        silence('{pipeline="b"}'),
    )
    found = SilencedSeries(PublishedIndex(KEYS), "rate").by([warning, critical, all_of_b])
    assert found == {0: warning, 1: warning}
    assert SilencedSeries(PublishedIndex(KEYS), "rate", AlertLabels(severities=("warning",))).by([warning]) == {
        0: warning,
        1: warning,
    }
    assert SilencedSeries(PublishedIndex(KEYS), "rate").by([]) == {}
    assert SilencedSeries(PublishedIndex([]), "rate").by([warning]) == {}
