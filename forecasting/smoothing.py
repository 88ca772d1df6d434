"""Exponential smoothing of all series at once: damped Holt-Winters and Theta."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from forecasting.plan import Plan
from forecasting.shapes import Steps, median_profile
from forecasting.trialed import Continuation, TrialedForecaster
from series import FloatArray

_LEVELS, _TRENDS, _SEASONS = (0.02, 0.1, 0.3, 0.7), (0.0, 0.05), (0.05, 0.3)
_DAMPING = 0.98
# Steps left out of the errors that parameters are chosen by: the start is not theirs.
_WARM_UP = 10


@dataclass(kw_only=True, eq=False)
class HoltWinters(TrialedForecaster):
    """Damped additive Holt-Winters with the season of a day; without one, damped Holt.

    Level, trend and season are smoothed for all series and 16 sets of parameters at once; each series takes the set
    with the smallest squared error one step ahead.

    References
    ----------
    Gardner and McKenzie (1985), Forecasting trends in time series; Hyndman and Athanasopoulos, Forecasting: Principles
    and Practice (3rd ed.), 8.3.
    """

    def _continue(self, values: FloatArray, plan: Plan, first: int) -> Continuation:
        period = plan.seasons.periods[0] if plan.seasons.periods else 1
        return _Smoothed(values, period, _chosen(values[:, :first], period))


@dataclass(kw_only=True, eq=False)
class Theta(TrialedForecaster):
    """Classical Theta: half the linear trend, added to exponential smoothing; the day is taken off before.

    References
    ----------
    Assimakopoulos and Nikolopoulos (2000), The theta model; Hyndman and Billah (2003), Unmasking the Theta method.
    """

    def _continue(self, values: FloatArray, plan: Plan, first: int) -> Continuation:
        period = plan.seasons.periods[0] if plan.seasons.periods else 0
        return _Theta(values, period)


@dataclass(frozen=True, eq=False)
class _Smoothed(Continuation):
    values: FloatArray
    period: int
    parameters: FloatArray

    def ahead(self, origin: int, leads: Steps) -> FloatArray:
        state, _ = _smooth(self.values[:, :origin, np.newaxis], self.period, self.parameters[:, np.newaxis])
        level, trend, season = (part[..., 0] for part in state)
        damped = _DAMPING * (1 - _DAMPING**leads) / (1 - _DAMPING)
        cycle = season[:, (leads - 1) % self.period]
        return level[:, np.newaxis] + trend[:, np.newaxis] * damped + cycle


def _chosen(past: FloatArray, period: int) -> FloatArray:
    """(n_series, 3): smoothing of level, trend and season with the smallest squared error."""
    seasons = _SEASONS if period > 1 else (0.0,)
    grid = np.array(list(product(_LEVELS, _TRENDS, seasons)))
    parameters = np.broadcast_to(grid, (len(past), *grid.shape))
    values = np.broadcast_to(past[..., np.newaxis], (*past.shape, len(grid)))
    _, error = _smooth(values, period, parameters)
    best: FloatArray = grid[error.argmin(axis=1)]
    return best


def _smooth(
    values: FloatArray, period: int, parameters: FloatArray
) -> tuple[tuple[FloatArray, FloatArray, FloatArray], FloatArray]:
    """Run the smoothing along the second axis.

    Parameters
    ----------
    values : (n_series, n_steps, n_sets) float64
    parameters : (n_series, n_sets, 3) float64

    Returns
    -------
    (level, trend, season), error
        Of shapes (n_series, n_sets), the same, (n_series, period, n_sets) beginning with the next step; and the sum
        of squared errors, (n_series, n_sets).
    """
    alpha, beta, gamma = np.moveaxis(parameters, -1, 0)
    n_steps = values.shape[1]
    start = values[:, : min(period, n_steps)]
    level, trend = start.mean(axis=1), np.zeros_like(alpha)
    season = np.zeros((len(values), period, values.shape[2]))
    if period > 1:
        season[:, : start.shape[1]] = start - level[:, np.newaxis]
    error = np.zeros_like(alpha)
    for step in range(period if period > 1 else 1, n_steps):
        phase = step % period
        expected = level + _DAMPING * trend
        missed = values[:, step] - expected - season[:, phase]
        level = expected + alpha * missed
        trend = _DAMPING * trend + alpha * beta * missed
        season[:, phase] += gamma * (1 - alpha) * missed
        if step >= _WARM_UP:
            error += missed**2
    return (level, trend, np.roll(season, -(n_steps % period), axis=1)), error


@dataclass(frozen=True, eq=False)
class _Theta(Continuation):
    values: FloatArray
    period: int

    def ahead(self, origin: int, leads: Steps) -> FloatArray:
        past = self.values[:, :origin]
        steps, season = np.arange(origin), np.zeros((len(past), len(leads)))
        if self.period and origin >= 2 * self.period:
            profile = median_profile(past, self.period, 7)
            season, past = profile.at(origin - 1 + leads), past - profile.at(steps)
        centered = steps - steps.mean()
        slope = past @ centered / max(float(centered @ centered), 1.0)
        alpha = _chosen_level(past)
        level = _level(past, alpha)
        run_in = (1 - (1 - alpha) ** origin) / alpha
        line = 0.5 * slope[:, np.newaxis] * (leads - 1 + run_in[:, np.newaxis])
        told: FloatArray = level[:, np.newaxis] + line + season
        return told


def _chosen_level(past: FloatArray) -> FloatArray:
    """(n_series,): smoothing of the level with the smallest squared error."""
    grid = np.array([[alpha, 0.0, 0.0] for alpha in _LEVELS])
    values = np.broadcast_to(past[..., np.newaxis], (*past.shape, len(grid)))
    _, error = _smooth(values, 1, np.broadcast_to(grid, (len(past), *grid.shape)))
    best: FloatArray = grid[error.argmin(axis=1), 0]
    return best


def _level(past: FloatArray, alpha: FloatArray) -> FloatArray:
    """(n_series,): simple exponential smoothing, its start the first sample."""
    back = np.arange(past.shape[1] - 1, -1, -1)
    weights = alpha[:, np.newaxis] * (1 - alpha[:, np.newaxis]) ** back
    weights[:, 0] += 1 - weights.sum(axis=1)
    level: FloatArray = (past * weights).sum(axis=1)
    return level
