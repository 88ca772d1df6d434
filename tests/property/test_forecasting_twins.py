"""Fast parts of the forecasters against slow, plain twins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.error_shape import _ORDINARY, TAILS, error_shape
from forecasting.gaps import filled
from forecasting.intervals import ErrorQuantiles, _rising
from forecasting.plan import Plan
from forecasting.regression import Regression
from forecasting.shapes import Profile, Waves, mean_profile, median_profile
from forecasting.weighted_median import weighted_median

seeds = st.integers(0, 2**32 - 1)


def naive_fill(row: list[float], period: int) -> list[float]:
    known = [value for value in row if np.isfinite(value)]
    whole: list[float] = []
    for step, value in enumerate(row):
        if np.isfinite(value):
            whole.append(value)
        elif step >= period and any(np.isfinite(row[: step - period + 1][::-1][::period])):
            whole.append(whole[step - period])
        else:
            before = [other for other in row[:step] if np.isfinite(other)]
            inside = step and np.isfinite(row[:step]).any()
            whole.append(whole[step - 1] if inside else (before or known)[0])
    return whole


@given(st.lists(st.one_of(st.floats(-9, 9), st.just(np.nan)), min_size=1, max_size=20), st.integers(1, 21))
def test_gaps_are_filled_from_one_period_before_or_else_from_the_left(row: list[float], period: int) -> None:
    if np.isfinite(row).any():
        np.testing.assert_array_equal(filled(np.array([row]), period)[0], naive_fill(row, period))


@given(seeds, st.integers(1, 9), st.integers(1, 4))
def test_the_weighted_median_halves_the_weight(seed: int, n_values: int, n_bands: int) -> None:
    random = np.random.default_rng(seed)
    values = random.integers(0, 5, (2, 6, n_values)).astype(float)
    weights, band = random.random((2, n_bands, n_values)), random.integers(0, n_bands, 6)
    median = weighted_median(values, weights, band)
    for row, lead in np.ndindex(2, 6):
        weight = weights[row, band[lead]]
        for side in (values[row, lead] < median[row, lead], values[row, lead] > median[row, lead]):
            assert weight[side].sum() <= weight.sum() / 2 * (1 + 1e-6)


@given(seeds, st.integers(2, 9), st.integers(1, 8), st.integers(0, 8))
def test_profiles_are_means_and_medians_of_whole_cycles(seed: int, period: int, cycles: int, beyond: int) -> None:
    past = np.random.default_rng(seed).normal(size=(3, period * cycles + min(beyond, period - 1)))
    parts = past[:, past.shape[1] - period * cycles :].reshape(3, cycles, period)
    parts = parts - parts.mean(axis=2, keepdims=True)
    ahead = past.shape[1] + np.arange(2 * period)
    np.testing.assert_allclose(
        mean_profile(past, period, 3).at(ahead), np.tile(parts[:, -3:].mean(axis=1), (1, 2)), atol=1e-12
    )
    odd = min(cycles, 7) - (min(cycles, 7) + 1) % 2
    np.testing.assert_allclose(
        median_profile(past, period, 7).at(ahead), np.tile(np.median(parts[:, -odd:], axis=1), (1, 2)), atol=1e-12
    )


@given(seeds, st.integers(2, 9))
def test_the_weighted_mean_of_a_profile_is_that_of_its_values(seed: int, period: int) -> None:
    random = np.random.default_rng(seed)
    profile, steps = Profile(random.normal(size=(3, period))), np.arange(4, 40)
    weights = random.random(len(steps))
    np.testing.assert_allclose(profile.mean(steps, weights), profile.at(steps) @ weights, atol=1e-10)


@settings(max_examples=20, deadline=None)
@given(seeds, st.sampled_from([24 * 4, 24 * 11, 24 * 30]))
def test_the_shared_regression_is_ridge_regression_of_each_series(seed: int, n_steps: int) -> None:
    values = np.random.default_rng(seed).normal(size=(2, n_steps))
    plan = Plan.of(3_600.0, n_steps)
    regression = Regression.fit(values, plan)
    for origin in (plan.origins[0], n_steps - plan.check, n_steps):
        fit = regression.fits[origin]
        n_waves = plan.seasons.n_waves(origin)
        steps = np.arange(origin)
        design = np.column_stack([np.ones(origin), steps / n_steps, plan.basis(steps, n_waves)])
        ridge = np.sqrt(np.repeat([0.0, 0.01 * origin], [2, 2 * n_waves]) + 1e-3)
        solution = np.linalg.lstsq(
            np.vstack([design, np.diag(ridge)]),
            np.vstack([values[:, :origin].T, np.zeros((len(ridge), 2))]),
            rcond=None,
        )[0]
        np.testing.assert_allclose(fit.at(steps), (plan.basis(steps, n_waves) @ solution[2:]).T, atol=1e-8)


def test_waves_go_on_beyond_the_history_as_they_were() -> None:
    plan = Plan.of(3_600.0, 24 * 15)
    fit = Waves(np.random.default_rng(1).normal(size=(2, 2 * plan.seasons.n_daily)), plan.basis)
    last_day, next_day = 24 * 14 + np.arange(24), 24 * 15 + np.arange(24)
    np.testing.assert_allclose(fit.at(next_day), fit.at(last_day), atol=1e-9)


@pytest.mark.parametrize("n_origins", [1, 3, 14])
def test_widths_are_quantiles_drawn_to_a_t_the_more_the_fewer_origins(n_origins: int) -> None:
    errors = np.random.default_rng(2).normal(size=(n_origins, 4, 1))
    below, above = ErrorQuantiles.of(np.repeat(errors, 5, axis=2), np.ones(5, dtype=np.intp)).interval(
        np.array([1]), coverage=0.9
    )
    for row in range(4):
        size = np.average(np.abs(errors[:, row, 0]), weights=0.85 ** np.arange(n_origins)[::-1])
        ranked = np.sort(np.repeat(errors[:, row, 0], 5)) / size
        low, high = -quantile(ranked, 0.05), -quantile(-ranked, 0.05)
        few = size * (1 + 0.6 * ((1.6448536269514722**2 + 1) / 4 + 0.5) / n_origins)
        middle = (max(-quantile(ranked, 0.1), 0) + max(-quantile(-ranked, 0.1), 0)) / 2
        for told, side, other in ((below, low, high), (above, high, low)):
            side, other = max(side, 0), max(other, 0)
            side += 4 / (4 + n_origins) * ((side + other) / 2 - side)
            side += min(middle / 1.567, 1) * 6 / (6 + n_origins) * (2.115 - side)
            assert told[row, 0] == pytest.approx(side * few)


def quantile(ranked: np.ndarray, tail: float) -> float:
    """The value that is exceeded downwards with a probability, of values in any order."""
    return float(np.interp(tail * (len(ranked) + 1) - 1, np.arange(len(ranked)), np.sort(ranked)))


def test_ordinary_errors_are_those_of_a_t() -> None:
    t = pytest.importorskip("scipy.stats").t
    expected = t.isf(np.maximum(TAILS, TAILS[1]), 6) / t.expect(np.abs, (6,))
    np.testing.assert_allclose(_ORDINARY, expected, atol=6e-4)


def test_a_series_that_is_mostly_still_keeps_its_own_distribution() -> None:
    errors = np.zeros((4, 1, 20))
    errors[1, 0, 3:5] = 9.0
    still = error_shape(errors, np.array([4.0]))[:, TAILS >= 0.1]
    np.testing.assert_array_equal(still, 0.0)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=9), seeds)
def test_rising_values_are_isotonic_regression(heights: list[int], seed: int) -> None:
    values = np.array(heights, dtype=float)
    counts = np.random.default_rng(seed).integers(1, 9, len(values)).astype(float)
    blocks: list[tuple[float, float, int]] = []
    for value, count in zip(values, counts, strict=True):
        block = (value, count, 1)
        while blocks and blocks[-1][0] > block[0]:
            mean, weight, length = blocks.pop()
            total = weight + block[1]
            block = ((mean * weight + block[0] * block[1]) / total, total, length + block[2])
        blocks.append(block)
    expected = np.repeat([block[0] for block in blocks], [block[2] for block in blocks])
    np.testing.assert_allclose(_rising(values[np.newaxis], counts[np.newaxis])[0], expected, rtol=1e-4, atol=1e-4)
