"""Alarm state of a query's series: it outlives fits, rows that move, and restarts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.fleet import held_back
from detectors.suppress import Alarms, Suppression
from exporter.models.stored import Tree
from series import BoolArray, FloatArray, SeriesKey


@dataclass(frozen=True, eq=False)
class AlarmState:
    """Alarms after a step, as nobody changes them any more.

    Attributes
    ----------
    recent : (n_series, within) bool
        Whether the last steps were above 1, oldest first.
    calm : (n_series,) int64
        Quiet steps in a row.
    patience : int
        Quiet steps in a row that end an alarm.
    begun, peak : (n_series,) float64
        As of `AlarmSlot`.
    """

    recent: BoolArray
    calm: npt.NDArray[np.int64]
    patience: int
    begun: FloatArray
    peak: FloatArray


class AlarmSlot:
    """Alarm state of a query's series.

    Parameters
    ----------
    rule : Suppression
    step : float
        Seconds between two scores.

    Attributes
    ----------
    until : float
        Last instant that was taken in, -inf for none.
    begun : (n_series,) float64
        When each alarm began, seconds since the epoch; NaN without an alarm.
    peak : (n_series,) float64
        Highest score of the alarm so far.
    """

    def __init__(self, rule: Suppression, step: float) -> None:
        self._rule = rule
        self._step = step
        self._keys: tuple[SeriesKey, ...] = ()
        self._state = rule.start(0, step)
        self.until = -math.inf
        self.begun, self.peak = np.empty(0), np.empty(0)

    @property
    def state(self) -> AlarmState:
        """How things stand after the last step."""
        return AlarmState(self._state.recent, self._state.calm, self._state.patience, self.begun, self.peak)

    def forget(self) -> None:
        """Start anew, as where the clock was set back."""
        self._keys, self._state, self.until = (), self._rule.start(0, self._step), -math.inf
        self.begun, self.peak = np.empty(0), np.empty(0)

    def update(self, keys: tuple[SeriesKey, ...], times: FloatArray, scores: FloatArray) -> BoolArray:
        """Take in steps that are new.

        Parameters
        ----------
        keys : tuple of SeriesKey, length n_series
        times : (n_steps,) float64
            Later than `until`.
        scores : (n_series, n_steps) float64
            NaN where there is none, which changes nothing.

        Returns
        -------
        (n_series,) bool
            Whether each series is in alarm after the last step.
        """
        if keys is not self._keys and keys != self._keys:
            self._state = self._carried_over(keys)
        self._keys = keys
        for column in range(scores.shape[1]):
            before = self._state.firing
            firing = self._state.update(scores[:, column])
            if (starting := firing & ~before).any():  # what chance brings among so many waits until it is surer
                firing = self._state.firing = firing & ~held_back(scores[:, column], starting, self._step)
            self.begun = np.where(firing, np.where(np.isnan(self.begun), times[column], self.begun), np.nan)
            self.peak = np.where(firing, np.fmax(self.peak, scores[:, column]), 0.0)
        if len(times):
            self.until = float(times[-1])
        return self._state.firing

    def _carried_over(self, keys: tuple[SeriesKey, ...]) -> Alarms:
        fresh = self._rule.start(len(keys), self._step)
        place = {key: row for row, key in enumerate(self._keys)}
        old = np.fromiter((place.get(key, -1) for key in keys), dtype=np.intp, count=len(keys))
        new = np.flatnonzero(old >= 0)
        fresh.firing[new], fresh.recent[new] = self._state.firing[old[new]], self._state.recent[old[new]]
        fresh.calm[new] = self._state.calm[old[new]]
        begun, peak = np.full(len(keys), np.nan), np.zeros(len(keys))
        begun[new], peak[new] = self.begun[old[new]], self.peak[old[new]]
        self.begun, self.peak = begun, peak
        return fresh

    def dump(self, number: Callable[[SeriesKey], int]) -> Tree:
        """What outlives a restart; `number` gives each series a number to stand for it."""
        state, keys = self._state, self._keys
        return {
            "keys": np.fromiter((number(key) for key in keys), dtype=np.int64, count=len(keys)),
            "until": self.until,
            "firing": state.firing,
            "recent": state.recent,
            "calm": state.calm,
            "begun": self.begun,
            "peak": self.peak,
        }

    def load(self, kept: Tree, keys: Sequence[SeriesKey]) -> None:
        """Take over what `dump` gave; `keys` are the series by their numbers."""
        self._keys = tuple(keys[number] for number in kept["keys"].tolist())
        self._state = self._rule.start(len(self._keys), self._step)
        self._state.firing, self._state.recent, self._state.calm = kept["firing"], kept["recent"], kept["calm"]
        self.until, self.begun, self.peak = kept["until"], kept["begun"], kept["peak"]
