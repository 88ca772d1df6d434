"""When did the level change, and from when on is a past worth learning from?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from detectors.level import block_length, block_medians
from detectors.phase import IntArray
from detectors.robust import median
from series import FloatArray
from series.calendar import DAY, WEEK

# A deviation counts as three spreads at most, so that an outage weighs no more than its length.
_CLIP = 3.0
_SIGMA = 1.4826
_ROUNDING = 2.0**-21
# How much shorter than elsewhere the first level of a history may be.
_SHORTER = 6
# Weekends must be less than half of either side, else one at an end of the history is taken for a new level.
OVER_A_WEEKEND = 5.0 * DAY


@dataclass(frozen=True, eq=False)
class Changes:
    """Level changes in the order of their rows, then of time; each array has the shape (n_changes,).

    Attributes
    ----------
    row : intp
        Of the series.
    step : intp
        First step of the new level.
    before, after : float64
        Level up to the change, back to the last one; and from it on, up to the next.
    """

    row: IntArray
    step: IntArray
    before: FloatArray
    after: FloatArray

    def last(self, n_series: int) -> IntArray:
        """(n_series,): the step of each series' last change, 0 where its level has not changed."""
        last = np.zeros(n_series, dtype=np.intp)
        np.maximum.at(last, self.row, self.step)
        return last


class _Shortest(NamedTuple):
    """Fewest blocks of a level, and of the first one of a history.

    What is left of a level that leaves the history counts, however little: it would spoil the season.
    """

    level: int
    leaving: int

    @classmethod
    def of(cls, blocks: float, *, alike: bool) -> _Shortest:
        level = max(2, round(blocks))
        return cls(level, level if alike else max(2, level // _SHORTER))


@dataclass(kw_only=True, eq=False)
class ChangePoints:
    r"""Finds lasting changes of level by binary segmentation with a robust CUSUM.

    Works on the medians of hours. Of each segment the split is taken where the cumulative sum of clipped deviations
    is farthest from that of an unchanged level; it is kept where the two medians differ by more than `smallest`
    spreads of the hours around them, and where at least half of that difference lies between the quarter of a day
    before and that after it. So a random walk or a slope, whose halves differ too, gives few changes.

    Parameters
    ----------
    smallest : float, default 3
        Smallest change, in robust standard deviations of an hour's median.
    significance : float, default 4
        Smallest value of the CUSUM statistic, in standard deviations: the penalty of one more change.
    lasting : float, default 43200
        Seconds a level must last on either side. For less than two weeks of history it is five days.
    most : int, default 5
        Rounds of splitting.

    References
    ----------
    Fryzlewicz (2014), Wild Binary Segmentation; Page (1954), Continuous Inspection Schemes.

    Examples
    --------
    >>> level = np.repeat([10.0, 10.0, 20.0], 7 * 24) + np.arange(21 * 24) % 3
    >>> changes = ChangePoints().find(level[None], step=3600)
    >>> changes.step, changes.after - changes.before
    (array([336]), array([10.]))
    """

    smallest: float = 3.0
    significance: float = 4.0
    lasting: float = 43_200.0
    most: int = 5

    def __post_init__(self) -> None:
        for name in ("smallest", "significance", "lasting"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"ChangePoints.{name} must be above 0. Got {getattr(self, name)!r}.")
        if self.most < 1:
            raise ValueError(f"ChangePoints.most must be 1 or more. Got {self.most!r}.")

    def find(self, residual: FloatArray, step: float, *, weekly: bool | None = None) -> Changes:
        """Find the changes of level.

        Parameters
        ----------
        residual : (n_series, n_steps) float64
            Samples less their season (`detectors.unseasoned`).
        step : float
            Seconds.
        weekly : bool or None
            Whether the season that was taken out was weekly. By default where there are two weeks to learn it from.
        """
        length = block_length(step)
        blocks = block_medians(residual, length)
        known = blocks.shape[1] >= 2 * WEEK / (length * step) - 1 if weekly is None else weekly
        lasting = self.lasting if known else max(self.lasting, OVER_A_WEEKEND)
        least = _Shortest.of(lasting / (length * step), alike=not known)
        segments = _whole(blocks)
        found: list[IntArray] = []
        for _ in range(self.most):
            segments = segments[:, segments[2] - least.level >= _soonest(blocks, segments, least)]
            split, kept = self._split(blocks, segments, least)
            if not kept.any():
                break
            row, first, last = segments[:, kept]
            found.append(np.stack([row, split[kept]]))
            segments = np.concatenate([[row, first, split[kept]], [row, split[kept], last]], axis=1)
        return _described(np.concatenate([np.zeros((2, 0), dtype=np.intp), *found], axis=1), blocks, residual, length)

    def _split(
        self, blocks: FloatArray, segments: IntArray, least: _Shortest
    ) -> tuple[IntArray, np.typing.NDArray[np.bool_]]:
        """Best split of each segment, and whether it is a change."""
        place = np.arange(blocks.shape[1])
        row, first, last = segments
        inside = (place >= first[:, None]) & (place < last[:, None])
        values = np.where(inside, blocks[row], np.nan)
        split, strength = _best_split(values, _soonest(blocks, segments, least), last - least.level)
        left, right = place < split[:, None], place >= split[:, None]
        low, high = median(np.where(left, values, np.nan)), median(np.where(right, values, np.nan))
        spread = _SIGMA * median(np.abs(values - np.where(left, low[:, None], high[:, None])))
        near = max(1, least.level // 2)
        here = median(np.where(left & (place >= (split - near)[:, None]), values, np.nan))
        there = median(np.where(right & (place < (split + near)[:, None]), values, np.nan))
        change = high - low
        floor = np.maximum(self.smallest * spread, _ROUNDING * np.maximum(np.abs(low), np.abs(high)))
        with np.errstate(invalid="ignore"):
            kept = (strength > self.significance) & (np.abs(change) > floor)
            kept &= (there - here) * np.sign(change) > 0.5 * np.abs(change)
        return split, kept


def learn_from(changes: Changes, times: FloatArray, n_series: int, settled: float = 0.0) -> FloatArray:
    """From when on each series' history belongs to its present level: (n_series,), seconds since the epoch.

    Parameters
    ----------
    changes : Changes
    times : (n_steps,) float64
        Of the history.
    n_series : int
    settled : float, default 0
        Seconds of a new level that are enough to learn from it alone. A change that was found has lasted half a day
        already (`ChangePoints.lasting`).

    Examples
    --------
    >>> changes = Changes(np.array([1]), np.array([20]), np.array([1.0]), np.array([5.0]))
    >>> learn_from(changes, 3600.0 * np.arange(100), n_series=2, settled=86400)
    array([    0., 72000.])
    """
    old = times[changes.step] <= times[-1] - settled if len(changes.step) else np.zeros(0, dtype=np.bool_)
    confirmed = Changes(changes.row[old], changes.step[old], changes.before[old], changes.after[old])
    return np.asarray(times[confirmed.last(n_series)])


def _whole(blocks: FloatArray) -> IntArray:
    """(3, n_series): row, first and one past the last block with a sample."""
    known = ~np.isnan(blocks)
    rows = np.flatnonzero(known.any(axis=1))
    first = known[rows].argmax(axis=1)
    last = known.shape[1] - known[rows, ::-1].argmax(axis=1)
    return np.stack([rows, first, last])


def _soonest(blocks: FloatArray, segments: IntArray, least: _Shortest) -> IntArray:
    """First block of each segment that may begin a new level."""
    row, first, _ = segments
    leaving = first == (~np.isnan(blocks[row])).argmax(axis=1)
    return np.asarray(first + np.where(leaving, least.leaving, least.level))


def _best_split(values: FloatArray, soonest: IntArray, latest: IntArray) -> tuple[IntArray, FloatArray]:
    """Where the CUSUM of each row is farthest from 0, and how far that is in standard deviations."""
    centred = values - median(values)[:, None]
    spread = _SIGMA * median(np.abs(centred))
    with np.errstate(divide="ignore", invalid="ignore"):
        clipped = np.where(spread[:, None] > 0, np.clip(centred / spread[:, None], -_CLIP, _CLIP), np.sign(centred))
    known = ~np.isnan(values)
    total = np.cumsum(np.where(known, clipped, 0.0), axis=1)
    count = np.cumsum(known, axis=1)
    n, whole = count[:, -1:], total[:, -1:]
    square = np.where(known, clipped**2, 0.0).sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = np.sqrt(square / n - (whole / n) ** 2)
        statistic = np.abs(total - count / n * whole) / (deviation * np.sqrt(count * (n - count) / n))
    column = np.arange(values.shape[1])
    allowed = (column + 1 >= soonest[:, None]) & (column + 1 <= latest[:, None])
    statistic = np.where(allowed & np.isfinite(statistic), statistic, 0.0)
    best = statistic.argmax(axis=1)
    return best + 1, np.take_along_axis(statistic, best[:, None], axis=1)[:, 0]


def _described(found: IntArray, blocks: FloatArray, residual: FloatArray, length: int) -> Changes:
    """Levels on both sides of each change, and the very step it began at."""
    row, split = found[:, np.lexsort((found[1], found[0]))]
    same_before = np.concatenate([[False], row[1:] == row[:-1]]) if len(row) else np.zeros(0, dtype=np.bool_)
    same_after = np.concatenate([row[1:] == row[:-1], [False]]) if len(row) else same_before
    first = np.where(same_before, np.roll(split, 1), 0)
    last = np.where(same_after, np.roll(split, -1), blocks.shape[1])
    place = np.arange(blocks.shape[1])
    values = blocks[row]
    before = median(np.where((place >= first[:, None]) & (place < split[:, None]), values, np.nan))
    after = median(np.where((place >= split[:, None]) & (place < last[:, None]), values, np.nan))
    return Changes(row, _dated(row, split * length, before, after, residual, length), before, after)


def _dated(
    row: IntArray, step: IntArray, before: FloatArray, after: FloatArray, residual: FloatArray, length: int
) -> IntArray:
    """The split within an hour of `step` that leaves the least to either level."""
    near = np.clip(step[:, None] + np.arange(-length, length), 0, residual.shape[1] - 1)
    values = residual[row[:, None], near]
    gain = np.nan_to_num(np.abs(values - before[:, None]) - np.abs(values - after[:, None]))
    # Steps before the split stay with the old level, those after it with the new one.
    saved = np.concatenate([np.zeros((len(row), 1)), np.cumsum(gain, axis=1)], axis=1)
    best = saved.argmin(axis=1) if len(row) else np.zeros(0, dtype=np.intp)
    return np.asarray(np.clip(step - length + best, 0, residual.shape[1] - 1), dtype=np.intp)
