"""What some days have in common that ordinary days have not, by time of day."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detectors.phase import HOURS
from detectors.robust import median
from series import BoolArray, FloatArray
from series.calendar import DAY

# What a habit does may come so many seconds early or late: jobs start by the clock, and last as long as they take.
REACH = 1_800.0
# Beyond the band somewhere, a habit goes on for as long as it takes this share of the band's half width.
LASTING = 0.35
# A month end that is somewhat stronger than those before is no news: as for other habits (`detectors.familiar`).
MARGIN = 0.3
# Days of a kind that must show a habit before it is expected, and before it is news that it stays away.
EXPECTED, CERTAIN = 2, 3


class Range(NamedTuple):
    """What is added to an ordinary time: at least, as expected, at most; of equal shapes, in the unit of the series."""

    least: FloatArray
    usual: FloatArray
    most: FloatArray

    def each(self, *ranges: Range) -> Range:
        """One that holds this one and all of `ranges`, and expects what is farthest from 0."""
        least, most = (
            part.reduce([getattr(one, name) for one in (self, *ranges)])
            for part, name in ((np.minimum, "least"), (np.maximum, "most"))
        )
        usual = self.usual
        for one in ranges:
            usual = np.where(np.abs(one.usual) > np.abs(usual), one.usual, usual)
        return Range(least, usual, most)

    def possible(self) -> Range:
        """What may come or not: nothing is expected, and both are held."""
        return Range(np.minimum(self.least, 0.0), np.zeros_like(self.usual), np.maximum(self.most, 0.0))


def habit_of(days: FloatArray, above: FloatArray, below: FloatArray) -> Range:
    """What days (n_series, n_days, bins) of one kind have in common beyond the band of other days (n_series, bins)."""
    nothing = np.zeros_like(above)
    habit = Range(nothing, nothing.copy(), nothing.copy())
    if not days.shape[1]:
        return habit
    bins = days.shape[2]
    reach = max(1, round(REACH * bins / DAY)) if bins >= HOURS else 0
    low, high = (_middle(extreme(_near(days, reach), axis=3)) for extreme in (np.fmin.reduce, np.fmax.reduce))
    beyond = (nearest_to_none(*high) > above) | (nearest_to_none(*low) < -below)
    rows = np.flatnonzero(beyond.any(axis=1))
    if not len(rows):
        return habit
    steady = nearest_to_none(*_middle(median(_near(days[rows], reach))))
    width = LASTING * np.where(steady > 0, above[rows], below[rows])
    lasting = _touched_runs(np.abs(steady) > width, beyond[rows])
    seen = np.count_nonzero(days[rows] == days[rows], axis=1)
    least, most = low[0][rows], high[1][rows]
    sure = Range(least - MARGIN * np.abs(least), steady, most + MARGIN * np.abs(most))
    least, nothing, most = sure.possible()
    certain, expected, found = lasting & (seen >= CERTAIN), lasting & (seen >= EXPECTED), lasting | beyond[rows]
    habit.least[rows] = np.where(found, np.where(certain, sure.least, least), 0.0)
    habit.usual[rows] = np.where(expected, steady, nothing)
    habit.most[rows] = np.where(found, np.where(certain, sure.most, most), 0.0)
    return habit


def _touched_runs(mask: BoolArray, at: BoolArray) -> BoolArray:
    """Runs of `mask` (n, bins) that hold a bin of `at`."""
    run = np.cumsum(np.diff(mask, axis=1, prepend=False), axis=1) + np.arange(len(mask))[:, None] * (mask.shape[1] + 1)
    return np.asarray(mask & np.isin(run, run[mask & at]))


def _middle(days: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The median over axis 1, NaN left out, or the two in the middle of an even number."""
    ordered, known = np.sort(days, axis=1), np.count_nonzero(days == days, axis=1)
    lower, upper = (
        np.take_along_axis(ordered, at[:, None], axis=1)[:, 0] for at in (np.maximum(known - 1, 0) // 2, known // 2)
    )
    return lower, upper


def nearest_to_none(first: FloatArray, second: FloatArray) -> FloatArray:
    """What of a change two estimates have in common: the smaller, 0 where they disagree on its sign."""
    smaller = np.where(np.abs(first) < np.abs(second), first, second)
    return np.asarray(np.where(first * second < 0, 0.0, smaller))


def _near(days: FloatArray, reach: int) -> FloatArray:
    """(n_series, n_days, bins, 2 * reach + 1): what lies within `reach` bins of each; NaN beyond the day."""
    padded = np.pad(days, ((0, 0), (0, 0), (reach, reach)), constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=2)
