"""When something recurs, as iCalendar writes it; each year in bounded time."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from series.window import BoolArray

DayArray = npt.NDArray[np.int64]

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_ON_WEEKDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})Z?)?")
_EPOCH_WEEKDAY = 3


@dataclass(frozen=True, kw_only=True)
class Recurrence:
    """The parts of RFC 5545's RRULE that say on which days.

    A general library looks for the next day until the year 9999, so a rule such as the 30th of February stops a
    process for half a minute, and one of daily backups since 1970 takes longer every year. Here a year is looked at
    as a whole.

    Parameters
    ----------
    frequency : {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
    interval : int, default 1
    on_weekdays : tuple of (int, int)
        Which one of the month or year (0 for all, negative from its end), and the weekday, Monday 0.
    on_days, in_months : tuple of int
        Days of the month, negative from its end, and months.
    until : datetime or None
        The last instant at which it may begin, by the wall clock.
    week_start : int, default 0
        On which weekday weeks begin that are counted by `interval`.

    Examples
    --------
    >>> last = Recurrence.parse("FREQ=MONTHLY;BYMONTHDAY=-1")
    >>> last.days(dt.date(2026, 1, 31), 2026)[:3].astype("datetime64[D]").astype(str).tolist()
    ['2026-01-31', '2026-02-28', '2026-03-31']
    """

    frequency: str
    interval: int = 1
    on_weekdays: tuple[tuple[int, int], ...] = ()
    on_days: tuple[int, ...] = ()
    in_months: tuple[int, ...] = ()
    until: dt.datetime | None = None
    week_start: int = 0

    @classmethod
    def parse(cls, rule: str) -> Recurrence:
        """Read ``FREQ=WEEKLY;BYDAY=SA``.

        Raises
        ------
        ValueError
            For parts that are not known: COUNT, BYSETPOS, BYHOUR and the like, and a frequency finer than DAILY.
        """
        parts = dict(_pair(rule, part) for part in rule.upper().removeprefix("RRULE:").split(";"))
        if parts.get("FREQ") not in _FREQUENCIES:
            raise ValueError(f"rule's FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY. Got {rule[:200]!r}.")
        made = cls(
            frequency=parts.pop("FREQ"),
            interval=_numbers(rule, parts.pop("INTERVAL", "1"), 1, 1_000, single=True)[0],
            on_weekdays=_weekdays(rule, parts.pop("BYDAY", "")),
            on_days=_numbers(rule, parts.pop("BYMONTHDAY", ""), -31, 31),
            in_months=_numbers(rule, parts.pop("BYMONTH", ""), 1, 12),
            until=_until(rule, parts.pop("UNTIL", "")),
            week_start=_weekdays(rule, parts.pop("WKST", "MO"))[0][1],
        )
        if parts:
            known = "FREQ, INTERVAL, BYDAY, BYMONTHDAY, BYMONTH, UNTIL and WKST"
            raise ValueError(f"rule may hold {known} only. Got {next(iter(parts))}.")
        if made.frequency in ("DAILY", "WEEKLY") and any(which for which, _ in made.on_weekdays):
            raise ValueError(f"rule's BYDAY may count days with MONTHLY and YEARLY only. Got {rule[:200]!r}.")
        return made

    def days(self, start: dt.date, year: int) -> DayArray:
        """Days of a year on which it begins, counted from 1970-01-01; none before `start`."""
        months = np.arange(f"{year}-01", f"{year + 1}-01", dtype="datetime64[M]")
        first = np.concatenate([months, [months[-1] + 1]]).astype("datetime64[D]").astype(np.int64)
        days = np.arange(first[0], first[-1])
        month = np.repeat(np.arange(12), np.diff(first))
        begun = (start - dt.date(1970, 1, 1)).days
        kept = (days >= begun) & self._in_phase(days, month, begun, start, year)
        kept &= self._on(days, month, first, start)
        return days[kept]

    def _in_phase(self, days: DayArray, month: DayArray, begun: int, start: dt.date, year: int) -> BoolArray:
        if self.frequency == "DAILY":
            passed = days - begun
        elif self.frequency == "WEEKLY":
            passed = self._week(days) - self._week(np.array([begun]))
        elif self.frequency == "MONTHLY":
            passed = (year - start.year) * 12 + month - (start.month - 1)
        else:
            passed = np.full(len(days), year - start.year)
        return np.asarray(passed % self.interval == 0)

    def _week(self, days: DayArray) -> DayArray:
        return (days + _EPOCH_WEEKDAY - self.week_start) // 7

    def _on(self, days: DayArray, month: DayArray, first: DayArray, start: dt.date) -> BoolArray:
        """Days that the BY parts leave; where they say nothing, the day, weekday or date of the start."""
        on_days, in_months, on_weekdays = self.on_days, self.in_months, self.on_weekdays
        if not on_days and not on_weekdays:
            if self.frequency in ("MONTHLY", "YEARLY"):
                on_days = (start.day,)
                in_months = in_months or ((start.month,) if self.frequency == "YEARLY" else ())
            elif self.frequency == "WEEKLY":
                on_weekdays = ((0, start.weekday()),)
        kept = np.ones(len(days), dtype=np.bool_)
        if in_months:
            kept &= np.isin(month + 1, in_months)
        if on_days:
            kept &= np.isin(days - first[month] + 1, on_days) | np.isin(days - first[month + 1], on_days)
        if on_weekdays:
            of_year = self.frequency == "YEARLY" and not in_months
            begin, end = (first[0], first[-1]) if of_year else (first[month], first[month + 1])
            kept &= _which_weekday(days, np.asarray(days - begin), np.asarray(end - 1 - days), on_weekdays)
        return kept


def _which_weekday(days: DayArray, after: DayArray, before: DayArray, wanted: tuple[tuple[int, int], ...]) -> BoolArray:
    """Whether each day is one of the wanted weekdays; `after` and `before` count days to the ends of the period."""
    weekday = (days + _EPOCH_WEEKDAY) % 7
    kept = np.zeros(len(days), dtype=np.bool_)
    for which, number in wanted:
        place = which == 0 or (after // 7 + 1 == which if which > 0 else -(before // 7 + 1) == which)
        kept |= (weekday == number) & place
    return kept


def _pair(rule: str, part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    if not value:
        raise ValueError(f"rule must be an RRULE such as FREQ=WEEKLY;BYDAY=SA. Got {rule[:200]!r}.")
    return name.strip(), value.strip()


def _numbers(rule: str, text: str, least: int, most: int, *, single: bool = False) -> tuple[int, ...]:
    found = [part for part in text.split(",") if part]
    numbers = tuple(int(part) for part in found if re.fullmatch(r"[+-]?\d{1,4}", part))
    if len(numbers) != len(found) or (single and len(found) != 1) or not all(_within(n, least, most) for n in numbers):
        raise ValueError(f"rule's numbers must be whole and possible. Got {text[:80]!r} in {rule[:200]!r}.")
    return numbers


def _within(number: int, least: int, most: int) -> bool:
    return number != 0 and least <= number <= most


def _weekdays(rule: str, text: str) -> tuple[tuple[int, int], ...]:
    found = [_ON_WEEKDAY.fullmatch(part) for part in text.split(",") if part]
    days = tuple((int(one[1] or 0), _WEEKDAYS.index(one[2])) for one in found if one)
    if len(days) != len(found) or any(abs(which) > 53 for which, _ in days):
        raise ValueError(f"rule's days must be MO to SU, such as 1SU for the first Sunday. Got {rule[:200]!r}.")
    return days


def _until(rule: str, text: str) -> dt.datetime | None:
    if not text:
        return None
    found = _UNTIL.fullmatch(text)
    try:
        # A date alone means the whole day.
        return dt.datetime.fromisoformat(f"{found[1]}T{found[2] or '235959'}" if found else "")
    except ValueError as error:
        raise ValueError(f"rule's UNTIL must be a date such as 20301231. Got {rule[:200]!r}.") from error
