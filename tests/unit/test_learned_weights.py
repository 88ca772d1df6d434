"""Verdicts on alarms change how much each detector counts: at the next fit, a little, and not for good."""

from dataclasses import dataclass

import numpy as np
import pytest

from detectors.verdict import About, JudgedAlarm, Opinion, Verdict
from detectors.weights import learn_weights, weights_of
from exporter.explain.explainer import Explainer
from exporter.explain.text import as_text
from exporter.series_page.desk import SeriesDesk
from exporter.service import Service
from exporter.verdicts.requests import NewVerdict, WebhookAlert
from exporter.wiring import make_state
from series import SeriesKey, Window
from series.calendar import DAY
from series.matcher import parse_matchers
from sources.base import Answer

MEMBERS = ("seasonal", "extremes", "window_pca_6", "window_pca_12", "window_pca_24")
NOON = 1_782_820_800
KEYS = tuple(SeriesKey({"job": name}) for name in ("api", "web", "etl"))
API = parse_matchers('{job="api"}')
CONFIG = """
defaults: {step: 5m, history: 4d, latency: 0s, refit: 1h, forecast: {horizons: []}}
queries:
  - {name: rate, query: rate}
"""


def given(
    number,
    opinion=Opinion.FALSE,
    *,
    created=100.0,
    begun=None,
    votes=(("seasonal", 3.0), ("window_pca_6", 0.5)),
    **more,
):
    alarm = JudgedAlarm(float(number) if begun is None else begun, votes)
    known = {"query": "rate", "matchers": API, "alarm": alarm} | more
    return Verdict(id=str(number), opinion=opinion, created=created, expires=created + 9, **known)


def test_who_was_wrong_counts_less_and_who_was_right_more():
    weights = weights_of([given(n) for n in range(30)], "rate", MEMBERS, time=200.0)
    assert weights["seasonal"] < 1 < weights["window_pca_6"]
    assert set(weights) == {"seasonal", "window_pca_6"}
    votes = np.array([[3.0] * 30, [0.5] * 30])
    np.testing.assert_array_equal(list(weights.values()), learn_weights(votes, np.zeros(30, dtype=bool)))


@pytest.mark.parametrize(
    "silent",
    [
        given(1, Opinion.EXPECTED),
        given(1, about=About.PEERS),
        given(1, query="other"),
        given(1, alarm=None),
        given(1, created=300.0),
        given(1, created=200.0 - 91 * DAY),
        given(1, votes=(("rank", 3.0),)),
    ],
    ids=["expected", "peers", "another query", "no alarm", "later", "long ago", "another detector"],
)
def test_what_says_nothing_of_the_members_changes_nothing(silent):
    assert weights_of([silent], "rate", MEMBERS, time=200.0) == {}


def test_of_several_verdicts_on_one_alarm_the_last_counts():
    first, second = given(1, begun=7.0), given(2, Opinion.TRUE, begun=7.0, created=150.0)
    assert weights_of([second, first], "rate", MEMBERS, 200.0) == weights_of([second], "rate", MEMBERS, 200.0)
    assert weights_of([second, first], "rate", MEMBERS, 120.0) == weights_of([first], "rate", MEMBERS, 120.0)
    other = given(2, Opinion.TRUE, begun=7.0, matchers=parse_matchers('{job="web"}'))
    assert weights_of([first, other], "rate", MEMBERS, 200.0) != weights_of([other], "rate", MEMBERS, 200.0)


@dataclass
class Bursts:
    """A daily wave; the first series is a little off for half an hour, so that the detectors disagree."""

    def read_range(self, query, grid, *, series_limit):
        row = 100 + 30 * np.sin(2 * np.pi * grid.times / 86_400) + np.sin(grid.times * 7919.0)
        rows = np.stack([row, 2 * row, 3 * row])
        rows[0, (grid.times >= NOON + 1_800) & (grid.times < NOON + 3_600)] *= 1.03
        return Answer(Window(KEYS, grid.times, rows), samples=rows.size)

    def close(self):
        pass


class House:
    def __init__(self, folder, file, text=CONFIG):
        self.folder, self.file, self.now = folder, file, float(NOON)
        file.write_text(text)
        self.service = self.started()

    def started(self):
        made = Service(self.file, self.folder, lambda: self.now, connect=lambda settings, telemetry: Bursts())
        made._add(made.config.queries[0])
        return made

    def cycles(self, turns):
        for _ in range(turns):
            self.service._run(self.service.queries["rate"])
            self.now += 300

    def restart(self):
        self.service._save(self.service.queries["rate"])
        self.service = self.started()

    @property
    def weights(self):
        value = self.service.telemetry.registry.get_sample_value
        asked = {name: {"query": "rate", "detector": name} for name in MEMBERS}
        found = {name: value("forethought_detector_weight", labels) for name, labels in asked.items()}
        return {name: weight for name, weight in found.items() if weight is not None}

    @property
    def scores(self):
        return self.service.cycles()["rate"].calling.told.seen.scores[:, -1]


@pytest.fixture
def house(tmp_path):
    return House(make_state(tmp_path / "state"), tmp_path / "forethought.yml")


@pytest.fixture
def untouched(tmp_path):
    return House(None, tmp_path / "other.yml")


def judged(house, opinion="false"):
    house.cycles(9)
    return house.service.hearing.desk.give(NewVerdict(verdict=opinion, query="rate", matchers='{job="api"}')).verdict


def test_without_verdicts_all_count_the_same(house):
    house.cycles(3)
    assert house.weights == dict.fromkeys(MEMBERS, 1.0)
    assert house.service.cycles()["rate"].detector._batches.parts[0].model.weights is None


def test_a_verdict_keeps_the_votes_and_the_next_fit_heeds_them(house):
    verdict = judged(house)
    assert verdict.alarm.begun == NOON + 1_800
    assert [name for name, _ in verdict.alarm.votes] == list(MEMBERS)
    assert house.weights == dict.fromkeys(MEMBERS, 1.0)
    house.cycles(13)
    wrong = {name for name, vote in verdict.alarm.votes if vote > 1}
    assert wrong
    assert wrong < set(MEMBERS)
    weights = house.weights
    assert max(weights[name] for name in wrong) < 1 < min(weights[name] for name in set(MEMBERS) - wrong)
    assert min(weights.values()) > 0.8  # one verdict is no more than one verdict
    said = Explainer(house.service.cycles).explain("rate", API)
    assert {each["name"]: each["weight"] for each in said["detectors"]} == weights
    assert ", counts 1.0" in as_text(said)


def test_the_past_of_a_series_is_judged_again_with_the_weights_of_then(house):
    house.cycles(2)
    live = {}
    judged(house)
    for _ in range(20):
        house.cycles(1)
        told = house.service.cycles()["rate"].calling.told
        live[told.time] = told.held.scores[0, -1]
    assert house.weights != dict.fromkeys(MEMBERS, 1.0)
    found = SeriesDesk(house.service.cycles).history("rate", API, 1_800)
    for time, score in zip(found["times"].tolist(), found["scores"], strict=True):
        assert score == pytest.approx(live[time], rel=1e-9), time


def test_taken_back_scores_are_what_they_would_have_been(house, untouched):
    verdict = judged(house)
    house.cycles(13)
    untouched.cycles(22)
    assert not np.array_equal(house.scores, untouched.scores)
    house.service.hearing.desk.take_back(verdict.id)
    house.cycles(13)
    untouched.cycles(13)
    assert house.weights == dict.fromkeys(MEMBERS, 1.0)
    np.testing.assert_array_equal(house.scores, untouched.scores)


def test_a_restart_keeps_votes_and_weights(tmp_path, house):
    house.cycles(9)
    votes = house.service.cycles()["rate"].calling.history.last(API, NOON, NOON + 9_000)
    house.restart()
    assert house.service.cycles()["rate"].calling.history.last(API, NOON, NOON + 9_000) == votes
    assert judged(house).alarm == votes
    house.cycles(13)
    before = house.weights
    assert before != dict.fromkeys(MEMBERS, 1.0)
    house.restart()
    house.cycles(1)
    assert house.weights == before


def test_an_alert_names_the_alarm_that_led_to_it(house):
    house.cycles(9)
    labels = {"alertname": "ForethoughtAnomaly", "query": "rate", "job": "api"}
    times = {"startsAt": "2026-06-30T12:31:00Z", "endsAt": "0001-01-01T00:00:00Z"}
    alert = {"status": "firing", "labels": labels, "fingerprint": "f1", **times}
    desk = house.service.hearing.desk
    desk.hear([WebhookAlert.model_validate(alert)])
    assert desk.give(NewVerdict(verdict="true", alert="f1")).verdict.alarm.begun == NOON + 1_800
    desk.hear([WebhookAlert.model_validate(alert | {"fingerprint": "f2", "startsAt": "2026-06-30T12:29:00Z"})])
    assert desk.give(NewVerdict(verdict="true", alert="f2")).verdict.alarm is None
    peers = NewVerdict(verdict="true", query="rate", matchers='{job="api"}', about="peers")
    assert desk.give(peers).verdict.alarm is None


def called_alone(house, member="extremes", days=10):
    """Six weeks before noon, on the last days of which a detector called alone in two of the three series."""
    times = NOON - 43 * DAY + 300 * np.arange(42 * 288)
    for day in np.split(times, 42):
        votes = np.full((len(MEMBERS), len(KEYS), len(day)), 0.2)
        if day[0] >= times[-1] - days * DAY:
            votes[MEMBERS.index(member), :2, 100] = 3.0
        house.service.cycles()["rate"].detector.live_error.note(KEYS, day, votes)


def test_who_calls_alone_more_often_than_promised_counts_less(house, untouched):
    called_alone(house)
    house.cycles(9)
    untouched.cycles(9)
    weights = house.weights
    assert 0.5 < weights["extremes"] < 0.9
    assert {weights[name] for name in MEMBERS if name != "extremes"} == {max(weights.values())}
    said = Explainer(house.service.cycles).explain("rate", API)
    assert {each["name"]: each["weight"] for each in said["detectors"]} == weights
    assert not np.array_equal(house.scores, untouched.scores)
    house.restart()
    house.cycles(3)
    assert house.weights == weights


def test_who_keeps_the_promise_changes_no_score(house, untouched):
    called_alone(house, days=1)
    house.cycles(9)
    untouched.cycles(9)
    assert house.service.cycles()["rate"].detector.live_error.excess(NOON)["extremes"] < 1
    assert house.service.cycles()["rate"].detector._batches.parts[0].model.weights is None
    np.testing.assert_array_equal(house.scores, untouched.scores)


def test_verdicts_and_live_error_act_together(house):
    called_alone(house)
    verdict = judged(house)
    alone = house.weights
    house.cycles(13)
    both = house.weights
    wrong = {name for name, vote in verdict.alarm.votes if vote > 1}
    excess = house.service.cycles()["rate"].detector.live_error.excess(NOON)
    assert both == weights_of([verdict], "rate", MEMBERS, verdict.created, excess)
    assert both["extremes"] < 0.9
    for name in wrong:
        assert both[name] < alone[name]


def test_the_past_is_judged_again_with_the_live_error_of_then(house):
    called_alone(house)
    house.cycles(2)
    live = {}
    for _ in range(20):
        house.cycles(1)
        told = house.service.cycles()["rate"].calling.told
        live[told.time] = told.held.scores[0, -1]
    assert house.weights["extremes"] < 0.9
    found = SeriesDesk(house.service.cycles).history("rate", API, 1_800)
    for time, score in zip(found["times"].tolist(), found["scores"], strict=True):
        assert score == pytest.approx(live[time], rel=1e-9), time
    time = sorted(live)[-10]
    again = Explainer(house.service.cycles).explain("rate", API, time)
    assert again["judged"].startswith("again")
    assert again["score"]["consensus"] == pytest.approx(live[time], rel=1e-9)
    assert {each["name"]: each["weight"] for each in again["detectors"]} == house.weights


def test_live_error_alone_gives_weights_only_where_a_promise_is_broken():
    assert weights_of([], "rate", MEMBERS, 200.0, {"seasonal": 0.4, "window_pca_6": 1.0}) == {}
    weights = weights_of([], "rate", MEMBERS, 200.0, {"seasonal": 4.0, "window_pca_6": 0.5})
    assert weights["seasonal"] == pytest.approx(weights["window_pca_6"] / 2)
    kept = dict.fromkeys(MEMBERS, 0.3)
    said = [given(n) for n in range(30)]
    assert weights_of(said, "rate", MEMBERS, 200.0, kept) == weights_of(said, "rate", MEMBERS, 200.0)


def test_a_detector_alone_has_no_weight(tmp_path):
    house = House(None, tmp_path / "forethought.yml", CONFIG.replace("query: rate", "query: rate, detector: seasonal"))
    house.cycles(3)
    assert house.weights == {}
    assert house.service.cycles()["rate"].plan.weighted is None
