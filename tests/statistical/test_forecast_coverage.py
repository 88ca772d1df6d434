"""Intervals hold what they promise, on simulated series whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting import FORECASTERS, HarmonicRegression
from forecasting.backtest import backtest
from series import Window

pytestmark = pytest.mark.slow

DAY = 96  # steps of 15 minutes
# Knows no day: its errors are those of a wave, which ends sooner than any distribution with tails.
NO_DAY = ("croston",)


def simulated(kind: str, n_series: int = 300, days: int = 15) -> np.ndarray:
    random = np.random.default_rng(11)
    steps = np.arange(days * DAY)
    noise = random.normal(size=(n_series, len(steps)))
    daily = 3 * np.sin(2 * np.pi * steps / DAY + random.uniform(0, 6, (n_series, 1)))
    if kind == "white":
        return daily + noise
    if kind == "skewed":
        return daily + random.exponential(1.0, noise.shape)
    level = np.zeros(n_series)
    rows = np.empty_like(noise)
    for step in range(len(steps)):
        level = 0.95 * level + noise[:, step]
        rows[:, step] = level
    return daily + rows


@pytest.mark.parametrize("kind", ["white", "skewed", "autoregressive"])
@pytest.mark.parametrize("coverage", [0.8, 0.95])
@pytest.mark.parametrize("name", sorted(set(FORECASTERS) - {"arima", "unobserved_components", "boosting"}))
def test_the_promised_share_falls_inside(name: str, kind: str, coverage: float) -> None:
    window = Window.of(simulated(kind), step=900.0)
    result = backtest(FORECASTERS[name], window, origins=[14 * DAY], steps=DAY, coverage=coverage)
    # Too wide is allowed, too narrow is not: errors of one origin count as one, though those of white noise are many.
    too_wide = 0.85 if name in NO_DAY else 0.75
    assert coverage - 0.04 < result.coverage.mean() < coverage + (1 - coverage) * too_wide


@pytest.mark.parametrize("kind", ["white", "skewed", "autoregressive"])
def test_the_blend_errs_little_more_than_the_best_that_is_possible(kind: str) -> None:
    rows = simulated(kind)
    window = Window.of(rows, step=900.0)
    result = backtest(HarmonicRegression, window, origins=[14 * DAY], steps=4)
    # One step ahead nothing can beat the noise itself: E|N(0, 1)| = 0.798, and 0.693 around an exponential's median.
    possible = {"white": 0.798, "skewed": 0.693, "autoregressive": 0.798}[kind]
    error = np.abs(result.actual - result.mean)[0, :, 0].mean()
    assert possible * 0.9 < error < possible * 1.25
