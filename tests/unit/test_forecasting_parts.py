"""Seasons, origins, wall clock, blend and backtest, each on a case that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting import HarmonicRegression, SeasonalNaive
from forecasting.backtest import backtest
from forecasting.contest import Contest
from forecasting.new_level import NewLevel
from forecasting.origins import backtest_origins, came, sampled_leads, trials
from forecasting.rows import alike_rows
from forecasting.seasons import Seasons
from forecasting.shapes import Earlier
from forecasting.wall_clock import WallClock
from series import Calendar, Window

DAY, HOUR = 86_400, 3_600.0


def test_a_season_must_be_seen_twice() -> None:
    assert Seasons.of(300.0, 2_016).periods == (288, 12)
    assert Seasons.of(300.0, 4_032).periods == (288, 2_016, 12)
    assert Seasons.of(HOUR, 47).periods == ()
    assert Seasons.of(DAY, 28).periods == (7,)


def test_waves_of_the_week_wait_for_two_weeks() -> None:
    seasons = Seasons.of(HOUR, 28 * 24)
    assert seasons.n_waves(47) == 0
    assert seasons.n_waves(48) == seasons.n_daily == 10
    assert seasons.n_waves(14 * 24) == len(seasons.waves) == 10 + 24


def test_a_year_is_looked_for_where_the_history_holds_two() -> None:
    assert Seasons.of(HOUR, 2 * 365 * 24).year == 0
    assert Seasons.of(HOUR, 731 * 24).year == 364 * 24
    days, weeks = Seasons.of(DAY, 800), Seasons.of(7 * DAY, 110)
    assert (days.year, weeks.year) == (364, 52)
    assert days.n_waves(730) == 3
    assert days.n_waves(731) == len(days.waves) == 5
    assert weeks.n_waves(110) == 2


def test_the_curve_of_a_year_earlier_goes_on_beyond_a_year() -> None:
    past = np.arange(10.0)[np.newaxis]
    np.testing.assert_array_equal(Earlier(past, 4).at(np.arange(7, 16)), [[3, 4, 5, 6, 7, 8, 9, 6, 7]])
    assert Earlier(past, 4).mean(np.array([8, 9]), np.array([0.5, 0.5]))[0] == 4.5


@pytest.mark.parametrize("step", [DAY, 7 * DAY])
def test_what_happens_every_year_is_foreseen(step: float) -> None:
    times = np.arange(0.0, 3.5 * 365.2425 * DAY, step)
    year = np.sin(2 * np.pi * times / (365.2425 * DAY)) + 0.05 * np.random.default_rng(2).normal(size=(4, len(times)))
    ahead = int(120 * DAY / step)
    forecast = HarmonicRegression().fit(Window.of(year[:, :-ahead], step=step)).forecast(ahead)
    assert np.abs(forecast.mean - year[:, -ahead:]).mean() < 0.08
    assert np.abs(year[:, -ahead - 1, np.newaxis] - year[:, -ahead:]).mean() > 0.2  # repeating the last value


def test_origins_are_at_the_hour_of_the_forecast_and_not_too_many() -> None:
    seasons = Seasons.of(HOUR, 60 * 24 + 5)
    origins = backtest_origins(seasons, 60 * 24 + 5)
    assert len(origins) <= 28
    assert {(60 * 24 + 5 - origin) % 24 for origin in origins} == {0}
    assert origins == sorted(origins)


def test_leads_are_sampled_from_the_first_to_the_last() -> None:
    leads = sampled_leads(1_000)
    np.testing.assert_array_equal(leads[:5], [1, 2, 3, 4, 5])
    assert leads[-1] == 1_000
    assert len(leads) < 80
    np.testing.assert_array_equal(sampled_leads(1), [1])


def test_trials_and_what_came_end_with_the_history() -> None:
    values = np.arange(10.0)[np.newaxis]
    leads = np.array([1, 2, 3])
    told = trials(lambda origin, ahead: np.full((1, len(ahead)), float(origin)), 10, [4, 8], leads)
    np.testing.assert_array_equal(told, [[[4, 4, 4]], [[8, 8, np.nan]]])
    np.testing.assert_array_equal(came(values, [4, 8], leads), [[[4, 5, 6]], [[8, 9, np.nan]]])


def test_rows_that_began_together_are_computed_together() -> None:
    values = np.ones((4, 100))
    values[1, :-40] = np.nan
    values[2, :-11] = np.nan
    values[3] = np.nan
    parts = [(rows.tolist(), length) for rows, length in alike_rows(values)]
    assert parts == [([1], 38), ([0], 100)]


def test_the_better_candidate_counts_more_and_alone_if_perfect() -> None:
    actual = np.zeros((6, 1, 4))
    told = np.stack([np.full((6, 1, 4), error) for error in (0.0, 1.0, 5.0)], axis=1)
    blend = Contest.of(told, actual, np.arange(1, 5)).blend(told[-1], actual[-1])
    assert (np.diff(blend.weights[0], axis=1) < 0).all()
    np.testing.assert_array_equal(blend(told[0], np.arange(1, 5)), np.zeros((1, 4)))


def test_a_candidate_without_forecasts_has_no_weight() -> None:
    told = np.random.default_rng(0).normal(size=(6, 3, 2, 4))
    told[:, 1] = np.nan
    blend = Contest.of(told, np.zeros((6, 2, 4)), np.arange(1, 5)).blend(told[-1], np.zeros((2, 4)))
    np.testing.assert_array_equal(blend.weights[:, :, 1], 0.0)


def test_newer_origins_count_more() -> None:
    actual, told = np.zeros((6, 1, 4)), np.ones((6, 2, 1, 4))
    told[:3, 0], told[3:, 1] = 0.1, 0.1  # the first was good long ago, the second is good now
    contest = Contest.of(told, actual, np.arange(1, 5))
    weights = contest.blend(np.ones((2, 1, 3)), np.zeros((1, 3))).weights
    assert (weights[0, :, 1] > weights[0, :, 0]).all()


def test_who_follows_the_last_samples_counts_more_for_all_leads() -> None:
    told = np.ones((6, 2, 1, 4))
    contest = Contest.of(told, np.zeros((6, 1, 4)), np.arange(1, 5))
    weights = contest.blend(np.array([[[3.0]], [[1.0]]]), np.zeros((1, 1))).weights
    assert (weights[0, :, 1] > 1.3 * weights[0, :, 0]).all()


def test_a_blend_is_tried_where_it_was_not_weighed() -> None:
    told = np.zeros((3, 2, 1, 4))
    told[:, 1] = 1.0
    told[2] = [[[7.0] * 4], [[0.0] * 4]]  # only from the last origin the second candidate is right
    contest = Contest.of(told, np.zeros((3, 1, 4)), np.arange(1, 5))
    np.testing.assert_array_equal(contest.told_by_blends()[2], np.full((1, 4), 7.0))


def test_a_level_never_seen_before_is_followed_and_the_old_one_stays_inside() -> None:
    rows = np.zeros((2, 24 * 14))
    rows[0, -4:] = 50.0
    forecast = HarmonicRegression().fit(Window.of(rows, step=HOUR)).forecast(12)
    np.testing.assert_allclose(forecast.mean[0], 50.0)
    assert (forecast.lower[0] <= 0).all()
    np.testing.assert_array_equal(forecast.mean[1], 0.0)


def test_an_interval_that_promises_less_leaves_the_old_level_out() -> None:
    rows = np.zeros((1, 24 * 14))
    rows[0, -5:] = 50.0 + np.arange(5)
    forecaster = HarmonicRegression().fit(Window.of(rows, step=HOUR))
    lower = [forecaster.forecast(6, coverage=coverage).lower[0] for coverage in (0.5, 0.8, 0.95)]
    assert (lower[0] > 40).all()
    assert (lower[1] < lower[0]).all()
    assert (lower[2] <= 0).all()


def test_one_odd_sample_is_no_new_level() -> None:
    earlier, told = np.tile([0.0, 1.0], (2, 20)), np.zeros((2, 3))
    recent = np.array([[5.0, 5.0, 6.0], [1.0, 5.0, 6.0]])
    new = NewLevel.of(recent, earlier, told, back=6)
    np.testing.assert_array_equal(new.found, [True, False])
    np.testing.assert_array_equal(new.offset, [5.0, 0.0])


def test_a_job_every_seven_hours_is_foreseen() -> None:
    steps = np.arange(12 * 24 * 14)
    true = np.where(steps % 84 < 6, 8.0, 0.0)
    rows = true + np.random.default_rng(2).normal(0, 0.3, (4, len(steps)))
    history = Window.of(rows[:, :-288], step=300.0)
    told = [kind().fit(history).forecast(288).mean for kind in (HarmonicRegression, SeasonalNaive)]
    error, naive = (np.abs(mean - true[-288:]).mean() for mean in told)
    assert error < 0.5 * naive


def test_growth_that_swells_with_the_day_is_followed() -> None:
    steps = np.arange(24 * 21)
    rows = (100 + steps) * (1 + 0.3 * np.sin(2 * np.pi * steps / 24)) + np.random.default_rng(3).normal(
        0, 1, len(steps)
    )
    forecast = HarmonicRegression().fit(Window.of([rows[:-24]], step=HOUR)).forecast(24)
    naive = np.abs(rows[-48:-24] - rows[-24:]).mean()
    assert np.abs(forecast.mean[0] - rows[-24:]).mean() < 0.4 * naive


def test_a_steady_growth_goes_on() -> None:
    steps = np.arange(24 * 21)
    rows = 0.5 * steps + np.random.default_rng(3).normal(0, 1, len(steps))
    forecast = HarmonicRegression().fit(Window.of([rows[:-48]], step=HOUR)).forecast(48)
    assert np.abs(forecast.mean[0] - 0.5 * steps[-48:]).mean() < 2


def test_the_hour_that_is_skipped_stays_empty_and_the_one_that_comes_twice_keeps_its_second_value() -> None:
    spring = 1_774_742_400.0  # 2026-03-29 00:00 UTC: Berlin skips 02:00 to 03:00
    history = Window.of([np.arange(4.0)], step=HOUR, start=spring)
    np.testing.assert_array_equal(
        WallClock.of(Calendar("Europe/Berlin"), history).local(history.values), [[0, np.nan, 1, 2, 3]]
    )
    autumn = 1_792_886_400.0  # 2026-10-25 00:00 UTC: 02:00 to 03:00 comes twice
    clock = WallClock.of(Calendar("Europe/Berlin"), Window.of([[0.0, 1.0, 2.0]], step=HOUR, start=autumn))
    np.testing.assert_array_equal(clock.local(np.array([[0.0, 1.0, 2.0]])), [[1, 2]])
    np.testing.assert_array_equal(clock.leads(autumn + HOUR * np.arange(3, 5)), [1, 2])


def test_the_naive_forecast_repeats_the_last_day() -> None:
    rows = np.random.default_rng(0).normal(size=(2, 24 * 5))
    forecast = SeasonalNaive().fit(Window.of(rows, step=HOUR)).forecast(30)
    np.testing.assert_array_equal(forecast.mean, np.concatenate([rows[:, -24:], rows[:, -24:-18]], axis=1))


def test_a_backtest_compares_with_what_came_and_scales_by_the_naive_error() -> None:
    rows = np.tile(np.arange(24.0), 6)[np.newaxis] + np.repeat(np.arange(6.0), 24)
    result = backtest(SeasonalNaive, Window.of(rows, step=HOUR), origins=[72, 96], steps=24)
    np.testing.assert_array_equal(result.actual[0], rows[:, 72:96])
    np.testing.assert_array_equal(result.mean[1], rows[:, 72:96])
    np.testing.assert_allclose(result.scale, 1.0)
    np.testing.assert_allclose(result.mase, 1.0)
    np.testing.assert_array_equal(result.coverage, 1.0)


def test_a_backtest_never_looks_ahead() -> None:
    rows = np.random.default_rng(1).normal(size=(2, 24 * 6))
    before = backtest(HarmonicRegression, Window.of(rows, step=HOUR), origins=[100], steps=10)
    rows[:, 100:] += 50
    after = backtest(HarmonicRegression, Window.of(rows, step=HOUR), origins=[100], steps=10)
    np.testing.assert_array_equal(before.mean, after.mean)
    np.testing.assert_allclose(after.actual, before.actual + 50)


@pytest.mark.parametrize("origins", [[], [1], [140]])
def test_a_backtest_from_nowhere_is_refused(origins: list[int]) -> None:
    with pytest.raises(ValueError, match="origins must lie from 2 to 134"):
        backtest(SeasonalNaive, Window.of(np.zeros((1, 144)), step=HOUR), origins=origins, steps=10)
