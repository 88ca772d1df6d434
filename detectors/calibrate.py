"""Which value a series exceeds as often as may be: what makes the scores of different detectors comparable."""

from __future__ import annotations

import math

import numpy as np

from detectors.robust import quantile
from series import FloatArray
from series.calendar import DAY

# A history of d days has not shown the worst yet: its extremes count 1 + YOUNG / d times.
YOUNG = 0.5
# Blocks a history is cut into at least, where it is shorter than as many days.
FEWEST_BLOCKS = 12


def exceeded(values: FloatArray, step: float, rate: float) -> FloatArray:
    """Level that ordinary values exceed about `rate` times a day.

    The largest value of each block of time (a day, or less for a short history) follows an extreme value law. Its
    lower quartile and median give location and scale, so incidents in a few of the blocks hardly move the estimate.
    Where most blocks hold nothing (events rarer than one a block) the quantile of the blocks themselves is taken.

    Parameters
    ----------
    values : (n_series, n_steps) float64
        NaN where there is none.
    step : float
        Seconds.
    rate : float
        Times a day.

    Returns
    -------
    (n_series,) float64
        0 for a row without a value.

    References
    ----------
    Coles (2001), An Introduction to Statistical Modeling of Extreme Values, chapter 3.
    """
    n_series, n_steps = values.shape
    a_day = max(1, round(DAY / step))
    length = max(1, min(a_day, n_steps // FEWEST_BLOCKS))
    padded = np.pad(values, ((0, 0), (-n_steps % length, 0)), constant_values=np.nan)
    blocks = padded.reshape(n_series, padded.shape[1] // length, length)
    largest = np.fmax.reduce(blocks, axis=2)
    share = max(0.5, 1 - rate * length / a_day)
    low, middle = quantile(largest, 0.25), quantile(largest, 0.5)
    # Gumbel: quantile(p) = location - scale * log(-log(p)).
    scale = (middle - low) / (_gumbel(0.5) - _gumbel(0.25))
    estimate = middle + scale * (_gumbel(share) - _gumbel(0.5))
    young = 1 + YOUNG * DAY / (max(1, n_steps) * step)
    worst: FloatArray = np.nan_to_num(np.where(low > 0, estimate, quantile(largest, share))) * young
    return worst


def _gumbel(share: float) -> float:
    return -math.log(-math.log(share))
