"""Periods, trends and changes of level, on series that were made with them."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.level_changes import change_points
from forecasting.own_period import own_periods
from forecasting.seasonality import seasonality
from forecasting.trend import trend
from series import Window

HOUR = 3_600.0
STEPS = np.arange(24 * 28)


def noise(seed: int, size: float = 1.0, n_series: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, size, (n_series, len(STEPS)))


def test_each_rhythm_is_as_strong_as_it_was_made() -> None:
    daily = np.sqrt(2) * np.sin(2 * np.pi * STEPS / 24)
    weekly = np.where((STEPS // 24) % 7 < 5, 0.0, 10.0)
    rows = np.vstack([daily + noise(1), weekly + noise(2), noise(3), np.full((1, len(STEPS)), 4.0)])
    found = seasonality(Window.of(rows, step=HOUR))
    assert found.names == ("day", "week")
    day, week = found.strength
    np.testing.assert_allclose(day[0], 0.5, atol=0.12)
    assert week[1] > 0.8
    assert day[1] < 0.2
    assert max(day[2], week[2]) < 0.12
    np.testing.assert_array_equal(found.strength[:, 3], 0.0)


def test_growth_does_not_hide_a_rhythm_and_is_none() -> None:
    daily = np.sqrt(2) * np.sin(2 * np.pi * STEPS / 24)
    rows = np.vstack([daily + noise(1) + STEPS, 0.1 * STEPS[np.newaxis], 1e9 - 3.0 * STEPS[np.newaxis]])
    day, week = seasonality(Window.of(rows, step=HOUR)).strength
    np.testing.assert_allclose(day[0], 0.5, atol=0.12)
    np.testing.assert_array_equal([day[1:], week[1:]], 0.0)


def test_a_period_of_no_calendar_is_told_in_seconds() -> None:
    rows = np.vstack([5 * np.sin(2 * np.pi * STEPS / 7) + noise(4), noise(5)])
    found = seasonality(Window.of(rows, step=HOUR))
    np.testing.assert_allclose(found.own_period[0], 7 * HOUR, rtol=0.01)
    assert found.own_strength[0] > 0.8
    assert np.isnan(found.own_period[1])
    assert found.own_strength[1] == 0


def test_noise_that_drifts_has_no_period() -> None:
    walks = np.cumsum(noise(6, n_series=100), axis=1)
    period, _ = own_periods(walks, (24, 168))
    assert np.isfinite(period).mean() < 0.1


def test_a_series_without_samples_has_no_rhythm() -> None:
    found = seasonality(Window.of(np.full((1, len(STEPS)), np.nan), step=HOUR))
    assert np.isnan(found.strength).all()


def test_what_began_after_the_history_is_told_from_its_own_samples() -> None:
    daily = 10 * np.sin(2 * np.pi * STEPS / 24)
    weekly = np.where((STEPS // 24) % 7 < 5, 30.0, 0.0)
    rows = np.repeat(daily + weekly + noise(12), 4, axis=0)
    begun = (0, 1, 24 * 16, 24 * 27)
    for row, first in zip(rows, begun, strict=True):
        row[:first] = np.nan
    found = seasonality(Window.of(rows, step=HOUR))
    for row, first in enumerate(begun):
        alone = seasonality(Window.of(rows[[row], first:], step=HOUR))
        assert alone.names == found.names == ("day", "week")
        np.testing.assert_array_equal(found.strength[:, row], alone.strength[:, 0])
    assert found.strength[0, :2].min() > 0.15, "a fifth of the variance is of the day"
    assert found.strength[1, :2].min() > 0.9
    assert found.strength[0, 2] > 0.1
    assert np.isnan(found.strength[1, 2]), "twelve days show no week twice"
    assert np.isnan(found.strength[:, 3]).all()


def test_a_series_that_began_late_has_a_period_of_its_own() -> None:
    rows = np.vstack([5 * np.sin(2 * np.pi * STEPS / 7) + noise(4)])
    rows[:, :50] = np.nan
    found = seasonality(Window.of(rows, step=HOUR))
    np.testing.assert_allclose(found.own_period, 7 * HOUR, rtol=0.01)


def test_the_interval_of_a_trend_holds_it_as_often_as_it_says() -> None:
    season = 10 * np.sin(2 * np.pi * STEPS / 24)
    rows = 0.02 * STEPS + season + noise(7, 2.0, 300)
    found = trend(Window.of(rows, step=HOUR), coverage=0.9)
    true = 0.02 / HOUR
    assert (found.lower <= found.slope).all()
    assert (found.slope <= found.upper).all()
    np.testing.assert_allclose(((found.lower <= true) & (true <= found.upper)).mean(), 0.9, atol=0.05)


def test_a_burst_does_not_bend_the_trend() -> None:
    rows = 0.1 * STEPS[np.newaxis] + noise(8)
    rows[:, 300:330] += 1e4
    np.testing.assert_allclose(trend(Window.of(rows, step=HOUR)).slope * HOUR, 0.1, rtol=0.02)


def test_too_little_history_has_no_trend() -> None:
    assert np.isnan(trend(Window.of(np.full((2, 40), np.nan), step=HOUR)).slope).all()
    assert np.isnan(trend(Window.of([[1.0, 2.0]], step=HOUR)).slope)


@pytest.mark.parametrize("level", [5.0, -30.0])
def test_a_change_of_level_is_dated(level: float) -> None:
    rows = 10 * np.sin(2 * np.pi * STEPS / 24) + noise(9)
    rows[:, 24 * 18 :] += level
    (found,) = change_points(Window.of(rows, step=HOUR, start=1e9))
    assert found.series == 0
    assert found.time == 1e9 + 18 * 24 * HOUR
    np.testing.assert_allclose(found.after - found.before, level, atol=1.5)


def test_two_changes_are_told_in_order_and_noise_has_none() -> None:
    rows = np.vstack([noise(10), noise(11)])
    rows[0, 24 * 9 :] += 20
    rows[0, 24 * 20 :] -= 12
    found = change_points(Window.of(rows, step=HOUR))
    assert [(one.series, one.time / HOUR / 24) for one in found] == [(0, 9.0), (0, 20.0)]


def test_a_constant_series_that_jumps_has_one_change() -> None:
    rows = np.where(STEPS < 24 * 10, 3.0, 4.0)[np.newaxis]
    (found,) = change_points(Window.of(rows, step=HOUR))
    assert (found.before, found.after, found.time) == (3.0, 4.0, 10 * 24 * HOUR)


DAY_OF_HOURS = STEPS // 24
WEEKLY = np.where(DAY_OF_HOURS % 7 < 5, 50.0, 16.0)


@pytest.mark.parametrize("days", [14, 17, 20, 28])
@pytest.mark.parametrize("ends_at", [0, 7, 12, 17])
def test_neither_weekends_nor_growth_are_changes_of_level(days: int, ends_at: int) -> None:
    daily = 10 * np.sin(2 * np.pi * STEPS / 24)
    ramp = 0.1 * STEPS
    traffic = WEEKLY * (1 + STEPS / len(STEPS)) * (1 + daily / 40)
    rows = np.vstack([WEEKLY + daily + noise(13), ramp + noise(14), WEEKLY + ramp + noise(15), traffic + noise(16)])
    rows = np.vstack([rows, WEEKLY + daily, ramp])
    rows = rows[:, ends_at : ends_at + 24 * days]
    assert change_points(Window.of(rows, step=HOUR)) == []


@pytest.mark.parametrize("level", [12.0, -12.0])
def test_a_change_beside_week_and_growth_is_dated_and_told_in_the_unit(level: float) -> None:
    daily = 10 * np.sin(2 * np.pi * STEPS / 24)
    rows = WEEKLY + daily + 0.02 * STEPS + noise(17)
    rows[:, 24 * 16 :] += level
    (found,) = change_points(Window.of(rows, step=HOUR, start=1e9))
    assert found.time == 1e9 + 16 * 24 * HOUR
    there = (50 * 5 + 16 * 2) / 7 + 0.02 * 24 * 16.5
    np.testing.assert_allclose((found.before, found.after), (there, there + level), atol=1.5)


def test_an_odd_day_is_no_change_and_hides_none() -> None:
    rows = WEEKLY + noise(18, n_series=2)
    rows[:, 24 * 5 : 24 * 6] += 1_000
    rows[1, 24 * 17 :] += 20
    assert [(one.series, one.time / HOUR / 24) for one in change_points(Window.of(rows, step=HOUR))] == [(1, 17.0)]


def test_noise_has_hardly_any_change() -> None:
    found = change_points(Window.of(WEEKLY + noise(19, n_series=200), step=HOUR))
    assert len({one.series for one in found}) <= 6


def test_less_than_three_weeks_tell_a_level_that_outlasts_a_weekend() -> None:
    rows = noise(20, n_series=2)[:, : 24 * 14]
    rows[0, 24 * 8 :] += 5
    rows[1, 24 * 11 :] += 5
    assert [(one.series, one.time / HOUR / 24) for one in change_points(Window.of(rows, step=HOUR))] == [(0, 8.0)]


def test_a_series_that_began_late_has_changes_too() -> None:
    rows = WEEKLY + noise(21)
    rows[:, 24 * 17 :] += 20
    rows[:, : 24 * 3 + 5] = np.nan
    (found,) = change_points(Window.of(rows, step=HOUR))
    assert found.time / HOUR / 24 == 17


@pytest.mark.parametrize("unit", [1e-250, 1e250])
def test_a_change_is_told_in_any_unit(unit: float) -> None:
    rows = unit * np.where(STEPS < 24 * 10, 3.0, 4.0)[np.newaxis]
    (found,) = change_points(Window.of(rows, step=HOUR))
    assert (found.before, found.after) == (3.0 * unit, 4.0 * unit)


def test_changes_of_level_need_samples() -> None:
    rows = np.full((3, len(STEPS)), np.nan)
    rows[1, -24 * 6 :] = 1.0
    rows[2] = 0.0
    assert change_points(Window.of(rows, step=HOUR)) == []


@pytest.mark.parametrize(("slope", "told"), [(0.0, [14.0]), (0.1, [])])
def test_what_three_weeks_cannot_tell_apart_is_not_told(slope: float, told: list[float]) -> None:
    rows = (WEEKLY + slope * STEPS + noise(22))[:, : 24 * 20]
    rows[:, 24 * 14 :] -= 10
    assert [one.time / HOUR / 24 for one in change_points(Window.of(rows, step=HOUR))] == told
