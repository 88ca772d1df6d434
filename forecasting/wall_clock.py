"""Histories in local time, so that a nightly job stays at its hour when the clocks change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from forecasting.shapes import Steps
from series import Calendar, FloatArray, Window

# What lies beyond counts as no sample: sums of such values would overflow.
_LARGEST = 1e290


@dataclass(frozen=True, eq=False)
class WallClock:
    """Columns of a history as a clock on the wall numbers them.

    Where the clocks go forward, columns stay empty; where they go back, two share a column and the later one stays.

    Attributes
    ----------
    columns : (n_steps,) int
        Local column of each column of the history, from 0.
    """

    calendar: Calendar
    start: float
    step: float
    columns: Steps

    @classmethod
    def of(cls, calendar: Calendar, history: Window) -> Self:
        """Number the columns of a history of two or more."""
        start = float(calendar.local(history.times[:1])[0])
        return cls(calendar, start, history.step, _columns(calendar, history.times, start, history.step))

    def local(self, values: FloatArray) -> FloatArray:
        """(n_series, n_local) float64: a copy of the values in local columns, NaN where there is none."""
        placed = np.full((len(values), int(self.columns.max()) + 1), np.nan)
        placed[:, self.columns] = np.where(np.abs(values) < _LARGEST, values, np.nan)
        return placed

    def leads(self, times: FloatArray) -> Steps:
        """How many local columns after the last one these instants lie: 1 or more.

        In the hour that comes twice, the second time stands for both.
        """
        columns = _columns(self.calendar, times, self.start, self.step)
        return np.maximum(columns - int(self.columns.max()), 1)


def _columns(calendar: Calendar, times: FloatArray, start: float, step: float) -> Steps:
    return np.rint((calendar.local(times) - start) / step).astype(np.intp)
