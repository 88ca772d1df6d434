"""How far from what was expected an ordinary sample strays: by time of day, and at the worst of a day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.calibrate import exceeded
from detectors.phase import HOURS, Phase
from detectors.robust import mean, quantile
from detectors.shape import jitter, shrinkage, smooth
from series import FloatArray

# Of the largest residuals, those of incidents are cut down to this share of all residuals before they are averaged.
WINSOR = 0.98
# A quiet hour is at most this many times quieter, a busy one busier, than the average.
LARGEST_RATIO = 10.0
# A deviation below this share of the range that the series usually covers is not worth telling, however regular it is.
LEAST_OF_RANGE = 0.01


@dataclass(frozen=True, eq=False)
class Width:
    """Half widths of the band.

    Attributes
    ----------
    spread : (n_series, 24) float64
        Usual residual of each hour of the day, in the unit of the series.
    above, below : (n_series,) float64
        Distance of the band's edges, in units of `spread`.
    least : (n_series,) float64
        Smallest half width, in the unit of the series.
    jitter_above, jitter_below : (n_series, bins) float64
        What is added in each part of the day, as narrow peaks of the profile may come early, late or not at all.
    """

    spread: FloatArray
    above: FloatArray
    below: FloatArray
    least: FloatArray
    jitter_above: FloatArray
    jitter_below: FloatArray

    def at(self, phase: Phase) -> tuple[FloatArray, FloatArray]:
        """Half widths (n_series, n_steps) above and below, at each instant."""
        spread = self.spread[:, phase.of_day(self.spread.shape[1])]
        at = phase.of_day(self.jitter_above.shape[1])
        above, below = (np.maximum(side[:, None] * spread, self.least[:, None]) for side in (self.above, self.below))
        return above + self.jitter_above[:, at], below + self.jitter_below[:, at]


def learn(
    residual: FloatArray,
    expected: FloatArray,
    daily: FloatArray,
    phase: Phase,
    step: float,
    *,
    rate: float,
    narrowest: float,
) -> Width:
    """Widths that ordinary samples leave about `rate` times a day.

    Parameters
    ----------
    residual : (n_series, n_steps) float64
        Samples less what was expected without knowledge of them.
    expected : (n_series, n_steps) float64
    daily : (n_series, bins) float64
        Daily shape.
    phase : Phase
        Of the n_steps.
    step : float
        Seconds.
    rate : float
        Excursions per day and side.
    narrowest : float
        Smallest half width, in units of the spread.
    """
    spread = _spread(residual, phase)
    scaled = residual / np.where(spread > 0, spread, 1.0)[:, phase.of_day(HOURS)]
    above, below = (np.maximum(narrowest, exceeded(side, step, rate)) for side in (scaled, -scaled))
    reach = quantile(expected, 0.95) - quantile(expected, 0.05)
    return Width(spread, above, below, LEAST_OF_RANGE * reach, *jitter(daily))


def _spread(residual: FloatArray, phase: Phase) -> FloatArray:
    """(n_series, 24): winsorised mean of the residuals' size in each hour, as far as the hours differ reliably."""
    size = np.abs(residual)
    cap = quantile(size, WINSOR)
    usual = mean(np.minimum(size, np.where(cap > 0, cap, np.inf)[:, None]))
    capped = np.minimum(size, np.where(cap > 0, cap, np.inf)[:, None])
    ratios = []
    for part in range(3):
        among = np.ones(len(phase.day), bool) if part == 0 else phase.day % 2 == part - 1
        ratio = smooth(_by_hour(capped[:, among], phase.where(among)), 1) / np.where(usual > 0, usual, 1.0)[:, None]
        ratios.append(np.log(np.clip(np.where(np.isnan(ratio), 1.0, ratio), 1 / LARGEST_RATIO, LARGEST_RATIO)))
    whole, even, odd = ratios
    return np.asarray(usual[:, None] * np.exp(shrinkage(even, odd) * whole), dtype=np.float64)


def _by_hour(size: FloatArray, phase: Phase) -> FloatArray:
    """(n_series, 24): mean of each hour of the day, NaN left out; NaN for an hour without a sample."""
    hour = np.eye(HOURS)[phase.of_day(HOURS)]
    known = size == size
    count = known @ hour
    return np.where(count > 0, np.where(known, size, 0.0) @ hour / np.maximum(count, 1), np.nan)
