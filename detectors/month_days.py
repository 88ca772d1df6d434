"""What a series does on the first and on the last days of months, as far as its past shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from detectors.habit import EXPECTED, Range, habit_of, nearest_to_none
from detectors.phase import IntArray, Phase, day_bins
from detectors.profile import Profile
from detectors.robust import median
from detectors.samples import ROUNDING
from detectors.shape import fold
from detectors.width import Width
from series import BoolArray, FloatArray
from series.calendar import DAY
from series.occasions import FIRST, LAST, LAST_WORKING, Rows

# Days before one of these kinds comes again: what a shorter history shows would not be asked for.
A_MONTH = 28
# Days of the month that are judged alike: the last working day may be the last day, or come before it.
NONE, ON_FIRST, ON_LAST, ON_LAST_WORKING, ON_BOTH = range(-1, 4)


def kind_of_day(rows: Rows) -> IntArray:
    """(n_steps,): which of the days of the month that are judged alike each step lies in, NONE for any other day."""
    last, working = rows[LAST], rows[LAST_WORKING]
    kind = np.select([rows[FIRST], last & working, last, working], [ON_FIRST, ON_BOTH, ON_LAST, ON_LAST_WORKING], NONE)
    return np.asarray(kind, dtype=np.intp)


@dataclass(frozen=True, eq=False)
class MonthDays:
    """What days of the month add to the season, by time of day, where two such days or more showed it.

    What one day showed, the only one of its kind in the history, widens the band until there is a second; so does what
    was seen on days that were both the last and the last working one, where the next is only one of them. What is
    within the band of an ordinary day is no habit, and what only one of several days did is none either.

    Attributes
    ----------
    rows : (n_found,) intp
        Series that have such a habit.
    least, usual, most : (n_found, 4, bins) float64
        What is added by each kind of day in each part of the day; 0 throughout where nothing is known.
    """

    rows: IntArray
    least: FloatArray
    usual: FloatArray
    most: FloatArray

    @classmethod
    def learn(
        cls,
        values: FloatArray,
        kind: IntArray,
        profile: Profile,
        sides: Width,
        phase: Phase,
        step: float,
        memory: float,
    ) -> Self | None:
        """Learn from a past; None where it is shorter than a month, or shows no habit.

        Parameters
        ----------
        values : (n_series, n_steps) float64
            Samples of ordinary times, days of the month included; NaN where there is none.
        kind : (n_steps,) intp
            That of each day.
        profile : Profile
        sides : Width
            What an ordinary sample may be off.
        phase : Phase
            Of the n_steps.
        step, memory : float
            Seconds; those of a step, and those before and after such days that their level is read from.
        """
        over = phase.day < phase.day[-1] + (phase.second[-1] + 1.5 * step >= DAY)  # a day under way teaches nothing
        on = (kind != NONE) & over
        if not on.any() or phase.day[-1] - phase.day[0] < A_MONTH - 1:
            return None
        left = _apart(values, kind, profile, phase, max(1, round(memory / step)))[:, over[kind != NONE]]
        kinds, days = _by_day(left, kind[on], phase.where(on), step)
        rounding = ROUNDING * np.abs(np.nan_to_num(values[:, on])).max(axis=1, keepdims=True)
        beyond = [np.maximum(side, rounding) for side in sides.at(_middles(days.shape[2]))]

        def shown_on(*among: int) -> Range:
            return habit_of(days[:, np.isin(kinds, among)], *beyond)

        last, working = shown_on(ON_LAST, ON_BOTH), shown_on(ON_LAST_WORKING, ON_BOTH)
        alone = [
            shown_on(only) if np.count_nonzero(kinds == only) >= EXPECTED else either.possible()
            for only, either in ((ON_LAST, last), (ON_LAST_WORKING, working))
        ]
        in_order = shown_on(ON_FIRST), *alone, last.each(working)
        least, usual, most = (np.stack(part, axis=1) for part in zip(*in_order, strict=True))
        rows = np.flatnonzero(((least != 0) | (most != 0)).any(axis=(1, 2)))
        return cls(rows, least[rows], usual[rows], most[rows]) if len(rows) else None

    @property
    def expected(self) -> BoolArray:
        """(n_found,): whether anything is expected of such days, other than that it may come."""
        return np.asarray((self.usual != 0).any(axis=(1, 2)))

    def touched(self, phase: Phase, kind: IntArray) -> BoolArray:
        """(n_found, n_steps): whether a step of those kinds of days is no ordinary time."""
        added = self.at(phase, kind, np.zeros(len(kind), dtype=np.bool_))
        return np.asarray((added.least != 0) | (added.most != 0))

    def at(self, phase: Phase, kind: IntArray, doubtful: BoolArray) -> Range:
        """(n_found, n_steps) each, for steps of those kinds of days; what is `doubtful` (n_steps,) may come or not."""
        on = kind != NONE
        bin_ = phase.where(on).of_day(self.usual.shape[2])
        known = Range(*(part[:, kind[on], bin_] for part in (self.least, self.usual, self.most)))
        parts = np.zeros((3, len(self.rows), len(kind)))
        for part, sure, maybe in zip(parts, known, known.possible(), strict=True):
            part[:, on] = np.where(doubtful[on], maybe, sure)
        return Range(*parts)


def _apart(values: FloatArray, kind: IntArray, profile: Profile, phase: Phase, around: int) -> FloatArray:
    """(n_series, n_on): what the days of the month leave of the season and of the level of the `around` other steps.

    The level is that before or that after such days, whichever leaves less: a level that wanders is no habit.
    """
    on = kind != NONE
    left = values[:, on] - profile.at(phase.where(on))
    edges = np.flatnonzero(np.diff(on, prepend=False, append=False))
    ends = np.cumsum(edges[1::2] - edges[::2])
    for first, last, end in zip(edges[::2], edges[1::2], ends, strict=True):
        levels = []
        for side in (slice(max(0, first - around), first), slice(last, last + around)):
            beside = phase.where(_only(side, len(kind)))
            levels.append(median(np.where(on[side], np.nan, values[:, side] - profile.at(beside))))
        known = [np.where(np.isnan(one), other, one) for one, other in (levels, levels[::-1])]
        block = slice(end - (last - first), end)
        left[:, block] = nearest_to_none(*(left[:, block] - one[:, None] for one in known))
    return left


def _only(which: slice, n_steps: int) -> BoolArray:
    mask = np.zeros(n_steps, dtype=np.bool_)
    mask[which] = True
    return mask


def _by_day(left: FloatArray, kind: IntArray, phase: Phase, step: float) -> tuple[IntArray, FloatArray]:
    """Kind of each day (n_days,), and what `left` (n_series, n_steps) holds of it by time of day: (n, n_days, bins)."""
    _, first, place = np.unique(phase.day, return_index=True, return_inverse=True)
    bins = day_bins(step)
    cells = fold(left, place * bins + phase.of_day(bins), len(first) * bins, most=math.ceil(DAY / bins / step))
    return kind[first], cells.reshape(len(left), len(first), bins)


def _middles(bins: int) -> Phase:
    return Phase(np.linspace(0.0, DAY, bins, endpoint=False) + DAY / bins / 2, np.zeros(bins, dtype=np.intp))
