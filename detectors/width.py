"""How far from what was expected an ordinary sample strays: by time of day, and at the worst of a day."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from detectors.phase import HOURS, Phase
from detectors.robust import mean, quantile
from detectors.shape import jitter, shrinkage, smooth
from series import FloatArray
from series.calendar import DAY

# Of the largest residuals, those of incidents are cut down to this share of all residuals before they are averaged.
WINSOR = 0.98
# A quiet hour is at most this many times quieter, a busy one busier, than the average.
LARGEST_RATIO = 10.0
# A deviation below this share of the range that the series usually covers is not worth telling, however regular it is.
LEAST_OF_RANGE = 0.01
# A history of d days has not shown the worst yet: its extremes count 1 + YOUNG / d times.
YOUNG = 0.5


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
    above, below = (np.maximum(narrowest, _largest(side, step, rate)) for side in (scaled, -scaled))
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


def _largest(scaled: FloatArray, step: float, rate: float) -> FloatArray:
    """Level that the largest of `scaled` exceed `rate` times a day: (n_series,).

    The largest value of each block of time (a day, or less for a short history) follows an extreme value law. Its
    lower quartile and median give location and scale, so incidents in a few of the blocks hardly move the estimate.
    Where most blocks hold nothing (events rarer than one a block) the quantile of the blocks themselves is taken.

    References
    ----------
    Coles (2001), An Introduction to Statistical Modeling of Extreme Values, chapter 3.
    """
    n_series, n_steps = scaled.shape
    a_day = max(1, round(DAY / step))
    length = max(1, min(a_day, n_steps // 12))
    blocks = np.pad(scaled, ((0, 0), (-n_steps % length, 0)), constant_values=np.nan).reshape(n_series, -1, length)
    largest = np.fmax.reduce(blocks, axis=2)
    share = max(0.5, 1 - rate * length / a_day)
    low, middle = quantile(largest, 0.25), quantile(largest, 0.5)
    # Gumbel: quantile(p) = location - scale * log(-log(p)).
    scale = (middle - low) / (_gumbel(0.5) - _gumbel(0.25))
    estimate = middle + scale * (_gumbel(share) - _gumbel(0.5))
    young = 1 + YOUNG * DAY / (n_steps * step)
    worst: FloatArray = np.nan_to_num(np.where(low > 0, estimate, quantile(largest, share))) * young
    return worst


def _gumbel(share: float) -> float:
    return -math.log(-math.log(share))
