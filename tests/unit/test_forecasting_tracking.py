"""Forecasts compared with what came, and intervals that correct themselves."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.adaptive import AdaptiveWidth
from forecasting.tracking import Tracker


def bounds(mean: float, reach: float, n_series: int = 1) -> np.ndarray:
    return np.repeat([[mean], [mean - reach], [mean + reach]], n_series, axis=1)


def test_figures_of_three_comparisons() -> None:
    tracker = Tracker.of(1, 1, capacity=4, memory=1e12)
    for time, came in ((1.0, 12.0), (2.0, 9.0), (3.0, 14.0)):
        tracker.expect(0, time, bounds(10.0, 3.0), np.array([10.0 if time < 3 else 4.0]))
        tracker.observe(time, np.array([came]))
    assert tracker.weight == pytest.approx(3)
    assert tracker.relative_error == pytest.approx((2 + 1 + 4) / (2 + 1 + 10))
    assert tracker.bias == pytest.approx((2 - 1 + 4) / 3)
    assert tracker.coverage == pytest.approx(2 / 3)
    assert tracker.smape == pytest.approx(2 * (2 / 22 + 1 / 19 + 4 / 24) / 3)
    assert tracker.mase(np.array([2.0])) == pytest.approx(7 / 3 / 2)


def test_nothing_is_known_before_a_comparison() -> None:
    tracker = Tracker.of(2, 3, capacity=1, memory=10)
    for figure in (tracker.relative_error, tracker.smape, tracker.bias, tracker.coverage, tracker.mase(np.ones(3))):
        assert np.isnan(figure).all()
    assert not tracker.falls_behind().any()


def test_what_is_missing_counts_nowhere() -> None:
    tracker = Tracker.of(1, 3, capacity=2, memory=1e12)
    said = bounds(1.0, 1.0, 3)
    said[:, 1] = np.nan
    tracker.expect(0, 5.0, said, np.zeros(3))
    tracker.observe(5.0, np.array([np.nan, 1.0, 1.0]))
    np.testing.assert_array_equal(tracker.weight, [[0, 0, 1]])


def test_a_forecast_is_compared_at_its_own_time_and_horizon_alone() -> None:
    tracker = Tracker.of(2, 1, capacity=3, memory=1e12)
    tracker.expect(0, 10.0, bounds(1.0, 1.0), np.zeros(1))
    tracker.expect(1, 20.0, bounds(5.0, 1.0), np.zeros(1))
    tracker.observe(9.0, np.array([100.0]))
    tracker.observe(10.0, np.array([1.0]))
    np.testing.assert_array_equal(tracker.weight, [[1], [0]])
    tracker.observe(25.0, np.array([5.0]))  # the sample at 20 never came
    np.testing.assert_array_equal(tracker.weight, [[1], [0]])
    assert np.isnan(tracker.due).all()


def test_memory_is_bounded_and_the_oldest_is_forgotten() -> None:
    tracker = Tracker.of(1, 1, capacity=2, memory=1e12)
    for due in (1.0, 2.0, 3.0):
        tracker.expect(0, due, bounds(due, 1.0), np.zeros(1))
    assert sorted(tracker.due[0]) == [2.0, 3.0]


def test_old_comparisons_fade() -> None:
    tracker = Tracker.of(1, 1, capacity=1, memory=10)
    for time in range(400):
        tracker.expect(0, float(time), bounds(0.0, 1.0), np.zeros(1))
        tracker.observe(float(time), np.array([5.0 if time < 300 else 0.5]))
    assert tracker.coverage[0, 0] > 0.99
    assert tracker.weight[0, 0] == pytest.approx(1 / (1 - np.exp(-0.1)), rel=1e-6)


def test_a_forecaster_worse_than_naive_loses_its_place_and_gets_it_back() -> None:
    tracker = Tracker.of(1, 2, capacity=1, memory=50)

    def go(first: int, error: float) -> None:
        for time in range(first, first + 200):
            tracker.expect(0, float(time), bounds(0.0, 1.0, 2), np.array([1.0, 2.0]))
            tracker.observe(float(time), np.array([error, 0.0]))

    go(0, 2.0)  # the naive forecast errs by 1 in the first series
    np.testing.assert_array_equal(tracker.falls_behind(), [[True, False]])
    go(200, 0.1)
    np.testing.assert_array_equal(tracker.falls_behind(), [[False, False]])


def test_few_comparisons_do_not_dethrone() -> None:
    tracker = Tracker.of(1, 1, capacity=1, memory=50)
    for time in range(10):
        tracker.expect(0, float(time), bounds(0.0, 1.0), np.array([5.0]))
        tracker.observe(float(time), np.array([5.0]))
    assert not tracker.falls_behind().any()


def test_series_that_move_keep_their_figures_and_new_ones_begin_anew() -> None:
    tracker = Tracker.of(1, 2, capacity=1, memory=1e12)
    tracker.expect(0, 1.0, bounds(0.0, 1.0, 2), np.zeros(2))
    tracker.observe(1.0, np.array([0.5, 7.0]))
    tracker.take([1, None, 0])
    np.testing.assert_array_equal(tracker.coverage[0, [0, 2]], [0.0, 1.0])
    assert np.isnan(tracker.coverage[0, 1])
    tracker.expect(0, 2.0, bounds(0.0, 1.0, 3), np.zeros(3))
    tracker.observe(2.0, np.zeros(3))
    np.testing.assert_allclose(tracker.weight, [[2, 1, 2]])


def covered(noise: np.ndarray, rate: float) -> tuple[np.ndarray, AdaptiveWidth]:
    """Which of the samples fall inside intervals that were right for a deviation of 1."""
    adaptive = AdaptiveWidth.of(1, len(noise), coverage=0.9, rate=rate)
    inside = np.empty(noise.shape, dtype=bool)
    for time, came in enumerate(noise.T):
        _, lower, upper = adaptive.applied(0, bounds(0.0, 1.645, len(noise)))
        inside[:, time] = (lower <= came) & (came <= upper)
        adaptive.observe(0, lower, upper, came)
    return inside, adaptive


@pytest.mark.parametrize("scale", [0.6, 1.0, 3.0])
def test_coverage_comes_back_after_the_noise_has_changed(scale: float) -> None:
    noise = np.random.default_rng(0).normal(0, 1, (200, 2_000))
    noise[:, 1_000:] *= scale
    inside, _ = covered(noise, 0.1)
    np.testing.assert_allclose(inside[:, 500:1_000].mean(), 0.9, atol=0.02)
    np.testing.assert_allclose(inside[:, 1_500:].mean(), 0.9, atol=0.02)


def test_the_share_of_misses_is_bounded_whatever_comes() -> None:
    noise = np.where(np.arange(4_000) % 400 < 200, 1.0, 4.0) * np.random.default_rng(1).standard_t(3, (1, 4_000))
    inside, adaptive = covered(noise, 0.1)
    most = np.log(8 / 0.5) / (0.1 * noise.shape[1])
    assert np.log(0.5) < adaptive.log_factor[0, 0] < np.log(8)
    assert abs(inside.mean() - 0.9) <= most + 1e-9


def test_widths_stay_within_bounds_and_unknown_samples_teach_nothing() -> None:
    adaptive = AdaptiveWidth.of(1, 3, coverage=0.5, rate=0.5)
    for _ in range(100):
        adaptive.observe(0, np.full(3, -1.0), np.full(3, 1.0), np.array([9.0, 0.0, np.nan]))
    np.testing.assert_allclose(adaptive.factor, [[8.0, 0.5, 1.0]])
    np.testing.assert_allclose(adaptive.applied(0, bounds(1.0, 1.0, 3), floor=0.0)[1], [0.0, 0.5, 0.0])
    adaptive.take([2, 0, None])
    np.testing.assert_allclose(adaptive.factor, [[1.0, 8.0, 1.0]])


def test_one_large_error_is_no_verdict() -> None:
    tracker = Tracker.of(1, 1, capacity=1, memory=1e12)
    for time in range(10):
        came = 1000.0 if time == 5 else 10.0
        tracker.expect(0, float(time), bounds(10.0, 1.0), np.array([11.0 if time != 5 else 1000.0]))
        tracker.observe(float(time), np.array([came]))
    assert tracker.relative_error > 50
    assert not tracker.falls_behind(fewest=1).any()
    assert tracker.falls_behind(fewest=1, often=0.05).all()
