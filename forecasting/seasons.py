"""Which periods a history may show, told by its length and step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from series import FloatArray
from series.calendar import DAY, WEEK

HOUR = 3_600
# Fewer steps than this have no shape worth learning.
_SHORTEST = 4
# Waves of a day; waves of a week, which go up to nearly four a day and tell one weekday from another.
_DAILY, _WEEKLY = 10, 27


@dataclass(frozen=True, eq=False)
class Seasons:
    """Periods to try; whether a series has them is found by the errors of what builds on them.

    Attributes
    ----------
    named : tuple of (str, int)
        Day, week, hour, as far as the history holds two of them, with their steps.
    nested : (int, int) or None
        Day and week where both are there.
    waves : (n_waves,) float64
        Periods of the sines of the regression; steps. Those of the day come first.
    n_daily : int
        How many of them are of the day.
    levels : tuple of float
        Time constants of the levels; steps.
    unit : int
        Steps between instants that are alike: a day, or else a small part of the history.
    """

    named: tuple[tuple[str, int], ...]
    nested: tuple[int, int] | None
    waves: FloatArray
    n_daily: int
    levels: tuple[float, ...]
    unit: int

    @classmethod
    def of(cls, step: float, n_steps: int) -> Seasons:
        """Seasons of a history of `n_steps` columns, `step` seconds apart."""
        day, week, hour = (round(season / step) for season in (DAY, WEEK, HOUR))
        spans = (("day", day), ("week", week), ("hour", hour))
        named = tuple((name, period) for name, period in spans if _SHORTEST <= period <= n_steps // 2)
        periods = tuple(period for _, period in named)
        has_day = day in periods
        nested = (day, week) if has_day and week == 7 * day and week in periods else None
        rhythm = float(day) if has_day else max(n_steps / 4, 1.0)
        daily = [day / k for k in range(1, min(_DAILY, day // 2 - 1) + 1) if has_day]
        weekly = [week / k for k in range(1, _WEEKLY + 1) if nested and k % 7]
        return cls(
            named,
            nested,
            np.array(daily + weekly, dtype=np.float64),
            len(daily),
            (0.3, max(rhythm / 48, 0.3), max(rhythm / 8, 0.5), rhythm, 7 * rhythm),
            day if has_day and 3 * day <= n_steps else max(n_steps // 40, 1),
        )

    @property
    def periods(self) -> tuple[int, ...]:
        """Steps of each named season."""
        return tuple(period for _, period in self.named)

    def n_waves(self, n_steps: int) -> int:
        """How many of the waves `n_steps` columns show twice or more: all, those of the day, or none."""
        if self.nested and n_steps >= 2 * self.nested[1]:
            return len(self.waves)
        return self.n_daily if self.n_daily and n_steps >= 2 * self.waves[0] else 0
