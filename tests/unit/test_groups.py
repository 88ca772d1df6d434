"""Series that belong together: one batch, one joint score, one alarm, and who is to blame."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporter.explain.explainer import Explainer
from exporter.models.batches import Batch, Batches
from exporter.models.groups import ALONE, GroupsSeen, group_of, numbered
from exporter.service import Service
from exporter.wiring import make_state
from series import SeriesKey, Window
from series.matcher import parse_matchers
from sources.base import Answer

NOON = 1_782_820_800
SERVICES, METRICS = ("web", "etl"), ("cpu", "memory", "queue", "latency")
KEYS = tuple(SeriesKey({"service": service, "metric": metric}) for service in SERVICES for metric in METRICS)
CONFIG = """
defaults: {step: 5m, history: 4d, latency: 0s, refit: 2h, forecast: {horizons: []}}
queries:
  - {name: load, query: load, group_by: [service]}
"""


@dataclass
class Services:
    """Two services of four metrics; half an hour after noon some of the first change by a factor."""

    factor: float = 2.0
    touched: int = 3
    loud: int | None = None

    def read_range(self, query, grid, *, series_limit):
        noise = np.sin(np.outer(7919.0 * np.arange(1, 9), grid.times))
        rows = 100 + 30 * np.sin(2 * np.pi * grid.times / 86_400) + noise
        rows[: self.touched, grid.times >= NOON + 1_800] *= self.factor
        if self.loud is not None:
            rows[self.loud, grid.times >= NOON + 1_800] *= 3
        return Answer(Window(KEYS, grid.times, rows), samples=rows.size)

    def close(self):
        pass


@dataclass
class House:
    folder: object
    file: object
    now: float = float(NOON)
    source: Services = field(default_factory=Services)

    def service(self, text=CONFIG):
        self.file.write_text(text)
        made = Service(self.file, self.folder, lambda: self.now, connect=lambda settings, telemetry: self.source)
        made._add(made.config.queries[0])
        return made

    def cycle(self, service):
        service._run(service.queries["load"])
        self.now += 300


@pytest.fixture
def house(tmp_path):
    return House(make_state(tmp_path / "state"), tmp_path / "forethought.yml")


def samples(service, name):
    families = text_string_to_metric_families(service.page.body().decode())
    found = [sample for family in families for sample in family.samples if sample.name == f"forethought_{name}"]
    return {(one.labels["service"], one.labels.get("metric")): one.value for one in found}


def alarms(service, name="anomaly_alarm"):
    return {key for key, value in samples(service, name).items() if value}


def test_a_group_has_one_score_and_its_members_the_blame(house):
    service = house.service()
    house.cycle(service)
    assert set(samples(service, "group_anomaly_alarm")) == {("web", None), ("etl", None)}
    for _ in range(8):
        house.cycle(service)
    score = samples(service, "group_anomaly_score")
    assert score["etl", None] < 1 < score["web", None]
    blame = samples(service, "anomaly_contribution_ratio")
    assert len(blame) == 8
    assert sum(blame["web", metric] for metric in METRICS) == pytest.approx(1)
    assert sum(blame["web", metric] for metric in METRICS[:3]) > 0.9


def test_a_group_calls_where_none_of_its_own_series_does(house):
    """What people want told of three series of the first group is nothing; one of the other group calls meanwhile."""
    house.source = Services(loud=5)
    text = """
maintenance:
  - {name: patching, start: "2026-06-30 12:00", lasts: 4h, matchers: '{service="web",metric=~"cpu|memory|queue"}'}
"""
    service, plain = house.service(CONFIG + text), house.service()
    for _ in range(9):
        now = house.now
        house.cycle(service)
        house.now = now
        house.cycle(plain)
    assert alarms(service) == {("etl", "memory")}
    assert alarms(service, "group_anomaly_alarm") == {("web", None)}
    assert {job for job, _ in alarms(plain)} == {"web", "etl"}
    assert alarms(plain, "group_anomaly_alarm") == set()


def test_a_restart_changes_nothing(house):
    names = ("group_anomaly_score", "group_anomaly_alarm", "anomaly_contribution_ratio")
    steady, stopped = house.service(), house.service()
    for turn in range(12):
        now = house.now
        house.cycle(steady)
        house.now = now
        house.cycle(stopped)
        for name in names:
            assert samples(stopped, name) == pytest.approx(samples(steady, name), rel=1e-9), (turn, name)
        if turn in (3, 8):
            stopped._save(stopped.queries["load"])
            stopped = house.service()


def test_a_query_in_shadow_has_no_alarm_of_groups(house):
    service = house.service(CONFIG.replace("group_by", "shadow: true, group_by"))
    house.cycle(service)
    assert len(samples(service, "group_anomaly_score")) == 2
    assert samples(service, "group_anomaly_alarm") == {}


def test_an_explanation_names_the_group_also_of_an_earlier_step(house):
    service = house.service()
    for _ in range(9):
        house.cycle(service)
    explainer, matchers = Explainer(service.cycles), parse_matchers('{service="web", metric="cpu"}')
    last = explainer.explain("load", matchers)
    assert last["group"]["labels"] == {"service": "web"}
    assert last["group"]["score"] == pytest.approx(samples(service, "group_anomaly_score")["web", None])
    assert last["group"]["contribution"] > 0.2
    earlier = explainer.explain("load", matchers, last["time"] - 300)
    assert earlier["judged"].startswith("again")
    assert earlier["group"]["score"] > 1


def test_a_group_is_never_cut_in_two():
    keys = tuple(SeriesKey({"service": str(row // 7), "metric": str(row % 7)}) for row in range(7 * 300))
    batches = Batches(Batch, 21_600.0, 0.0, 60.0, ("service",))
    batches.place(keys)
    homes = {}
    for batch in batches:
        for row in batch.members.tolist():
            homes.setdefault(keys[row]["service"], set()).add(batch.number)
    assert len(batches.parts) == 8
    assert {len(numbers) for numbers in homes.values()} == {1}
    assert batches.of(keys[8]).number in homes["1"]


def test_groups_are_numbered_as_they_appear():
    ids, groups = numbered([KEYS[5], KEYS[0], KEYS[6]], ["service"])
    assert ids.tolist() == [0, 1, 0]
    assert groups == (SeriesKey({"service": "etl"}), SeriesKey({"service": "web"}))
    assert group_of(SeriesKey({"job": "a"}), ["service"]) == SeriesKey()


def test_a_group_is_quiet_where_all_of_its_members_are():
    seen = GroupsSeen.none(4, 2).joined(
        KEYS[:2], np.ones((2, 2)), np.array([0, 1, 3]), np.array([0, 0, 1]), np.zeros(3)
    )
    assert seen.any_of(np.array([False, True, False, False])).tolist() == [True, False]
    assert seen.any_of(np.array([False, False, True, False])).tolist() == [False, False]  # of no group
    quiet = np.array([[True, True], [True, False], [True, True], [False, True]])
    assert seen.member_of.tolist() == [0, 0, ALONE, 1]
    assert seen.all_quiet(quiet).tolist() == [[True, False], [False, True]]
