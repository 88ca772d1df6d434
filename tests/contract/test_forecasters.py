"""Every promise of `forecasting.base.Forecaster`, on every entry of FORECASTERS."""

from __future__ import annotations

import inspect
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import pytest
from _pytest.mark.structures import ParameterSet

from forecasting import FORECASTERS, Forecast, Forecaster
from forecasting.external import EXTRA_FORECASTERS
from series import Window

# These say what comes on the whole, not at which time of day.
WITHOUT_SEASON = {"croston", "drift"}
# These take the time of a library for each series.
COSTLY = {"arima", "unobserved_components", "boosting", *EXTRA_FORECASTERS}
# Libraries that may be missing.
INSTALLED = FORECASTERS | {
    name: kind
    for name, kind in EXTRA_FORECASTERS.items()
    if find_spec(kind.package) and name != "chronos"  # it needs weights: tests/unit/test_forecasting_external.py
}
HOUR = 3_600.0
MONDAY = 1_767_571_200.0
# These learn from all rows together.
CROSS_SERIES = {name for name, kind in INSTALLED.items() if getattr(kind, "cross_series", False)}


def named(names: set[str]) -> list[ParameterSet]:
    return [pytest.param(name, marks=[pytest.mark.slow] * (name in COSTLY)) for name in sorted(names)]


@pytest.fixture(params=named(set(INSTALLED)))
def forecaster(request: pytest.FixtureRequest) -> Forecaster:
    return INSTALLED[request.param]()


def hourly(rows: np.ndarray, start: float = MONDAY) -> Window:
    return Window.of(rows, step=HOUR, start=start)


def daily_rows(seed: int = 7, n_series: int = 5, days: int = 14) -> np.ndarray:
    random = np.random.default_rng(seed)
    hours = np.arange(24 * days)
    size = random.uniform(1, 100, (n_series, 1))
    return size * (3 + np.sin(2 * np.pi * hours / 24) + random.normal(0, 0.2, (n_series, len(hours))))


def bounds(forecast: Forecast) -> np.ndarray:
    return np.stack([forecast.lower, forecast.mean, forecast.upper])


def test_arguments_are_keyword_only_and_stored_unchanged() -> None:
    for name, kind in INSTALLED.items():
        for argument in inspect.signature(kind).parameters.values():
            assert argument.kind is inspect.Parameter.KEYWORD_ONLY, name
        assert kind(timezone="Europe/Berlin").timezone == "Europe/Berlin"  # type: ignore[call-arg]


def test_a_bad_argument_is_refused_in_the_constructor() -> None:
    for kind in INSTALLED.values():
        with pytest.raises(ValueError, match="IANA"):
            kind(timezone="Middle-earth/Shire")  # type: ignore[call-arg]


def test_fit_returns_itself_and_shapes_and_times_follow_the_history(forecaster: Forecaster) -> None:
    history = hourly(daily_rows())
    assert forecaster.fit(history) is forecaster
    forecast = forecaster.forecast(30, coverage=0.9)
    assert forecast.coverage == 0.9
    assert bounds(forecast).shape == (3, 5, 30)
    np.testing.assert_array_equal(forecast.times, history.times[-1] + HOUR * np.arange(1, 31))


def test_bounds_are_ordered_and_finite(forecaster: Forecaster) -> None:
    lower, mean, upper = bounds(forecaster.fit(hourly(daily_rows())).forecast(60))
    assert np.isfinite([lower, mean, upper]).all()
    assert (lower <= mean).all()
    assert (mean <= upper).all()
    assert (lower < upper).all()


def test_more_coverage_never_narrows(forecaster: Forecaster) -> None:
    forecaster.fit(hourly(daily_rows()))
    told = [bounds(forecaster.forecast(30, coverage=coverage)) for coverage in (0.01, 0.5, 0.8, 0.95, 0.99, 0.999)]
    for narrow, wide in pairwise(told):
        np.testing.assert_array_equal(narrow[1], wide[1])
        assert (wide[0] <= narrow[0]).all()
        assert (wide[2] >= narrow[2]).all()


def test_a_longer_lead_never_narrows(forecaster: Forecaster) -> None:
    rows = daily_rows() - 1_000  # negative, so that no bound is cut at 0
    forecast = forecaster.fit(hourly(rows)).forecast(400)
    assert (np.diff(forecast.mean - forecast.lower, axis=1) >= -1e-9 * np.abs(rows).max()).all()
    assert (np.diff(forecast.upper - forecast.mean, axis=1) >= -1e-9 * np.abs(rows).max()).all()


def test_the_same_history_gives_the_same_forecast_to_the_last_bit(forecaster: Forecaster) -> None:
    history = hourly(daily_rows())
    once = bounds(forecaster.fit(history).forecast(30))
    np.testing.assert_array_equal(once, bounds(type(forecaster)().fit(history).forecast(30)))
    np.testing.assert_array_equal(once, bounds(forecaster.fit(history).forecast(30)))


@pytest.mark.parametrize("name", named(set(INSTALLED) - CROSS_SERIES))
def test_no_row_sees_another(name: str) -> None:
    forecaster = INSTALLED[name]()
    rows = daily_rows(n_series=70)
    together = bounds(forecaster.fit(hourly(rows)).forecast(30))
    for row in (0, 63, 64, 69):
        alone = bounds(forecaster.fit(hourly(rows[row : row + 1])).forecast(30))
        np.testing.assert_allclose(alone[:, 0], together[:, row], rtol=1e-9)


def test_fewer_steps_are_the_beginning_of_more(forecaster: Forecaster) -> None:
    forecaster.fit(hourly(daily_rows()))
    np.testing.assert_allclose(bounds(forecaster.forecast(7)), bounds(forecaster.forecast(50))[:, :, :7], rtol=1e-12)


def test_the_history_is_not_written_to_nor_read_later(forecaster: Forecaster) -> None:
    rows = daily_rows()
    rows[1, 30:40] = np.nan
    kept = rows.copy()
    forecaster.fit(hourly(rows))
    np.testing.assert_array_equal(rows, kept)
    before = bounds(forecaster.forecast(30))
    rows[:] = 0.0
    np.testing.assert_array_equal(bounds(forecaster.forecast(30)), before)


def test_the_unit_of_a_series_does_not_matter(forecaster: Forecaster) -> None:
    rows = daily_rows()
    told = bounds(forecaster.fit(hourly(rows)).forecast(30))
    for unit in (1e-250, 1e9, 1e250):
        other = bounds(forecaster.fit(hourly(rows * unit)).forecast(30))
        np.testing.assert_allclose(other / unit, told, rtol=1e-6)


def test_a_history_that_is_never_negative_is_never_forecast_negative(forecaster: Forecaster) -> None:
    bursts = np.random.default_rng(3).poisson(0.3, (4, 24 * 14)).astype(float)
    assert (bounds(forecaster.fit(hourly(bursts)).forecast(48)) >= 0).all()


@pytest.mark.parametrize("value", [0.0, 7.3, -1e12])
def test_a_constant_series_goes_on(forecaster: Forecaster, value: float) -> None:
    told = bounds(forecaster.fit(hourly(np.full((1, 24 * 14), value))).forecast(30))
    np.testing.assert_allclose(told, value, rtol=1e-12)


def test_too_little_history_gives_nan_and_does_not_disturb_the_others(forecaster: Forecaster) -> None:
    rows = daily_rows()
    expected = bounds(forecaster.fit(hourly(rows[2:])).forecast(30))
    rows[0] = np.nan
    rows[1, :-11] = np.nan
    told = bounds(forecaster.fit(hourly(rows)).forecast(30))
    assert np.isnan(told[:, :2]).all()
    np.testing.assert_allclose(told[:, 2:], expected, rtol=1e-9)


@pytest.mark.parametrize("n_steps", [2, 3, 11, 12, 13, 25, 49, 73])
def test_any_length_of_history_is_answered(forecaster: Forecaster, n_steps: int) -> None:
    told = bounds(forecaster.fit(hourly(daily_rows()[:, :n_steps])).forecast(5))
    assert np.isnan(told).all() == (n_steps < 12)


@pytest.mark.parametrize("step", [0.5, 1.0, 7.0, 60.0, 300.0, 5_400.0, 86_400.0, 604_800.0])
def test_any_step_is_answered(forecaster: Forecaster, step: float) -> None:
    history = Window.of(daily_rows(), step=step, start=MONDAY)
    assert np.isfinite(bounds(forecaster.fit(history).forecast(20))).all()


def test_gaps_and_infinities_are_no_samples(forecaster: Forecaster) -> None:
    rows = daily_rows()
    rows[0, ::3] = np.nan
    rows[1, 50:110] = np.nan
    rows[2, 60] = np.inf
    rows[3, 60] = -np.inf
    rows[4, 60] = 1.7e308
    lower, mean, upper = bounds(forecaster.fit(hourly(rows)).forecast(30))
    assert np.isfinite([lower, mean, upper]).all()
    assert (np.abs(mean) < 1e4).all()


def test_the_future_does_not_matter(forecaster: Forecaster) -> None:
    rows = daily_rows()
    told = bounds(forecaster.fit(hourly(rows).until(200)).forecast(30))
    rows[:, 200:] = 1e6
    np.testing.assert_array_equal(bounds(forecaster.fit(hourly(rows).until(200)).forecast(30)), told)


def test_no_series_gives_an_empty_forecast(forecaster: Forecaster) -> None:
    assert bounds(forecaster.fit(hourly(np.empty((0, 100)))).forecast(4)).shape == (3, 0, 4)


@pytest.mark.parametrize(("steps", "coverage"), [(0, 0.9), (-1, 0.9), (5, 0.0), (5, 1.0), (5, float("nan"))])
def test_a_forecast_that_cannot_be_is_refused(forecaster: Forecaster, steps: int, coverage: float) -> None:
    forecaster.fit(hourly(daily_rows()))
    with pytest.raises(ValueError, match="must be"):
        forecaster.forecast(steps, coverage=coverage)


@pytest.mark.parametrize("name", named(set(INSTALLED) - WITHOUT_SEASON))
def test_a_daily_rhythm_is_found(name: str) -> None:
    hours = np.arange(24 * 15)
    shape = 10 + 5 * np.sin(2 * np.pi * hours / 24)
    noisy = shape + np.random.default_rng(5).normal(0, 0.1, len(hours))
    forecast = INSTALLED[name]().fit(hourly(noisy[np.newaxis, :-24])).forecast(24)
    assert np.abs(forecast.mean[0] - shape[-24:]).mean() < 0.3


@pytest.mark.parametrize("name", named({"harmonic", "seasonal_naive", "seasonal_median", "holt_winters", "theta"}))
def test_a_nightly_job_stays_at_its_hour_when_the_clocks_change(name: str) -> None:
    start = 1_773_705_600.0  # 2026-03-17 00:00 UTC; Berlin's clocks go forward on the 29th
    times = start + HOUR * np.arange(24 * 12)
    runs = (((times + HOUR) % 86_400) == 2 * HOUR).astype(float)  # 02:00 at UTC+1
    history = Window(hourly(runs[np.newaxis]).keys, times, runs[np.newaxis])
    forecast = FORECASTERS[name](timezone="Europe/Berlin").fit(history).forecast(72)  # type: ignore[call-arg]
    busy = forecast.times[forecast.mean[0] > 0.5]
    on_the_wall = (busy + np.where(busy >= 1_774_746_000, 2, 1) * HOUR) % 86_400
    assert len(busy) >= 2
    assert set(on_the_wall[busy >= 1_774_832_400]) == {2 * HOUR}


def test_arguments_that_cannot_be_are_refused() -> None:
    bad: list[tuple[str, dict[str, object]]] = [
        ("croston", {"variant": "crostini"}),
        ("croston", {"alpha": 0.0}),
        ("arima", {"order": (2, 0, 9)}),
        ("arima", {"harmonics": -1}),
    ]
    for name, arguments in bad:
        with pytest.raises(ValueError, match=f"{next(iter(arguments))} must be"):
            FORECASTERS[name](**arguments)
