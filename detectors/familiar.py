"""What a series did before is no news."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.calibrate import exceeded
from detectors.phase import HOURS, IntArray, Phase
from series import FloatArray
from series.calendar import DAY

# A score that happens this often in a history is part of how the series is: an event a week is within the budget.
OFTEN = 3
# What happens at the same hour on this many of the last days is a habit, such as a new nightly job ...
HABIT = 2
HABIT_DAYS = 7
# ... or at the same hour of the same weekday on as many of the last weeks: a job of Sunday night.
HABIT_WEEKS = 3
A_WEEK = 7 * HOURS
# ... and a day on which the habit is somewhat stronger is no news either.
MARGIN = 1.3
# The history's own verdict on the threshold counts half (a geometric mean), as it is itself uncertain, and no more
# than these.
TRUST = 0.5
SMALLEST, LARGEST = 0.2, 3.0


@dataclass(frozen=True, eq=False)
class Familiar:
    """Scores that a series is used to, by hour of day and week.

    Four things a history says of a score are put together: which one it exceeds `rate` times a day, as far as
    extreme values tell (`detectors.calibrate`); which one it reached on three days or more, whatever the hour; which
    one it reached at about the same hour on two of the last seven days; and which one at about the same hour of the
    same weekday in both of the last two weeks, or in two of the last three. A rank among past days needs no
    distribution, so that a series with rare large events calls as seldom as a quiet one.

    Attributes
    ----------
    usual : (n_series,) float64
        What scores are divided by at any hour.
    hourly : (n_series, 24) float64
        The same by local hour, at least `usual`.
    weekly : (n_series, 168) float32
        Habits by local hour of the week, Monday first, in the same unit; less than `usual` where there is none.

    References
    ----------
    Laxhammar and Falkman (2014), Online Learning and Sequential Anomaly Detection in Trajectories: ranks among past
    scores as a threshold (conformal prediction).
    """

    usual: FloatArray
    hourly: FloatArray
    weekly: npt.NDArray[np.float32]

    @classmethod
    def learn(cls, scores: FloatArray, phase: Phase, step: float, *, rate: float, trust: float = TRUST) -> Familiar:
        """Familiar scores of a history.

        Parameters
        ----------
        scores : (n_series, n_steps) float64
            NaN where there is none.
        phase : Phase
            Of the n_steps.
        step : float
            Seconds.
        rate : float
            Times a day that an ordinary series may exceed 1.
        trust : float
            0 to 1: how much the extreme values count.
        """
        if not len(phase.day):
            nothing = np.ones((len(scores), HOURS + A_WEEK))
            return cls(nothing[:, 0], nothing[:, :HOURS], nothing[:, HOURS:].astype(np.float32))
        scale = np.clip(exceeded(scores, step, rate), SMALLEST, LARGEST) ** trust
        scaled = scores / scale[:, None]
        worst = _by_day_and_hour(scaled, phase)
        often = np.maximum(_largest(worst.max(axis=2), OFTEN), 1.0)
        recent = worst[:, -HABIT_DAYS:]
        near = np.maximum(recent, np.maximum(np.roll(recent, 1, axis=2), np.roll(recent, -1, axis=2)))
        hourly = np.maximum(often[:, None], _stronger(_largest(near, HABIT)))
        weekly = scale[:, None] * _stronger(_by_week(scaled, phase))
        return cls(scale * often, scale[:, None] * hourly, weekly.astype(np.float32))

    def settle(self, scores: FloatArray, phase: Phase, least: FloatArray | float = 0.0) -> FloatArray:
        """(n_series, n_steps): `scores` of which 1 is the threshold again.

        Parameters
        ----------
        scores : (n_series, n_steps) float64
        phase : Phase
            Of the n_steps.
        least : (n_series, n_steps) float64, optional
            Scores that are familiar for other reasons; NaN for none.
        """
        used_to = np.maximum(self.hourly[:, phase.of_day(HOURS)], self.weekly[:, phase.of_week(HOURS)])
        return np.asarray(scores / np.fmax(used_to, least))


def _by_day_and_hour(scores: FloatArray, phase: Phase) -> FloatArray:
    """(n_series, days, 24): largest score of each local hour; days of 24 hours counted back from the last step."""
    local = phase.day * DAY + phase.second
    ago = np.floor((local[-1] - local) / DAY).astype(np.intp)
    days = round((local[-1] - local[0]) / DAY) or 1
    cell = np.where(ago < days, (days - 1 - ago) * HOURS + phase.of_day(HOURS), -1)
    return _by_cell(scores, cell, days * HOURS).reshape(len(scores), days, HOURS)


def _by_week(scores: FloatArray, phase: Phase) -> FloatArray:
    """(n_series, 168): what two of the last weeks reached within an hour of each hour of the week, Monday first."""
    hour = phase.day * HOURS + phase.of_day(HOURS)
    ago = hour[-1] - hour
    weeks = int(min((ago[0] + 2) // A_WEEK, HABIT_WEEKS))  # one hour less where clocks were put forward
    if weeks < HABIT:
        return np.zeros((len(scores), A_WEEK))
    largest = _by_cell(scores, weeks * A_WEEK - 1 - ago, weeks * A_WEEK)
    near = largest.copy()
    near[:, 1:] = np.maximum(near[:, 1:], largest[:, :-1])
    near[:, :-1] = np.maximum(near[:, :-1], largest[:, 1:])
    habit = _largest(near.reshape(len(scores), weeks, A_WEEK), HABIT)
    return np.roll(habit, int(phase.of_week(HOURS)[-1]) + 1, axis=1)


def _by_cell(scores: FloatArray, cell: IntArray, cells: int) -> FloatArray:
    """(n_series, cells): largest of the scores in each cell, 0 without one; those in a cell below 0 are left out."""
    kept = np.flatnonzero(cell >= 0)
    begins = np.flatnonzero(np.diff(cell[kept], prepend=-1))
    largest = np.zeros((cells, len(scores)))
    runs = np.maximum.reduceat(np.nan_to_num(scores[:, kept]), begins, axis=1)
    np.maximum.at(largest, cell[kept][begins], runs.T)
    return largest.T


def _stronger(habit: FloatArray) -> FloatArray:
    return 1 + MARGIN * (np.maximum(habit, 1.0) - 1)


def _largest(values: FloatArray, rank: int) -> FloatArray:
    """The `rank`-th largest over axis 1, 0 where there are fewer."""
    if values.shape[1] < rank:
        return np.zeros(np.delete(values.shape, 1))
    return np.asarray(np.partition(values, -rank, axis=1)[:, -rank])
