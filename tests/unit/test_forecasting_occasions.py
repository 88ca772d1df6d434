"""Holidays and events as the forecast sees them; and what is told of its choice."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from forecasting import HarmonicRegression
from forecasting.occasion_effects import OccasionEffects
from series import Calendar, FloatArray, Window
from series.event import Event
from series.holidays import PublicHolidays
from series.occasions import Occasions

DAY = 86_400.0
HOUR = 3_600.0


class DaysOff:
    """Holidays on given days since the epoch."""

    def __init__(self, *days: int) -> None:
        self.days = days

    def features(self, times: FloatArray) -> FloatArray:
        return np.isin(np.floor(times / DAY), self.days)[np.newaxis].astype(np.float64)


def work(days: int, off: DaysOff) -> Window:
    times = HOUR * np.arange(24.0 * days)
    load = 100 + 30 * np.sin(2 * np.pi * times / DAY)
    noise = np.random.default_rng(4).normal(0, 1, len(times))
    return Window.of([load * (1 - 0.6 * off.features(times)[0]) + noise], step=HOUR)


def test_a_holiday_to_come_is_foreseen_from_those_that_were() -> None:
    off = DaysOff(6, 13, 17, 21)
    whole = work(22, off)
    told = [HarmonicRegression(occasions=known).fit(whole.until(21 * 24)).forecast(24) for known in (off, None)]
    with_calendar, without = (np.abs(forecast.mean[0] - whole.values[0, 21 * 24 :]).mean() for forecast in told)
    assert with_calendar < 0.25 * without


def test_a_holiday_behind_does_not_disturb_the_days_after() -> None:
    off = DaysOff(6, 13, 20)
    whole = work(22, off)
    forecast = HarmonicRegression(occasions=off).fit(whole.until(21 * 24)).forecast(24)
    assert np.abs(forecast.mean[0] - whole.values[0, 21 * 24 :]).mean() < 3


def test_occasions_without_an_effect_have_none() -> None:
    history = np.random.default_rng(0).normal(size=(50, 24 * 14))
    on = np.zeros((2, 24 * 14))
    on[0, 48:72] = 1
    effects = OccasionEffects.of(history, on, 24)
    for part in effects.added:
        assert (part[:, 0] == 0).mean() > 0.9
        np.testing.assert_array_equal(part[:, 1], 0.0)


def test_gaps_and_rows_without_samples_have_no_effect() -> None:
    history = np.full((2, 24 * 14), np.nan)
    history[1, ::2] = 5.0
    effects = OccasionEffects.of(history, np.ones((1, 24 * 14)), 24)
    for part in (*effects.added, effects.past):
        np.testing.assert_array_equal(part, 0.0)


def test_a_holiday_seen_once_may_come_again_and_is_not_expected() -> None:
    off = DaysOff(6, 21)
    history = work(21, off)
    once, unknown = (HarmonicRegression(occasions=known).fit(history).forecast(24) for known in (off, None))
    np.testing.assert_allclose(once.mean, unknown.mean)
    np.testing.assert_allclose(once.upper, unknown.upper)
    np.testing.assert_allclose((unknown.lower - once.lower).mean(), 60, atol=5)


def test_of_holidays_that_differ_what_they_have_in_common_is_expected_and_the_interval_holds_all() -> None:
    off = DaysOff(5, 9, 12, 21)
    history = work(21, off)
    history.values[0, 9 * 24 : 10 * 24] += 30
    effects = OccasionEffects.of(history.values, off.features(history.times), 24)
    mean, lower, upper = (part[0, 0].mean() for part in effects.added)
    np.testing.assert_allclose([mean, lower, upper], [-30, -60, -30], atol=3)


@pytest.mark.parametrize("hours", [2, 26, 48])
def test_one_event_is_one_however_long_it_lasts(hours: int) -> None:
    on = np.zeros((1, 28 * 24))
    on[0, 9 * 24 : 9 * 24 + hours] = 1
    history = np.random.default_rng(6).normal(100, 1, size=(1, 28 * 24)) + 80 * on
    added = OccasionEffects.of(history, on, 24).added
    assert (added.mean == 0).all()
    np.testing.assert_allclose(added.upper[0, 0].max(), 80, atol=5)


def test_hours_that_were_seen_once_each_are_not_expected() -> None:
    on = np.zeros((1, 28 * 24))
    on[0, [9 * 24 + 9, 16 * 24 + 14]] = 1
    history = np.random.default_rng(6).normal(100, 1, size=(1, 28 * 24)) + 80 * on
    assert (OccasionEffects.of(history, on, 24).added.mean == 0).all()


@pytest.mark.parametrize("known", [0, 20])
def test_a_series_without_a_past_takes_nothing_from_its_neighbours(known: int) -> None:
    off = DaysOff(6, 13, 17, 21)
    history = work(21, off).values
    young = np.where(np.arange(history.shape[1]) < history.shape[1] - known, np.nan, 5.0)
    on = off.features(HOUR * np.arange(history.shape[1]))
    alone, beside = (OccasionEffects.of(rows, on, 24).added for rows in (history, np.vstack([history, young])))
    for one, other in zip(alone, beside, strict=True):
        np.testing.assert_array_equal(other, np.concatenate([one, np.zeros_like(one)]))


def test_an_event_by_the_wall_clock_is_expected_at_its_hour_after_the_clocks_changed() -> None:
    first = dt.datetime(2026, 3, 2, tzinfo=dt.UTC).timestamp()
    berlin = Calendar("Europe/Berlin")
    start = dt.datetime(2026, 3, 3, 9)  # noqa: DTZ001 -- by the wall clock of its zone
    event = Event(name="batch", start=start, lasts=7_200.0, rule="FREQ=DAILY;INTERVAL=4", timezone="Europe/Berlin")
    occasions = Occasions(berlin, (), (event,))
    times = first + HOUR * np.arange(24 * 33)  # the clocks change on 29 March
    on = occasions.at(times)["batch"]
    load = 100 + 80.0 * on + np.random.default_rng(7).normal(0, 1, len(times))
    history, ahead = slice(0, 24 * 27), slice(24 * 27, None)
    fitted = HarmonicRegression(timezone="Europe/Berlin", occasions=occasions)
    forecast = fitted.fit(Window.of([load[history]], step=HOUR, start=first)).forecast(24 * 6)
    assert on[ahead].sum() >= 2
    np.testing.assert_allclose(forecast.mean[0, on[ahead]], 180, atol=8)


@pytest.mark.parametrize("hours", [8, 12])
def test_a_day_of_few_steps_has_a_rhythm_too(hours: int) -> None:
    """The step a week before is the same time of another day, not a night beside a day."""
    step, off = hours * HOUR, DaysOff(*range(20, 210, 30))
    times = step * np.arange(24 // hours * 201)
    noise = np.random.default_rng(9).normal(0, 1, len(times))
    load = 100 + 15 * np.cos(2 * np.pi * times / DAY) - 40 * off.features(times)[0] + noise
    history = 24 // hours * 200
    whole = Window.of([load], step=step)
    forecast = HarmonicRegression(occasions=off).fit(whole.until(history)).forecast(24 // hours)
    assert off.features(whole.times)[0, history:].all()
    np.testing.assert_allclose(forecast.mean[0], load[history:], atol=8)


def test_a_batch_of_two_month_ends_is_expected_of_the_third() -> None:
    """Two hours of a day, with weekends, a holiday among them (3 October), and the clocks changed between."""
    first = dt.datetime(2026, 9, 19, tzinfo=dt.UTC).timestamp()
    occasions = Occasions(Calendar("Europe/Berlin"), [PublicHolidays("DE", "BY")])
    times = first + HOUR * np.arange(24 * 73)
    local = Calendar("Europe/Berlin").local(times)
    hour, rests = local % DAY // HOUR, (local // DAY + 3) % 7 >= 5
    batch = occasions.at(times)["last_of_month"] & (hour >= 20) & (hour < 22)
    load = 100 + 10 * np.sin(2 * np.pi * local / DAY) - 80 * rests + 80 * batch
    load += np.random.default_rng(8).normal(0, 0.5, len(times))
    history = 24 * 72
    fitted = HarmonicRegression(timezone="Europe/Berlin", occasions=occasions)
    forecast = fitted.fit(Window.of([load[:history]], step=HOUR, start=first)).forecast(24)
    assert batch[history:].sum() == 2
    np.testing.assert_allclose(forecast.mean[0], load[history:], atol=6)


def test_a_cold_month_is_not_the_doing_of_its_holidays() -> None:
    """Without an effect of their own, in weeks of which the load is up to 30 higher than in others."""
    off = DaysOff(55, 66)
    days = np.arange(120 * 24) // 24
    noise = np.random.default_rng(5).normal(size=(20, len(days)))
    history = 100 + 30 * np.exp(-(((days - 60) / 20) ** 2)) + noise
    effects = OccasionEffects.of(history, off.features(DAY * np.arange(len(days)) / 24), 24)
    assert np.abs(effects.added.mean).mean() < 4


def test_a_weekend_is_left_to_the_rhythm_of_the_week() -> None:
    history = work(21, DaysOff())
    weekend = DaysOff(*(day for day in range(28) if day % 7 >= 5))
    known, unknown = (HarmonicRegression(occasions=one).fit(history).forecast(24) for one in (weekend, None))
    np.testing.assert_array_equal(known.mean, unknown.mean)


def test_load_stays_above_zero_on_a_holiday() -> None:
    off = DaysOff(6, 13, 17, 21)
    history = work(21, off)
    history.values[:] = np.maximum(history.values - 60, 0)
    assert (HarmonicRegression(occasions=off).fit(history).forecast(24).lower >= 0).all()


def test_the_choice_and_its_error_are_told() -> None:
    times = np.arange(24 * 21)
    daily = 10 + 5 * np.sin(2 * np.pi * times / 24)
    rows = np.stack([daily, np.cumsum(np.random.default_rng(1).normal(size=len(times)))])
    rows[0] += np.random.default_rng(2).normal(0, 1, len(times))
    rows = np.vstack([rows, np.full(len(times), np.nan)])
    choice = HarmonicRegression().fit(Window.of(rows, step=HOUR)).choice_
    assert choice.name[0] in {"day", "mean_day", "regression", "typical_day", "day_and_week"}
    assert choice.name[1] in {"flat", "flat_trend", "median", "drift"}
    assert choice.name[2] == ""
    assert choice.error[0] < 0.9 * choice.naive_error[0]
    np.testing.assert_allclose(choice.naive_error[0], 1, atol=0.2)
    assert np.isnan([choice.error[2], choice.naive_error[2]]).all()
