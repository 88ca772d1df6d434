"""Where a series is going, and when its level changed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

import numpy as np

from forecasting.seasons import Seasons
from series import FloatArray, Window

# Blocks that a history is cut into where it knows no day; fewest that a slope or a change is told from.
_BLOCKS, _FEWEST = 28, 5
# Robust standard deviations, over the root of the shorter side, that a level must differ by.
_CLEAR = 4.0


@dataclass(frozen=True, eq=False)
class Trend:
    """Slope of each series, (n_series,) float64 per second; NaN where there is too little history."""

    slope: FloatArray
    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True)
class ChangePoint:
    """A level that changed.

    Attributes
    ----------
    series : int
        Row of the window.
    time : float
        Seconds since the epoch: where the new level begins, to a block (a day, or a 28th of a shorter history).
    before, after : float
        Medians on both sides, up to the next change.
    """

    series: int
    time: float
    before: float
    after: float


def trend(history: Window, *, coverage: float = 0.95) -> Trend:
    """Slope over the whole history with its interval, from the medians of days: no season or burst bends it.

    References
    ----------
    Sen (1968), Estimates of the regression coefficient based on Kendall's tau: median of the slopes of all pairs, and
    the interval from their ranks.
    """
    blocks, length = _blocks(history)
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
    told = [np.where(known >= _FEWEST, _at_rank(slopes, rank, pairs), np.nan) for rank in ranks]
    return Trend(*told)


def _at_rank(ranked: FloatArray, rank: FloatArray, count: FloatArray) -> FloatArray:
    most = np.maximum(count - 1, 0)
    rank = np.clip(rank, 0, most)
    low = np.floor(rank).astype(np.intp)
    high = np.minimum(low + 1, most.astype(np.intp))
    rows, share = np.arange(len(ranked)), rank - low
    value: FloatArray = ranked[rows, low] * (1 - share) + np.where(share > 0, ranked[rows, high], 0.0) * share
    return value


def change_points(history: Window, *, most: int = 5) -> list[ChangePoint]:
    """Times at which a level changed, the clearest first for each series, then sorted by time.

    Parameters
    ----------
    most : int
        For each series.

    References
    ----------
    Vostrikova (1981), Detecting disorder in multidimensional random processes: binary segmentation.
    """
    blocks, length = _blocks(history)
    first = history.n_steps - blocks.shape[1] * length
    found: list[ChangePoint] = []
    for series, row in enumerate(blocks):
        columns = np.flatnonzero(np.isfinite(row))
        values = row[columns]
        edges = [0, *_changes(values, most), len(values)]
        for left, middle, right in zip(edges, edges[1:], edges[2:], strict=False):
            time = float(history.times[first + columns[middle] * length])
            before, after = float(np.median(values[left:middle])), float(np.median(values[middle:right]))
            found.append(ChangePoint(series, time, before, after))
    return found


def _changes(values: FloatArray, most: int) -> list[int]:
    """Ascending places where a new level begins."""
    spread = 1.4826 * float(np.median(np.abs(np.diff(values)))) / np.sqrt(2) if len(values) >= _FEWEST else 0.0
    edges = [0, len(values)]
    for _ in range(most if len(values) >= _FEWEST else 0):
        splits = [_best_split(values, low, high, spread) for low, high in pairwise(edges)]
        clearness, place = max(splits)
        if clearness <= _CLEAR:
            break
        edges = sorted([*edges, place])
    return edges[1:-1]


def _best_split(values: FloatArray, low: int, high: int, spread: float) -> tuple[float, int]:
    """How clear the best split of a stretch is, in standard errors, and where it lies."""
    best = (0.0, low)
    for place in range(low + 2, high - 1):
        left, right = values[low:place], values[place:high]
        differ = abs(float(right.mean()) - float(left.mean()))
        floor = max(spread, 1e-9 * float(np.abs(values).max()))
        error = floor * np.sqrt(1 / len(left) + 1 / len(right))
        best = max(best, (differ / error if error > 0 else 0.0, place))
    return best


def _blocks(history: Window) -> tuple[FloatArray, int]:
    """Medians of (n_series, n_blocks) days or shorter blocks that end with the history; and their steps."""
    periods = Seasons.of(history.step, history.n_steps).periods
    length = periods[0] if periods and history.n_steps >= _FEWEST * periods[0] else max(history.n_steps // _BLOCKS, 1)
    count = history.n_steps // length
    parts = history.values[:, history.n_steps - count * length :].reshape(history.n_series, count, length)
    enough = np.isfinite(parts).sum(axis=2) * 2 >= length
    with_any = np.where(enough[..., np.newaxis], parts, 0.0)
    return np.where(enough, np.nanmedian(with_any, axis=2), np.nan), length
