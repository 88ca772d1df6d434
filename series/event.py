"""Something that is planned: once, or again and again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from series.calendar import DAY, Calendar
from series.window import BoolArray, FloatArray

if TYPE_CHECKING:
    from dateutil.rrule import rrule

_COARSE = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_SHOWN = "such as FREQ=WEEKLY;BYDAY=SA"


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
        Recurrence as iCalendar's RRULE (RFC 5545); empty for once. ``FREQ`` is DAILY or slower, an end is given by
        ``UNTIL``: so the days of any year are found in bounded time.
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
            _parsed(self.rule, self.start)

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
    # Without an end the search for a day that never comes would go on to the year 9999.
    end = dt.datetime(year, 12, 31, 23, 59, 59)  # noqa: DTZ001 - the wall clock's
    repeated = _parsed(rule, start)
    until = min(end, getattr(repeated, "_until", None) or end)  # the library offers no other way to read it
    if until < start:
        return ()
    bounded = repeated.replace(until=until)
    return tuple(moment for moment in bounded if moment.year == year)


@lru_cache(maxsize=256)
def _parsed(rule: str, start: dt.datetime) -> rrule:
    from dateutil.rrule import rrule, rrulestr

    parts = {part.partition("=")[0]: part.partition("=")[2] for part in rule.upper().removeprefix("RRULE:").split(";")}
    if parts.get("FREQ") not in _COARSE or "COUNT" in parts:
        raise ValueError(
            f"rule's FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY, and its end be given by UNTIL. Got {rule[:200]!r}."
        )
    try:
        made = rrulestr(rule, dtstart=start, ignoretz=True)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"rule must be an RRULE {_SHOWN}: {error}. Got {rule[:200]!r}.") from error
    if not isinstance(made, rrule):
        raise ValueError(f"rule must be one RRULE {_SHOWN}. Got {rule[:200]!r}.")  # noqa: TRY004 - a value, not a type
    return made
