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
# Waves of a year; and of a week of days, whose steps hold no more.
_YEARLY, _OF_DAYS = 2, 3
YEAR = 365.2425 * DAY


@dataclass(frozen=True, eq=False)
class Seasons:
    """Periods to try; whether a series has them is found by the errors of what builds on them.

    Attributes
    ----------
    named : tuple of (str, int)
        Day, week, hour, as far as the history holds two of them, with their steps.
    nested : (int, int) or None
        Day and week where both are there.
    year : int
        Steps of 52 weeks, so that weekdays fall on weekdays; 0 where the history holds no two years.
    waves : (n_waves,) float64
        Periods of the sines of the regression; steps. Those of the day come first, those of the year last.
    whole : (n_waves,) float64
        Season that each wave is a part of; steps.
    n_daily : int
        How many of them are of the day.
    levels : tuple of float
        Time constants of the levels; steps.
    unit : int
        Steps between instants that are alike: a day, or else a small part of the history.
    """

    named: tuple[tuple[str, int], ...]
    nested: tuple[int, int] | None
    year: int
    waves: FloatArray
    whole: FloatArray
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
        year = YEAR / step if 2 * YEAR / step <= n_steps and week else 0.0
        by_week = bool(year) and not has_day and week in periods
        rhythm = float(day) if has_day else 4.0 * week if year else max(n_steps / 4, 1.0)
        unit = day if has_day and 3 * day <= n_steps else max(n_steps // 40, 1)
        daily = [day / k for k in range(1, min(_DAILY, day // 2 - 1) + 1) if has_day]
        weekly = [week / k for k in range(1, _WEEKLY + 1) if nested and k % 7]
        weekly += [week / k for k in range(1, _OF_DAYS + 1) if by_week and 2 * k < week]
        yearly = [year / k for k in range(1, _YEARLY + 1) if year]
        return cls(
            named,
            nested,
            52 * week if year else 0,
            np.array(daily + weekly + yearly, dtype=np.float64),
            np.repeat([day, week, year], [len(daily), len(weekly), len(yearly)]).astype(np.float64),
            len(daily),
            (0.3, max(rhythm / 48, 0.3), max(rhythm / 8, 0.5), rhythm, 7 * rhythm),
            week if by_week else unit,
        )

    @property
    def periods(self) -> tuple[int, ...]:
        """Steps of each named season."""
        return tuple(period for _, period in self.named)

    def n_waves(self, n_steps: int) -> int:
        """How many of the waves, from the first on, belong to seasons that `n_steps` columns show twice or more."""
        return int((2 * self.whole <= n_steps).sum())
