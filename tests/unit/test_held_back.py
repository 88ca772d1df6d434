"""What people said, on the scores of a query: one alert, a verdict, and silence for what is alike."""

import datetime as dt

import numpy as np
import pytest

from detectors.seasonal import SeasonalBaseline
from detectors.suppress import Suppression
from detectors.verdict import About, Opinion, Verdict
from detectors.walk import walk_forward
from exporter.held_back import HeldBack, Said
from exporter.maintenance import MaintenanceWindow
from exporter.published import PublishedIndex, published_keys
from exporter.silences.reader import Silence
from exporter.verdicts.desk import VerdictDesk
from exporter.verdicts.memory import QueryMemory, WatchedQueries
from exporter.verdicts.requests import NewVerdict, WebhookAlert
from exporter.verdicts.store import open_file
from series import SeriesKey, Window
from series.event import Event
from series.matcher import parse_matchers

KEYS = tuple(SeriesKey({"__name__": "runs", "pipeline": name}) for name in ("a", "b", "c"))
MORNING = dt.datetime(2026, 6, 30, 3, tzinfo=dt.UTC).timestamp()
STEP = 300.0
DAY = 288


def silence(text, starts=0.0):
    return Silence("5ilence0", parse_matchers(text), starts, 1e12, "oncall", "patching")


def held(said, scores=None, keys=KEYS, times=(MORNING,)):
    scores = np.full((len(keys), len(times)), 3.0) if scores is None else np.asarray(scores)
    return HeldBack("rate", said).apply(keys, np.array(times), scores)


def test_without_anything_said_scores_are_what_they_were():
    scores = np.full((3, 1), 3.0)
    result = held(Said(), scores)
    assert result.scores is scores
    assert not result.quiet.any()
    assert result.reasons == {}


def test_maintenance_and_silences_keep_quiet_and_say_so():
    window = MaintenanceWindow(
        Event(name="patching", start=dt.datetime.fromisoformat("2026-06-30 02:00"), lasts=7_200.0),
        matchers=parse_matchers('{pipeline="a"}'),
    )
    said = Said(windows=[window], silences=lambda: [silence('{pipeline="b",metric="runs"}')])
    result = held(said, times=(MORNING - 7_200, MORNING))
    assert result.quiet.tolist() == [[False, True], [False, True], [False, False]]
    assert result.reasons == {0: "maintenance window patching", 1: "silence 5ilence0 by oncall (patching)"}
    assert (result.scores == 3.0).all()


def test_a_silence_and_a_verdict_hold_back_the_alarm_they_speak_of():
    spoken = []
    said = Said(
        silences=lambda: [silence('{alertname="ForethoughtPeerAnomaly",pipeline="a"}'), silence('{pipeline="b"}')],
        verdicts=lambda now: [
            Verdict(
                id=about.value, opinion=Opinion.FALSE, created=MORNING, expires=MORNING + 1e7, query="rate", about=about
            )
            for about in spoken
        ],
    )
    back, scores, times = HeldBack("rate", said), np.full((3, 1), 2.0), np.array([MORNING])
    for opinions, past, peers in (
        ((), 2.0, 2.0),
        ((About.PEERS,), 2.0, 2 / 2.6),
        ((About.PAST,), 2 / 2.6, 2.0),
        ((About.ANY,), 2 / 2.6, 2 / 2.6),
    ):
        spoken[:] = opinions
        for about, wanted, quiet in ((About.PAST, past, [0, 1, 0]), (About.PEERS, peers, [1, 1, 0])):
            result = back.apply(KEYS, times, scores, about=about)
            assert result.scores[:, 0] == pytest.approx(wanted)
            assert result.quiet[:, 0].tolist() == quiet


def test_other_series_are_looked_up_anew():
    back = HeldBack("rate", Said(silences=lambda: [silence('{pipeline="b"}')]))
    scores, times = np.full((3, 1), 3.0), np.array([MORNING])
    assert list(back.apply(KEYS, times, scores).reasons) == [1]
    assert list(back.apply(KEYS[::-1], times, scores).reasons) == [1]
    assert list(back.apply(KEYS[1:], times, scores[1:]).reasons) == [0]
    assert back.apply((), times, scores[:0]).reasons == {}


@pytest.mark.parametrize("label", ["metric", "pipeline", "job", "exported_query", "query", "__name__"])
def test_the_index_agrees_with_published_keys(label):
    keys = [
        *KEYS,
        SeriesKey({"query": "x", "job": "ci"}),
        SeriesKey({"__name__": "up", "metric": "theirs"}),
        SeriesKey(),
    ]
    values, place = PublishedIndex(keys).of(label)
    assert [values[number] for number in place] == [key.get(label) for key in published_keys(keys)]


def two_incidents():
    """Three weeks at 5 min; the same incident on two days of the third week, in the first two series."""
    rng = np.random.default_rng(4)
    times = MORNING - 18 * 86_400 + STEP * np.arange(21 * DAY)
    rows = 100 + 20 * np.sin(2 * np.pi * times / 86_400) + rng.normal(size=(3, len(times)))
    first, second = 17 * DAY, 19 * DAY + 40
    for start in (first, second):
        rows[:2, start : start + 8] += 40 + 3 * rng.random((2, 8))
    return Window(KEYS, times, rows), first, second


def test_after_one_false_verdict_a_similar_incident_stays_quiet(tmp_path):
    window, first, second = two_incidents()
    walk = walk_forward(SeasonalBaseline(), window, history=14 * DAY, refit=DAY, first=15 * DAY)
    sides = np.sign(window.values - walk.band.expected)
    store, memory = open_file(tmp_path / "verdicts.sqlite"), QueryMemory()
    clock = [float(window.times[0])]
    desk = VerdictDesk(store, WatchedQueries(lambda: {"rate": memory}), clock=lambda: clock[0])
    back = HeldBack("rate", Said(verdicts=lambda now: [kept.verdict for kept in store.in_force(now)]))
    alarms = Suppression().start(3, STEP)
    firing, reasons = np.zeros((3, window.n_steps), dtype=bool), {}
    for step in range(15 * DAY, window.n_steps):
        clock[0] = now = float(window.times[step])
        memory.note(KEYS, now, walk.scores[:, step], np.nan_to_num(sides[:, step]))
        result = back.apply(KEYS, np.array([now]), walk.scores[:, step : step + 1], sides[:, step : step + 1])
        firing[:, step] = alarms.update(result.scores[:, 0])
        if second <= step < second + 8:
            reasons |= result.reasons
        if step == first + 10:
            labels = {"metric": "runs", "pipeline": "a", "query": "rate", "alertname": "ForethoughtAnomaly"}
            begun = dt.datetime.fromtimestamp(now - 2_400, dt.UTC)
            desk.hear([WebhookAlert(status="firing", labels=labels, startsAt=begun, endsAt=begun, fingerprint="f1")])
            desk.give(NewVerdict(verdict="false", alert="f1", note="load test"))
    assert firing[:2, first : first + 8].any(axis=1).all()
    assert firing[:, second : second + 8].any(axis=1).tolist() == [False, True, False]
    assert list(reasons) == [0]
    assert "false, for rate" in reasons[0]
    assert "(load test)" in reasons[0]
    store.close()


def test_the_memory_knows_the_day_and_the_side():
    memory = QueryMemory("Europe/Berlin")
    watched = WatchedQueries(lambda: {"rate": memory})
    scores = np.array([1.0, 5.0, np.nan])
    memory.note(KEYS, MORNING, scores, np.array([1.0, -1.0, 0.0]))
    memory.note(KEYS, MORNING + 300, scores + 1, np.array([1.0, 1.0, 1.0]))
    memory.note(KEYS[1:], MORNING + 3_600, np.array([2.0, 9.0]), np.array([-1.0, 1.0]))
    b = parse_matchers('{pipeline="b"}')
    assert watched.size("rate", b, MORNING) == (6.0, 1)
    assert watched.size("rate", b, MORNING + 3_600) == (2.0, -1)
    assert watched.size("", parse_matchers('{pipeline="c"}'), MORNING) == (9.0, 1)
    assert watched.size("rate", parse_matchers('{pipeline="z"}'), MORNING) is None
    assert watched.size("other", b, MORNING) is None
    assert watched.series("rate") == {SeriesKey({"metric": "runs", "pipeline": name}) for name in "bc"}
    assert (watched.timezone("rate"), watched.timezone("x"), list(watched.series("x"))) == ("Europe/Berlin", "UTC", [])
    memory.note(KEYS, MORNING + 40 * 3_600, scores, np.ones(3))
    assert watched.size("rate", b, MORNING) == (5.0, 1)
