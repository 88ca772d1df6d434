"""Finds the query and the series that somebody asks about, or says why there is none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from exporter.published import meant_rows, published_key
from series import SeriesKey
from series.matcher import Matcher, written

if TYPE_CHECKING:
    from exporter.cycle import QueryCycle

# Series that are named where matchers mean several.
_NAMED = 5


class NotKnown(LookupError):
    """There is no such query, or no such series."""


class NotYet(Exception):
    """Nothing was judged yet."""


class Busy(Exception):
    """Others are being answered."""


class Places:
    """Requests that may compute at a time: the other threads serve /metrics.

    Parameters
    ----------
    most : int
    doing : str
        What is being done then, as in "forecasts are being computed".
    """

    def __init__(self, most: int, doing: str) -> None:
        self._most, self._doing = most, doing
        self._free = threading.BoundedSemaphore(most)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Take a place, and give it back; raises Busy where none is free."""
        if not self._free.acquire(blocking=False):
            raise Busy(f"{self._most} {self._doing}. Ask again in some seconds.")
        try:
            yield
        finally:
            self._free.release()


class Desk:
    """Answers questions beside the cycles: it holds none of them up.

    Parameters
    ----------
    cycles : callable
        Gives the queries' cycles by name, as they are now.
    """

    def __init__(self, cycles: Callable[[], Mapping[str, QueryCycle]]) -> None:
        self._cycles = cycles

    def cycle(self, query: str) -> QueryCycle:
        """The cycle of a query; raises NotKnown where there is no such query."""
        cycles = self._cycles()
        if query not in cycles:
            raise NotKnown(f"query must be one of {', '.join(sorted(cycles)) or 'none yet'}. Got {query!r:.100}.")
        return cycles[query]


def query_of(given: Mapping[str, str]) -> str:
    """Name of the query that is asked for; raises ValueError where none is."""
    if not (query := given.get("query", "")):
        raise ValueError("query must be the name of a query. Got nothing.")
    return query


def only_row(keys: tuple[SeriesKey, ...], matchers: Sequence[Matcher], query: str) -> int:
    """The row of the one series that is meant; raises NotKnown for none, ValueError for several."""
    rows = meant_rows(keys, matchers)
    if len(rows) == 1:
        return rows[0]
    asked = written(tuple(matchers))
    if not keys:
        raise NotKnown(f"{query} must have series. Got none yet.")
    if not rows:
        raise NotKnown(f"series must be one of the {len(keys)} of {query}. Got {asked}, which none of them has.")
    named = ", ".join(repr(published_key(keys[row])) for row in rows[:_NAMED])
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    raise ValueError(f"series must mean one series. Got {asked}, which means {len(rows)}: {named}{more}.")
