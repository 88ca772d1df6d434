"""Something that is planned: once, or again and again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from series.calendar import DAY, Calendar
from series.recurrence import Recurrence
from series.window import BoolArray, FloatArray

_EPOCH = dt.date(1970, 1, 1)
# Long enough to see every distance between two times: a leap year is among any nine.
_YEARS = 9


@dataclass(frozen=True, kw_only=True)
class Event:
    """A stretch of time by the wall clock, with a recurrence.

    Parameters
    ----------
    name : str
    start : datetime
        Of the first time, as the wall clock of `timezone` shows it (naive).
    lasts : float
        Seconds, above 0.
    rule : str, default ""
        Recurrence as iCalendar's RRULE, see `series.recurrence`; empty for once.
    timezone : str, default "UTC"
        02:00 stays 02:00 when the clocks change.

    Raises
    ------
    ValueError
        For an argument that cannot be, by name.

    Examples
    --------
    >>> patching = Event(name="patching", start=dt.datetime(2026, 1, 3, 2), lasts=7200, rule="FREQ=WEEKLY")
    >>> patching.during(np.array([dt.datetime(2026, 1, 10, hour, tzinfo=dt.UTC).timestamp() for hour in (1, 2, 3, 4)]))
    array([False,  True,  True, False])
    """

    name: str
    start: dt.datetime
    lasts: float
    rule: str = ""
    timezone: str = "UTC"
    _zone: ZoneInfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        Calendar(self.timezone)
        object.__setattr__(self, "_zone", ZoneInfo(self.timezone))
        if self.start.tzinfo is not None:
            raise ValueError(f"start must be local time, without an offset; timezone names the zone. Got {self.start}.")
        if not 0 < self.lasts <= 366 * DAY:
            raise ValueError(f"lasts must be above 0 seconds and at most a year. Got {self.lasts!r}.")
        if self.rule:
            Recurrence.parse(self.rule)

    @property
    def never_ends(self) -> bool:
        """Whether, by the wall clock, each time lasts until the next one has begun, and there is no last one."""
        if not self.rule or Recurrence.parse(self.rule).until is not None:
            return False
        years = range(self.start.year, min(self.start.year + _YEARS, dt.MAXYEAR))
        starts = sorted(moment for year in years for moment in _in_year(self.rule, self.start, year))
        longest = max((after - before for before, after in pairwise(starts)), default=None)
        return longest is not None and longest.total_seconds() <= self.lasts

    def during(self, times: FloatArray) -> BoolArray:
        """(n,) bool: whether it is on at each of `times`, seconds since the epoch; its end is not part of it."""
        if len(times) == 0:
            return np.zeros(0, dtype=np.bool_)
        starts = self.starts(float(times.min()) - self.lasts, float(times.max()))
        last = np.searchsorted(starts, times, side="right") - 1
        begun = np.where(last >= 0, starts[np.maximum(last, 0)] if len(starts) else 0.0, -np.inf)
        return np.asarray(times < begun + self.lasts, dtype=np.bool_)

    def starts(self, since: float, until: float) -> FloatArray:
        """When it begins, from `since` to `until`, in seconds since the epoch."""
        first, last = (dt.datetime.fromtimestamp(at, self._zone).year for at in (since, until))
        local = [moment for year in range(first, last + 1) for moment in _in_year(self.rule, self.start, year)]
        found = np.array([moment.replace(tzinfo=self._zone).timestamp() for moment in local], dtype=np.float64)
        found.sort()  # an hour that the clock shows twice
        return found[(found >= since) & (found <= until)]


@lru_cache(maxsize=4_096)
def _in_year(rule: str, start: dt.datetime, year: int) -> tuple[dt.datetime, ...]:
    if not rule:
        return (start,) if start.year == year else ()
    recurrence = Recurrence.parse(rule)
    days = recurrence.days(start.date(), year).tolist()
    moments = (dt.datetime.combine(_EPOCH + dt.timedelta(days=day), start.time()) for day in days)
    return tuple(moment for moment in moments if recurrence.until is None or moment <= recurrence.until)
