"""From scores to what is worth telling a person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from series import BoolArray, FloatArray

FEWEST_QUIET = 3


@dataclass(kw_only=True, eq=False)
class Suppression:
    """Alarm state of many series, from their scores, one step at a time.

    An alarm starts when a score is so high that no second look is needed, or when enough of the last steps lie
    above the threshold of 1. It ends after a quiet while, not with the first step below: an incident that comes
    and goes calls once.

    Parameters
    ----------
    hold, within : int, default 2 of 3
        An alarm starts when `hold` of the last `within` scores are above 1 ...
    at_once : float, default 1.5
        ... or when one score is above this.
    release : float, default 1
        Scores up to it are quiet ones.
    quiet : float, default 600
        Seconds without anything else that end an alarm, three steps at least. A step without a sample changes
        nothing.

    Examples
    --------
    >>> scores = np.array([[0.2, 1.5, 0.1, 1.2, 1.3, 0.9, 0.1, 0.1]])
    >>> Suppression(hold=2, within=3, quiet=120).alarms(scores, step=60).astype(int)
    array([[0, 0, 0, 1, 1, 1, 1, 0]])
    """

    hold: int = 2
    within: int = 3
    at_once: float = 1.5
    release: float = 1.0
    quiet: float = 600.0

    def __post_init__(self) -> None:
        if not 1 <= self.hold <= self.within:
            raise ValueError(f"Suppression.hold must be from 1 to within ({self.within}). Got {self.hold!r}.")
        if not self.at_once >= 1:
            raise ValueError(f"Suppression.at_once must be 1 or more. Got {self.at_once!r}.")
        if not 0 < self.release <= 1:
            raise ValueError(f"Suppression.release must be above 0 and at most 1. Got {self.release!r}.")
        if not self.quiet >= 0:
            raise ValueError(f"Suppression.quiet must be 0 seconds or more. Got {self.quiet!r}.")

    def start(self, n_series: int, step: float) -> Alarms:
        """State of `n_series` series, `step` seconds between two scores, of which nothing is known yet."""
        nothing = np.zeros((n_series, self.within), dtype=np.bool_)
        patience = max(FEWEST_QUIET, round(self.quiet / step))
        return Alarms(self, patience, nothing[:, 0].copy(), nothing, np.zeros(n_series, dtype=np.int64))

    def alarms(self, scores: FloatArray, step: float) -> BoolArray:
        """Alarm state (n_series, n_steps) after each of `scores` (n_series, n_steps), `step` seconds apart."""
        state = self.start(len(scores), step)
        alarms = np.empty(scores.shape, dtype=np.bool_)
        for column in range(scores.shape[1]):
            alarms[:, column] = state.update(scores[:, column])
        return alarms


@dataclass(eq=False)
class Alarms:
    """What `Suppression` remembers between two steps.

    Attributes
    ----------
    rule : Suppression
    patience : int
        Quiet steps in a row that end an alarm.
    firing : (n_series,) bool
    recent : (n_series, within) bool
        Whether the last steps with a sample were above 1, oldest first.
    calm : (n_series,) int64
        Quiet steps in a row.
    """

    rule: Suppression
    patience: int
    firing: BoolArray
    recent: BoolArray
    calm: np.typing.NDArray[np.int64]

    def update(self, score: FloatArray) -> BoolArray:
        """Take one step's scores (n_series,) in; whether each series is in alarm now."""
        rule, known = self.rule, ~np.isnan(score)
        shifted = np.concatenate([self.recent[:, 1:], (score > 1)[:, None]], axis=1)
        self.recent = np.where(known[:, None], shifted, self.recent)
        self.calm = np.where(known, np.where(score <= rule.release, self.calm + 1, 0), self.calm)
        begins = known & (score > 1) & ((score > rule.at_once) | (self.recent.sum(axis=1) >= rule.hold))
        self.firing = begins | (self.firing & (self.calm < self.patience))
        return self.firing
