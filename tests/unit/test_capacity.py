"""Dates of limits: by a number or by a query, from below or from above, found hourly and kept over a restart."""

import math
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
import pytest
from structlog.testing import capture_logs

from detectors.suppress import Suppression
from exporter.duration import Duration
from exporter.models.capacity import CapacityPlan, CapacitySlot
from exporter.models.limit_values import LimitRule, LimitValues
from exporter.models.plan import ModelPlan
from forecasting import HarmonicRegression
from forecasting.resample import resampled
from forecasting.scaling import MONTH, ScalingRule
from series import SeriesKey, Window
from sources.base import Answer
from sources.errors import SourceUnavailable

STEP, DAY = 600, 86_400.0
NOW = 1_700_006_400.0
HORIZONS = (Duration(86_400), Duration(7 * 86_400), Duration(30 * 86_400))
KEYS = tuple(SeriesKey({"disk": name}) for name in ("a", "b", "c"))


def window(now=NOW, keys=KEYS):
    """Use of three disks over 14 days: 10 a day from 0 at `NOW` - 14 d; half of that; none."""
    times = now - STEP * np.arange(14 * 144 - 1, -1, -1, dtype=np.float64)
    grown = 10 * (times - NOW + 14 * DAY) / DAY
    noise = np.sin(times * 7919.0)
    rows = {"a": grown + noise, "b": grown / 2 + noise, "c": 50 + noise}
    return Window(keys, times, np.stack([rows[key["disk"]] for key in keys]))


@dataclass
class Sizes:
    """Answers with one value for each disk it knows."""

    sizes: dict
    label: str = "disk"
    failing: bool = False
    asked: list = field(default_factory=list)

    def read_range(self, query, grid, *, series_limit):
        self.asked.append(grid.end)
        if self.failing:
            raise SourceUnavailable(query, "cannot connect.")
        keys = tuple(SeriesKey({self.label: name, "other": str(row)}) for row, name in enumerate(self.sizes))
        return Answer(Window(keys, grid.times, np.array([*self.sizes.values()], dtype=np.float64).reshape(-1, 1)))

    def close(self):
        pass


def slot(*rules, source=None):
    plan = ModelPlan(
        detector=lambda: pytest.fail("no detector is needed"),
        forecaster=HarmonicRegression,
        suppression=Suppression(),
        step=STEP,
        horizons=(),
        coverage=0.95,
        refit=Duration(21_600),
    )
    return CapacitySlot(plan, CapacityPlan(rules, HORIZONS), LimitValues(source or Sizes({})))


def looked(one, now=window, at=NOW):
    seen = now()
    _, n_series = one.fit_if_due(seen, 1, at)
    assert n_series in (0, seen.n_series)
    return one.at(seen)


def test_growth_reaches_a_number_on_its_day_and_what_does_not_grow_never():
    found = looked(slot(LimitRule(name="full", value=200.0)))["full"]
    days = (found.time - NOW) / DAY
    assert days[0] == pytest.approx(6, abs=1.5)  # 140 now, 10 a day
    assert (found.lower[0] < found.time[0]) & ~(found.upper[0] < found.time[0])
    assert np.isnan([found.time[2], found.lower[2], found.upper[2]]).all()
    probability = np.stack(list(found.probability.values()))
    assert (np.diff(probability, axis=0) >= 0).all()
    assert probability[0, 0] < 0.1
    assert probability[2, 0] > 0.9
    assert probability[2, 2] < 0.05
    assert found.value.tolist() == [200.0] * 3


def test_free_space_is_used_up_from_above():
    free = lambda: Window(KEYS[:1], window().times, 200 - window().values[:1])  # noqa: E731
    found = looked(slot(LimitRule(name="full", value=0.0, falling=True)), free)["full"]
    assert (found.time[0] - NOW) / DAY == pytest.approx(6, abs=1.5)


def test_each_series_has_the_limit_of_its_labels():
    sizes = Sizes({"a": 200.0, "b": 100.0})
    found = looked(slot(LimitRule(name="full", query="size", on=("disk",)), source=sizes))["full"]
    np.testing.assert_array_equal(found.value, [200.0, 100.0, np.nan])
    assert np.isnan(found.time).tolist() == [False, False, True]
    assert all(np.isnan(each[2]) for each in found.probability.values())


def test_one_limit_may_hold_for_all():
    found = looked(slot(LimitRule(name="full", query="size"), source=Sizes({"any": 200.0})))["full"]
    assert found.value.tolist() == [200.0] * 3


def test_two_limits_for_the_same_series_are_none():
    one = slot(LimitRule(name="full", query="size"), source=Sizes({"a": 1.0, "b": 2.0}))
    assert np.isnan(looked(one)["full"].value).all()


def test_a_limit_is_asked_for_hourly_and_the_last_answer_holds_in_an_outage():
    source = Sizes({"any": 200.0})
    values, rule = LimitValues(source), LimitRule(name="full", query="size")
    assert values.of(rule, KEYS, NOW)[0] == 200
    source.sizes["any"] = 300.0
    assert values.of(rule, KEYS, NOW + 3000)[0] == 200
    source.failing = True
    assert values.of(rule, KEYS, NOW + 3700)[0] == 200
    source.failing = False
    assert values.of(rule, KEYS, NOW + 7500)[0] == 300
    assert len(source.asked) == 3


def test_a_limit_whose_query_gives_nothing_is_told_of_when_that_begins_and_when_it_ends():
    source = Sizes({"any": 200.0})
    values, rule = LimitValues(source, name="disk"), LimitRule(name="full", query="size")
    with capture_logs() as told:
        for hour, sizes in enumerate(({"any": 200.0}, {}, {}, {"any": math.nan}, {"any": 300.0}, {"any": 300.0}, {})):
            source.sizes = sizes
            values.of(rule, KEYS, NOW + 3_700 * hour)
    assert [(line["log_level"], line["query"], line["limit"]) for line in told] == [
        ("warning", "disk", "full"),
        ("info", "disk", "full"),
        ("warning", "disk", "full"),
    ]
    assert "gives nothing" in told[0]["event"]
    assert "again" in told[1]["event"]


def test_dates_are_found_anew_each_hour():
    one = slot(LimitRule(name="full", value=200.0))
    fits = [one.fit_if_due(window(NOW + STEP * turn), 1, NOW)[1] for turn in range(13)]
    assert fits[0] == 3
    assert sum(fits) == 9  # at the start, and at two full hours


def test_advice_says_what_to_add_and_what_to_give_back():
    rule = ScalingRule(utilisation=0.8, unit=100.0, cost=0.001)
    limits = Sizes({"a": 200.0, "b": 500.0, "c": 1000.0})
    full = LimitRule(name="full", query="size", on=("disk",), scaling=rule)
    found = looked(slot(full, source=limits))["full"]
    assert found.change[0] >= 300  # 440 in a month
    assert found.change[2] == -900
    assert found.capacity[2] == 100
    assert found.cost[0] > 0 > found.cost[2]
    assert found.by[0] < NOW + 7 * DAY
    assert found.by[0] <= found.short_from[0]
    np.testing.assert_allclose(found.monthly_cost, found.change / 100 * 0.001 * MONTH)
    assert found.peak[0] > 400
    assert (found.change % 100 == 0).all()


def test_nothing_is_given_back_before_a_week_is_known():
    full = LimitRule(name="full", value=10_000.0, scaling=ScalingRule(unit=100.0))
    young = lambda: window().since(7 * 144 + 12)  # noqa: E731
    assert np.isnan(looked(slot(full), young)["full"].change).all()
    assert (looked(slot(full))["full"].change < 0).all()


def test_a_series_without_a_sample_now_has_nothing():
    def gone():
        now = window()
        now.values[0, -1] = np.nan
        return now

    found = looked(slot(LimitRule(name="full", value=200.0)), gone)["full"]
    assert np.isnan([found.value[0], found.time[0]]).all()


def test_a_restarted_process_knows_the_same_dates():
    rule = LimitRule(name="full", value=200.0)
    one, other = slot(rule), slot(rule)
    looked(one)
    keys = list(KEYS)
    other.load(deepcopy(one.dump(keys.index, 1)), keys, 1)
    assert other.fit_if_due(window(), 1, NOW)[1] == 0
    turned = Window(KEYS[::-1], window().times, window().values[::-1])
    np.testing.assert_array_equal(other.at(turned)["full"].time, one.at(window())["full"].time[::-1])
    assert [key for keys, _ in other.all() for key in keys] == keys


def test_too_short_a_history_has_no_date():
    young = lambda: window().since(14 * 144 - 20)  # noqa: E731
    assert np.isnan(looked(slot(LimitRule(name="full", value=200.0)), young)["full"].time).all()


def test_coarse_steps_end_at_their_multiples_and_hold_whole_ones_alone():
    times = np.arange(7.0) * 600 + 3000
    values = np.array([[1, 2, np.nan, 4, 9, 0, 7], [np.nan] * 7])
    coarse = {how: resampled(Window(KEYS[:2], times, values), 1800, how) for how in ("mean", "highest", "lowest")}
    assert coarse["mean"].times.tolist() == [5400]
    assert [each.values[0, 0] for each in coarse.values()] == [6.5, 9, 4]
    assert np.isnan(coarse["mean"].values[1]).all()
