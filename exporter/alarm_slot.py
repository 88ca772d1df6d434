"""Alarm state of a query's series: it outlives fits, and rows that move."""

from __future__ import annotations

import math

import numpy as np

from detectors.suppress import Alarms, Suppression
from series import BoolArray, FloatArray, SeriesKey, Window


class AlarmSlot:
    """Alarm state of a query's series; it outlives fits, and rows that move."""

    def __init__(self, rule: Suppression, step: float) -> None:
        self._rule = rule
        self._step = step
        self._keys: tuple[SeriesKey, ...] = ()
        self._state: Alarms | None = None
        self._until = -math.inf

    def update(self, recent: Window, scores: FloatArray) -> BoolArray:
        """Take in the steps of `recent` that are new.

        Parameters
        ----------
        recent : Window
            The steps since the last fit.
        scores : (n_series, n_steps) float64
            Of these steps.

        Returns
        -------
        (n_series,) bool
            Whether each series is in alarm after the last step.
        """
        if recent.times[-1] < self._until:  # the clock was set back
            self._state, self._until = None, -math.inf
        if self._state is None or recent.keys != self._keys:
            self._state = self._carried_over(recent)
            self._keys = recent.keys
        for column in np.flatnonzero(recent.times > self._until).tolist():
            self._state.update(scores[:, column])
        self._until = float(recent.times[-1])
        return self._state.firing

    def _carried_over(self, recent: Window) -> Alarms:
        fresh = self._rule.start(recent.n_series, self._step)
        if self._state is not None:
            place = {key: row for row, key in enumerate(self._keys)}
            known = [(row, place[key]) for row, key in enumerate(recent.keys) if key in place]
            for new, old in known:
                fresh.firing[new], fresh.recent[new] = self._state.firing[old], self._state.recent[old]
                fresh.calm[new] = self._state.calm[old]
        return fresh
