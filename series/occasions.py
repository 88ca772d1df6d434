"""What kind of day it is: holidays, ends of months, own events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from series.calendar import DAY, Calendar
from series.event import Event
from series.holidays import DayArray, PublicHolidays
from series.window import BoolArray, FloatArray

HOLIDAY, EVE, AFTER = "holiday", "day_before_holiday", "day_after_holiday"
WEEKEND, FIRST, LAST, LAST_WORKING = "weekend", "first_of_month", "last_of_month", "last_working_day"
KINDS = (HOLIDAY, EVE, AFTER, WEEKEND, FIRST, LAST, LAST_WORKING)
_EPOCH_WEEKDAY = 3
_USUAL_WEEKEND = frozenset({5, 6})


@dataclass(frozen=True, eq=False)
class Rows:
    """Named rows over time.

    Attributes
    ----------
    names : tuple of str, length n
    on : (n, n_steps) bool
    """

    names: tuple[str, ...]
    on: BoolArray

    def __getitem__(self, name: str) -> BoolArray:
        row: BoolArray = self.on[self.names.index(name)]
        return row


@dataclass(frozen=True)
class Occasions:
    """Says of any time which occasions it belongs to, by the local clock.

    Parameters
    ----------
    calendar : Calendar
        Where days begin and end.
    holidays : sequence of PublicHolidays, default ()
        A day off in one of them is a holiday: teams work in several countries.
    events : sequence of Event, default ()
        Each in its own zone.

    Raises
    ------
    ValueError
        For two events of one name, or an event with the name of a kind of day.

    Examples
    --------
    >>> occasions = Occasions(Calendar("Europe/Berlin"), [PublicHolidays("DE")])
    >>> christmas_eve = np.array([1_798_106_400.0])  # 2026-12-24 11:00 in Berlin
    >>> [name for name in KINDS if occasions.at(christmas_eve)[name][0]]
    ['day_before_holiday']
    """

    calendar: Calendar
    holidays: Sequence[PublicHolidays] = ()
    events: Sequence[Event] = ()

    def __post_init__(self) -> None:
        names = [*KINDS, *(event.name for event in self.events)]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"each event needs a name of its own, other than {', '.join(KINDS)}. Got {doubled[0]!r}.")

    @property
    def names(self) -> tuple[str, ...]:
        """Of all rows: the kinds of days, then the events."""
        return (*KINDS, *(event.name for event in self.events))

    @property
    def days_of_rest(self) -> frozenset[int]:
        """Days of the week without work, Monday 0."""
        return frozenset.union(*(each.weekend for each in self.holidays)) if self.holidays else _USUAL_WEEKEND

    def at(self, times: FloatArray) -> Rows:
        """Which occasions each of `times` (n_steps,), seconds since the epoch, belongs to."""
        days, place = np.unique(np.floor(self.calendar.local(times) / DAY).astype(np.int64), return_inverse=True)
        of_days = self._kinds(days)[:, place]
        events = [event.during(times)[None] for event in self.events]
        return Rows(self.names, np.concatenate([of_days, *events]))

    def features(self, times: FloatArray) -> FloatArray:
        """(n_names, n_steps) float64 in the order of `names`: 1 for days and events that are on, else 0.

        Known for any time to come, so a model may use them of the future.
        """
        return self.at(times).on.astype(np.float64)

    def _kinds(self, days: DayArray) -> BoolArray:
        off = self._off(days)
        first, next_first = _first_of_month(days, 0), _first_of_month(days, 1)
        rows = {
            HOLIDAY: off,
            EVE: self._off(days + 1) & ~off,
            AFTER: self._off(days - 1) & ~off,
            WEEKEND: self._weekend(days),
            FIRST: days == first,
            LAST: days == next_first - 1,
            LAST_WORKING: days == self._last_working(next_first),
        }
        return np.stack([rows[kind] for kind in KINDS])

    def _off(self, days: DayArray) -> BoolArray:
        off = np.zeros(len(days), dtype=np.bool_)
        for each in self.holidays:
            off |= each.on(days)
        return off

    def _weekend(self, days: DayArray) -> BoolArray:
        return np.isin((days + _EPOCH_WEEKDAY) % 7, list(self.days_of_rest))

    def _last_working(self, next_first: DayArray) -> DayArray:
        last = next_first - 1
        for _ in range(20):  # no country rests for so long
            rests = self._weekend(last) | self._off(last)
            if not rests.any():
                break
            last = last - rests
        return last


def _first_of_month(days: DayArray, months_ahead: int) -> DayArray:
    months = days.astype("datetime64[D]").astype("datetime64[M]") + months_ahead
    return months.astype("datetime64[D]").astype(np.int64)
