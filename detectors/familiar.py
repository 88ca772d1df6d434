"""What a series did before is no news."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.calibrate import exceeded
from detectors.phase import HOURS, Phase
from series import FloatArray
from series.calendar import DAY

# A score that happens this often in a history is part of how the series is: an event a week is within the budget.
OFTEN = 3
# What happens at the same hour on this many of the last days is a habit, such as a new nightly job ...
HABIT = 2
HABIT_DAYS = 7
# ... and a day on which the habit is somewhat stronger is no news either.
MARGIN = 1.3
# The history's own verdict on the threshold counts half (a geometric mean), as it is itself uncertain, and no more
# than these.
TRUST = 0.5
SMALLEST, LARGEST = 0.2, 3.0


@dataclass(frozen=True, eq=False)
class Familiar:
    """Scores that a series is used to, by hour of the day.

    Three things a history says of a score are put together: which one it exceeds `rate` times a day, as far as
    extreme values tell (`detectors.calibrate`); which one it reached on three days or more, whatever the hour; and
    which one it reached at about the same hour on two of the last seven days. A rank among past days needs no
    distribution, so that a series with rare large events calls as seldom as a quiet one.

    Attributes
    ----------
    usual : (n_series,) float64
        What scores are divided by at any hour.
    hourly : (n_series, 24) float64
        The same by local hour, at least `usual`.

    References
    ----------
    Laxhammar and Falkman (2014), Online Learning and Sequential Anomaly Detection in Trajectories: ranks among past
    scores as a threshold (conformal prediction).
    """

    usual: FloatArray
    hourly: FloatArray

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
            return cls(np.ones(len(scores)), np.ones((len(scores), HOURS)))
        scale = np.clip(exceeded(scores, step, rate), SMALLEST, LARGEST) ** trust
        worst = _by_day_and_hour(scores / scale[:, None], phase)
        often = np.maximum(_largest(worst.max(axis=2), OFTEN), 1.0)
        recent = worst[:, -HABIT_DAYS:]
        near = np.maximum(recent, np.maximum(np.roll(recent, 1, axis=2), np.roll(recent, -1, axis=2)))
        habit = np.maximum(_largest(near, HABIT), 1.0)
        hourly = np.maximum(often[:, None], 1 + MARGIN * (habit - 1))
        return cls(scale * often, scale[:, None] * hourly)

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
        return np.asarray(scores / np.fmax(self.hourly[:, phase.of_day(HOURS)], least))


def _by_day_and_hour(scores: FloatArray, phase: Phase) -> FloatArray:
    """(n_series, days, 24): largest score of each local hour; days of 24 hours counted back from the last step."""
    local = phase.day * DAY + phase.second
    ago = np.floor((local[-1] - local) / DAY).astype(np.intp)
    days = round((local[-1] - local[0]) / DAY) or 1
    kept = np.flatnonzero(ago < days)
    cell = (days - 1 - ago[kept]) * HOURS + phase.of_day(HOURS)[kept]
    begins = np.flatnonzero(np.diff(cell, prepend=-1))
    largest = np.zeros((days * HOURS, len(scores)))
    runs = np.maximum.reduceat(np.nan_to_num(scores[:, kept]), begins, axis=1)
    np.maximum.at(largest, cell[begins], runs.T)
    return largest.T.reshape(len(scores), days, HOURS)


def _largest(values: FloatArray, rank: int) -> FloatArray:
    """The `rank`-th largest over axis 1, 0 where there are fewer."""
    if values.shape[1] < rank:
        return np.zeros(np.delete(values.shape, 1))
    return np.asarray(np.partition(values, -rank, axis=1)[:, -rank])
