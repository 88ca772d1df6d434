"""What an operator said of an alert, and of which ones it speaks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from series import BoolArray, Calendar, FloatArray
from series.calendar import DAY
from series.matcher import Matcher, written

# A verdict that lasts for ever is a threshold nobody remembers.
LONGEST = 400 * DAY
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Opinion(StrEnum):
    """What the operator said."""

    TRUE = "true"
    """It was right to call."""
    FALSE = "false"
    """It was not: such deviations are ordinary here."""
    EXPECTED = "expected"
    """It was strange and known before: such deviations are ordinary at that kind of time."""


class About(StrEnum):
    """Which alarm of a series a verdict speaks of."""

    ANY = ""
    PAST = "past"
    """The one for being unlike its own past."""
    PEERS = "peers"
    """The one for being unlike its peers."""


@dataclass(frozen=True, kw_only=True)
class KindOfTime:
    """A part of the day on some days of the week, by the local clock.

    Parameters
    ----------
    weekdays : frozenset of int, default empty
        Monday 0 to Sunday 6, those on which it begins; empty for all.
    start, end : float, default 0 and 86400
        Seconds since local midnight; `end` is not part of it. Where it is not after `start`, it is that of the next
        day.
    timezone : str, default "UTC"

    Examples
    --------
    >>> nights = KindOfTime(start=22 * 3600, end=4 * 3600, weekdays=frozenset({4}))  # Friday to Saturday
    >>> saturday = 1_782_518_400.0 + 3600.0 * np.array([-3, -1, 2, 5])  # hours around 2026-06-27 00:00
    >>> nights.holds(saturday)
    array([False,  True,  True, False])
    """

    weekdays: frozenset[int] = frozenset()
    start: float = 0.0
    end: float = float(DAY)
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        Calendar(self.timezone)
        if not self.weekdays <= set(range(7)):
            raise ValueError(f"weekdays must be from 0, Monday, to 6. Got {sorted(self.weekdays)}.")
        if not (0 <= self.start < DAY and 0 <= self.end <= DAY):
            raise ValueError(f"start and end must be times of a day. Got {self.start!r} and {self.end!r}.")

    def holds(self, times: FloatArray) -> BoolArray:
        """(n,) bool: whether each of `times`, seconds since the epoch, is of this kind."""
        calendar = Calendar(self.timezone)
        second, weekday = calendar.second_of_day(times), calendar.weekday(times)
        if self.start < self.end:
            return self._of_week(weekday) & (second >= self.start) & (second < self.end)
        # Over midnight: what is left of a night belongs to the day it began on.
        evening = self._of_week(weekday) & (second >= self.start)
        return evening | (self._of_week((weekday - 1) % 7) & (second < self.end))

    def _of_week(self, weekday: np.typing.NDArray[np.int64]) -> BoolArray:
        if not self.weekdays:
            return np.ones(len(weekday), dtype=np.bool_)
        return np.isin(weekday, list(self.weekdays))

    def __str__(self) -> str:
        days = ", ".join(WEEKDAYS[day] for day in sorted(self.weekdays)) or "every day"
        whole = self.start == 0 and self.end == DAY
        return days if whole else f"{days} {_clock(self.start)} to {_clock(self.end)} {self.timezone}"


@dataclass(frozen=True)
class JudgedAlarm:
    """The alarm that an opinion is about, as the detectors saw it.

    Attributes
    ----------
    begun : float
        Seconds since the epoch.
    votes : tuple of (str, float)
        Each detector's score when it began; those that took no part are left out.
    """

    begun: float
    votes: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One opinion with its scope and its life.

    Parameters
    ----------
    id : str
    opinion : Opinion
    query : str, default ""
        Name of the query it speaks of; empty for every query that has such series.
    matchers : tuple of Matcher, default ()
        Labels of the series it speaks of, as they are published (the metric's name as ``metric``).
    score : float or None
        Size of what was judged, 1 the threshold; None where it is not known.
    side : {-1, 0, 1}
        Whether the value was below or above what was expected; 0 for both.
    created, expires : float
        Seconds since the epoch between which it has an effect.
    when : KindOfTime or None
        For `Opinion.EXPECTED` only; None for any time.
    about : About, default About.ANY
    alarm : JudgedAlarm or None
        None where none is known.
    note, who : str
        For people.

    Raises
    ------
    ValueError
        For an argument that cannot be, by name.
    """

    id: str
    opinion: Opinion
    created: float
    expires: float
    query: str = ""
    matchers: tuple[Matcher, ...] = ()
    score: float | None = None
    side: int = 0
    when: KindOfTime | None = None
    about: About = About.ANY
    alarm: JudgedAlarm | None = None
    note: str = ""
    who: str = ""

    def __post_init__(self) -> None:
        if not self.query and not self.matchers:
            raise ValueError("a verdict must name a query or at least one matcher. Got neither.")
        if not self.created < self.expires <= self.created + LONGEST:
            raise ValueError(f"a verdict must expire within {LONGEST // DAY} days, and not before it was given.")
        if self.score is not None and not 0 < self.score < np.inf:
            raise ValueError(f"score must be above 0. Got {self.score!r}.")
        if self.side not in (-1, 0, 1):
            raise ValueError(f"side must be -1, 0 or 1. Got {self.side!r}.")
        if self.when is not None and self.opinion is not Opinion.EXPECTED:
            raise ValueError(f"when must be left out, or the verdict be expected. Got {self.opinion}.")

    def strength(self, times: FloatArray) -> FloatArray:
        """(n,) float64: 1 in the first half of its life, then falling to 0 at its end; 0 before and after."""
        left = (self.expires - times) / (self.expires - self.created)
        alive = (times >= self.created) & (times < self.expires)
        return np.where(alive, np.minimum(1.0, 2 * left), 0.0)

    @property
    def scope(self) -> str:
        """Query and matchers, as in PromQL, and whether it speaks of peers.

        Examples
        --------
        >>> Verdict(id="a", opinion=Opinion.FALSE, created=0, expires=9, query="rate").scope
        'rate{}'
        """
        return self.query + written(self.matchers) + (" beside its peers" if self.about is About.PEERS else "")


def _clock(second: float) -> str:
    return f"{int(second // 3_600):02d}:{int(second % 3_600 // 60):02d}"
