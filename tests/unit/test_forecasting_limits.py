"""Dates of limits, sums of months and advice on capacity, worked out by hand or by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting import HarmonicRegression
from forecasting.base import Forecast
from forecasting.limits import crossing
from forecasting.quantiles import QuantileForecast
from forecasting.scaling import MONTH, ScalingRule, recommend
from forecasting.totals import month_of, total
from series import FloatArray, Window

HOUR = 3_600.0
LEVELS = np.array([0.025, 0.25, 0.5, 0.75, 0.975])


def rising(slopes: list[float], steps: int = 100) -> QuantileForecast:
    """Quantiles that lie 2 and 1 below, at, and 1 and 2 above a line; a step is a second from 0."""
    line = np.array(slopes)[:, np.newaxis] * np.arange(1, steps + 1)
    values = np.stack([line + offset for offset in (-2.0, -1.0, 0.0, 1.0, 2.0)])
    return QuantileForecast(np.arange(1.0, steps + 1), LEVELS, values)


def test_probabilities_lie_between_the_quantiles() -> None:
    forecast = rising([0.0])
    limits = np.array([-3.0, -1.5, 0.0, 0.5, 2.0, 3.0])
    told = [forecast.exceeds(np.array([limit]))[0, 0] for limit in limits]
    np.testing.assert_allclose(told, [1.0, 0.8625, 0.5, 0.375, 0.025, 0.0])


def test_a_limit_has_a_date_between_two_others() -> None:
    found = crossing(rising([0.5]), np.array([20.0]), [30.0, 40.0, 50.0], now=0.0)
    np.testing.assert_array_equal([found.lower[0], found.time[0], found.upper[0]], [36, 40, 44])
    np.testing.assert_allclose(found.probability[:, 0], [0.0, 0.5, 1.0])


def test_a_limit_that_is_not_reached_has_no_date() -> None:
    found = crossing(rising([0.0, 0.5]), np.array([10.0, 49.0]), [100.0], now=0.0)
    assert np.isnan([found.time[0], found.lower[0], found.upper[0], found.upper[1]]).all()
    assert found.probability[0, 0] == 0
    assert found.time[1] == 98


def test_free_space_is_used_up_from_above() -> None:
    found = crossing(rising([-0.5]), np.array([-20.0]), [100.0], now=0.0, falling=True)
    assert found.time[0] == 40


def test_free_space_that_cannot_be_negative_is_used_up_at_zero() -> None:
    falling = rising([-0.5])
    floored = QuantileForecast(falling.times, LEVELS, np.maximum(falling.values + 20.0, 0.0))
    found = crossing(floored, np.array([0.0]), [100.0], now=0.0, falling=True)
    np.testing.assert_array_equal([found.lower[0], found.time[0], found.upper[0]], [36, 40, 44])


def test_a_limit_may_change_with_time_or_be_unknown() -> None:
    limit = np.vstack([np.where(np.arange(100) < 50, 100.0, 3.0), np.full(100, np.nan)])
    found = crossing(rising([0.1, 0.1]), limit, [100.0], now=0.0)
    assert found.time[0] == 51
    assert np.isnan([found.time[1], found.probability[0, 1]]).all()


@pytest.mark.parametrize("horizon", [0.0, -5.0, 101.0])
def test_a_horizon_beyond_the_forecast_is_refused(horizon: float) -> None:
    with pytest.raises(ValueError, match="horizons must be above 0 and within the forecast, 100 seconds"):
        crossing(rising([0.5]), np.array([20.0]), [horizon], now=0.0)


def test_dates_of_growing_disks_hold_what_they_promise() -> None:
    random = np.random.default_rng(0)
    steps = np.arange(24 * 28)
    rows = 0.05 * steps + np.cumsum(random.normal(0, 0.05, (200, len(steps))), axis=1)
    known, limit = 24 * 24, np.full(200, 0.05 * (24 * 26))
    forecaster = HarmonicRegression().fit(Window.of(rows[:, :known], step=HOUR))
    found = crossing(QuantileForecast.of(forecaster, 96), limit, [96 * HOUR], now=(known - 1) * HOUR, coverage=0.9)
    reached = rows[:, known:] >= limit[:, np.newaxis]
    came = np.where(reached.any(axis=1), (known + reached.argmax(axis=1)) * HOUR, np.inf)
    upper = np.where(np.isnan(found.upper), np.inf, found.upper)
    lower = np.where(np.isnan(found.lower), np.inf, found.lower)
    assert 0.75 < ((lower <= came) & (came <= upper)).mean() <= 1
    assert 0.3 < (came <= np.where(np.isnan(found.time), np.inf, found.time)).mean() < 0.75


def test_quantiles_of_a_forecaster_never_cross() -> None:
    rows = np.random.default_rng(1).normal(size=(3, 24 * 14))
    told = QuantileForecast.of(HarmonicRegression().fit(Window.of(rows, step=HOUR)), 24)
    assert (np.diff(told.levels) > 0).all()
    assert (np.diff(told.values, axis=0) >= 0).all()


def constant(mean: float, reach: float, steps: int) -> Forecast:
    level = np.full((1, steps), mean)
    return Forecast(HOUR * np.arange(steps), level, level - reach, level + reach, 0.95)


def test_a_month_is_what_came_and_what_comes() -> None:
    told = total(np.array([100.0]), constant(2.0, 1.0, 50), 40 * HOUR, per_step=HOUR, memory=1e9)
    np.testing.assert_allclose(told.mean, 100 + 40 * 2 * HOUR)
    np.testing.assert_allclose(told.upper - told.mean, 40 * HOUR, rtol=1e-6)  # errors that never change sides add up


def test_independent_errors_cancel() -> None:
    told = total(np.zeros(1), constant(2.0, 1.0, 100), 100 * HOUR, memory=1e-3)
    np.testing.assert_allclose(told.mean - told.lower, 10.0)


def test_a_forecast_that_is_too_short_for_the_month_is_refused() -> None:
    with pytest.raises(ValueError, match="the forecast must reach 360000"):
        total(np.zeros(1), constant(2.0, 1.0, 50), 100 * HOUR)


def test_months_begin_at_local_midnight() -> None:
    assert month_of(1_774_915_200.0, "Europe/Berlin") == (1_772_319_600.0, 1_774_994_400.0)  # March 2026, 743 hours
    assert month_of(1_798_700_000.0) == (1_796_083_200.0, 1_798_761_600.0)  # December


RULE = ScalingRule(utilisation=0.8, unit=2.0, sure=0.975, headroom=1.2, lead_time=10.0, cost=0.5)


def advise(slope: float, capacity: float, past_peak: float = 0.0) -> list[object]:
    told = recommend(rising([slope]), np.array([capacity]), np.array([past_peak]), RULE, now=0.0)
    return [value for one in told for value in vars(one).values()]


def test_capacity_is_asked_for_before_it_is_short() -> None:
    # The upper quantile ends at 52: 65 are needed, 66 in units of 2. The limit, 80 % of 40, is first touched at 60.
    *told, monthly, peak, short_from = advise(0.5, 40.0)
    assert told == [0, "add", 26.0, 66.0, 50.0, 1.0, 26 / 2 * 0.5 * 100]
    assert (monthly, peak, short_from) == (26 / 2 * 0.5 * MONTH, 52.0, 60.0)


def test_late_advice_is_for_now() -> None:
    assert advise(0.5, 4.0)[4] == 0.0


def test_capacity_is_given_back_with_headroom() -> None:
    # 2 at the peak, times 1.2 over 0.8: 3, so 4.
    *told, monthly, peak, short_from = advise(0.0, 40.0)
    assert told == [0, "give_back", 36.0, 4.0, 0.0, 1.0, -36 / 2 * 0.5 * 100]
    assert (monthly, peak) == (-36 / 2 * 0.5 * MONTH, 2.0)
    assert np.isnan(short_from)


def test_nothing_is_given_back_that_was_needed_before() -> None:
    assert advise(0.0, 40.0, past_peak=26.0) == []
    assert advise(0.0, float("nan")) == []


@pytest.mark.parametrize(
    "bad", [{"utilisation": 0.0}, {"unit": 0.0}, {"sure": 0.5}, {"headroom": 0.9}, {"lead_time": -1.0}]
)
def test_a_rule_that_cannot_be_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"ScalingRule.{next(iter(bad))} must be"):
        ScalingRule(**bad)  # type: ignore[arg-type]


def test_a_series_without_a_forecast_gets_no_advice() -> None:
    nothing: FloatArray = np.full((5, 1, 10), np.nan)
    forecast = QuantileForecast(np.arange(1.0, 11), LEVELS, nothing)
    assert recommend(forecast, np.array([1.0]), np.array([5.0]), RULE, now=0.0) == []
