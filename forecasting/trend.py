"""Where a series is going."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from forecasting.blocks import FEWEST_BLOCKS, block_medians
from series import FloatArray, Window


@dataclass(frozen=True, eq=False)
class Trend:
    """Slope of each series, (n_series,) float64 per second; NaN where there is too little history."""

    slope: FloatArray
    lower: FloatArray
    upper: FloatArray


def trend(history: Window, *, coverage: float = 0.95) -> Trend:
    """Slope over the whole history with its interval, from the medians of days: no season or burst bends it.

    References
    ----------
    Sen (1968), Estimates of the regression coefficient based on Kendall's tau: median of the slopes of all pairs, and
    the interval from their ranks.
    """
    blocks, length = block_medians(history)
    n = blocks.shape[1]
    one, other = np.triu_indices(n, 1)
    if n < 2:
        nothing = np.full(history.n_series, np.nan)
        return Trend(nothing, nothing, nothing)
    slopes = np.sort((blocks[:, other] - blocks[:, one]) / ((other - one) * length * history.step), axis=1)  # NaN last
    known = np.isfinite(blocks).sum(axis=1).astype(np.float64)
    pairs = np.isfinite(slopes).sum(axis=1)
    z = NormalDist().inv_cdf((1 + coverage) / 2)
    reach = z * np.sqrt(known * (known - 1) * (2 * known + 5) / 18) / 2
    ranks = ((pairs - 1) / 2, (pairs - 1) / 2 - reach, (pairs - 1) / 2 + reach)
    told = [np.where(known >= FEWEST_BLOCKS, _at_rank(slopes, rank, pairs), np.nan) for rank in ranks]
    return Trend(*told)


def _at_rank(ranked: FloatArray, rank: FloatArray, count: FloatArray) -> FloatArray:
    most = np.maximum(count - 1, 0)
    rank = np.clip(rank, 0, most)
    low = np.floor(rank).astype(np.intp)
    high = np.minimum(low + 1, most.astype(np.intp))
    rows, share = np.arange(len(ranked)), rank - low
    value: FloatArray = ranked[rows, low] * (1 - share) + np.where(share > 0, ranked[rows, high], 0.0) * share
    return value
