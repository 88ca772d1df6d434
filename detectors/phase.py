"""Where each instant lies in its local day and week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from series import BoolArray, Calendar, FloatArray
from series.calendar import DAY, WEEK

IntArray = npt.NDArray[np.intp]

# Finer bins hold too few samples to learn from, and a profile is smooth at this scale.
FINEST_BIN = 300.0
HOURS = 24


@dataclass(frozen=True, eq=False)
class Phase:
    """Local clock of the columns of a window.

    Attributes
    ----------
    second : (n_steps,) float64
        Since local midnight.
    day : (n_steps,) intp
        Local days since the epoch.
    """

    second: FloatArray
    day: IntArray

    @classmethod
    def of(cls, times: FloatArray, calendar: Calendar) -> Phase:
        """Phase of each of `times` (seconds since the epoch)."""
        local = calendar.local(times)
        day = np.floor(local / DAY)
        return cls(local - day * DAY, day.astype(np.intp))

    def where(self, mask: BoolArray) -> Phase:
        """The columns that `mask` (n_steps,) names."""
        return Phase(self.second[mask], self.day[mask])

    def of_day(self, bins: int) -> IntArray:
        """(n_steps,) in [0, bins): which of `bins` equal parts of the day."""
        return np.minimum((self.second * (bins / DAY)).astype(np.intp), bins - 1)

    def of_week(self, bins: int) -> IntArray:
        """(n_steps,) in [0, 7 * bins): which of `bins` equal parts of each day of the week, Monday first."""
        return np.asarray(self.weekday * bins + self.of_day(bins))

    def weeks_back(self, from_: Phase) -> IntArray:
        """(n_steps,): whole weeks between each instant and the last one of `from_`."""
        local = self.day * DAY + self.second
        ago = (from_.day[-1] * DAY + from_.second[-1] - local) / WEEK
        return np.asarray(np.floor(ago), dtype=np.intp)

    @property
    def weekday(self) -> IntArray:
        """(n_steps,): Monday 0 to Sunday 6."""
        return np.asarray((self.day + 3) % 7)  # 1970-01-01 was a Thursday

    @property
    def weeks(self) -> int:
        """Whole weeks from the first instant to the last, one step more or less."""
        days = self.day[-1] - self.day[0] + (self.second[-1] - self.second[0]) / DAY
        return int(round(days, 1) // 7)


def day_bins(step: float) -> int:
    """Number of bins of a day for samples `step` seconds apart: as fine as the samples, at most 288."""
    return max(1, round(DAY / max(step, FINEST_BIN)))


@dataclass(frozen=True, eq=False)
class Between:
    """Reads a circular profile at any instant, linearly between the middles of its bins."""

    left: IntArray
    right: IntArray
    weight: FloatArray

    @classmethod
    def of(cls, place: FloatArray, bins: int) -> Between:
        """Reader for `place` (n_steps,), counted in bins from the start of the circle."""
        shifted = place - 0.5
        left = np.floor(shifted)
        first = left.astype(np.intp) % bins
        return cls(first, (first + 1) % bins, shifted - left)

    def read(self, profile: FloatArray) -> FloatArray:
        """(n_series, n_steps) from `profile` (n_series, bins)."""
        low = profile[:, self.left]
        return low + self.weight * (profile[:, self.right] - low)
