"""How errors are distributed around their forecasts, as multiples of their mean size."""

from __future__ import annotations

import numpy as np

from series import FloatArray

# Tail probabilities at which quantiles are kept; between them they are interpolated.
TAILS = np.array(
    [0.0, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5]
)
# The same quantiles of Student's t with six degrees of freedom, over its mean distance from 0: what errors of series of
# many kinds look like on average. The first is that of the second tail, as t has no end.
_ORDINARY = np.array(
    [4.7, 4.7, 4.036, 3.421, 3.08, 2.844, 2.518, 2.115, 1.796, 1.567, 1.235, 0.986, 0.781, 0.602, 0.44, 0.288, 0.143, 0]
)
# From so many origins, the errors of a series tell half of the difference between its two sides; half of their shape.
_SIDES, _SHAPE = 4.0, 6.0
# Where the quantile of this tail is small, errors are mostly none and sometimes large: no t looks like that.
_SOME = int(np.searchsorted(TAILS, 0.1))


def error_shape(errors: FloatArray, origins: FloatArray) -> FloatArray:
    """Quantiles of errors below and above 0.

    The fewer origins there are, the less do they tell: errors of one origin lie on one side mostly, and the
    largest of few is chance. So both sides are drawn towards each other, and then towards the ordinary.

    Parameters
    ----------
    errors : (n_origins, n_series, n_leads) float64
        In mean sizes; NaN where unknown.
    origins : (n_series,) float64
        How many origins have errors, 1 or more.

    Returns
    -------
    (2, n_tails, n_series) float64
        0 or more, one for each of `TAILS`; 0 where no error is known.
    """
    shape = _quantiles(errors)
    both = shape.mean(axis=0)
    shape += _SIDES / (_SIDES + origins) * (both - shape)
    ordinary = _ORDINARY[:, np.newaxis]
    alike = np.minimum(both[_SOME] / _ORDINARY[_SOME], 1.0)
    shape += alike * _SHAPE / (_SHAPE + origins) * (ordinary - shape)
    return shape


def at_tail(shape: FloatArray, tail: float) -> FloatArray:
    """(2, n_series): quantiles of one tail probability."""
    place = float(np.interp(tail, TAILS, np.arange(len(TAILS))))
    low = min(int(place), len(TAILS) - 2)
    between: FloatArray = shape[:, low] + (place - low) * (shape[:, low + 1] - shape[:, low])
    return between


def _quantiles(errors: FloatArray) -> FloatArray:
    ranked = np.sort(np.moveaxis(errors, 1, 0).reshape(errors.shape[1], -1), axis=1)  # NaN last
    count = np.isfinite(ranked).sum(axis=1)
    # The k-th smallest of n errors is exceeded downwards with probability k / (n + 1).
    rank = np.clip(TAILS[:, np.newaxis] * (count + 1) - 1, 0, np.maximum(count - 1, 0))
    low, high = _ranked(ranked, rank), _ranked(ranked, np.maximum(count - 1, 0) - rank)
    quantiles: FloatArray = np.where(count > 0, np.maximum(np.stack([-low, high]), 0.0), 0.0)
    return quantiles


def _ranked(ranked: FloatArray, rank: FloatArray) -> FloatArray:
    """(n_tails, n_series): value at a rank, 0 the smallest, linear between two."""
    rows = np.arange(len(ranked))
    under = rank.astype(np.intp)
    over = np.minimum(under + 1, ranked.shape[1] - 1)
    share = rank - under
    upper = np.where(share > 0, ranked[rows, over], 0.0)
    value: FloatArray = ranked[rows, under] * (1 - share) + upper * share
    return value
