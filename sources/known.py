"""What a source remembers of the series of its queries, from pull to pull."""

from __future__ import annotations

import threading

from series import SeriesKey
from sources.newest import NewestStep

# Keys of gone series are let go of above this many, and whole queries above that many.
_SPARE = 1_000
_QUERIES = 1_000
# A query that was not answered in time is asked for so much less at once, and for so much more after each answer.
_LESS, _MORE = 0.5, 0.02


class KnownSeries:
    """The keys of each query by the raw JSON of their labels, and what reads its newest step. Thread-safe."""

    def __init__(self) -> None:
        self._by_query: dict[str, dict[bytes, SeriesKey]] = {}
        self._readers: dict[str, NewestStep] = {}
        self._shares: dict[str, float] = {}
        self._lock = threading.Lock()

    def of(self, query: str) -> dict[bytes, SeriesKey]:
        """Keys of the series that a query returned."""
        with self._lock:
            return self._by_query.get(query, {})

    def keep(self, query: str, known: dict[bytes, SeriesKey], seen: tuple[SeriesKey, ...]) -> None:
        """Keep what was seen: series come and go, and memory must not grow with the gone ones."""
        if len(known) > _SPARE + 2 * len(seen):
            alive = set(seen)
            known = {labels: key for labels, key in known.items() if key in alive}
        with self._lock:
            self._by_query.pop(query, None)
            self._by_query[query] = known
            if len(self._by_query) > _QUERIES:
                del self._by_query[next(iter(self._by_query))]

    def share(self, query: str) -> float:
        """How much of the usual is asked for at once: less than 1 where that was too much for the server's time."""
        return self._shares.get(query, 1.0)

    def answered(self, query: str) -> None:
        """Ask for a little more the next time, up to the usual."""
        with self._lock:
            share = self._shares.pop(query, 1.0) + _MORE
            if share < 1:
                self._shares[query] = share

    def timed_out(self, query: str) -> None:
        """Ask for less the next time."""
        with self._lock:
            self._shares[query] = self._shares.pop(query, 1.0) * _LESS
            if len(self._shares) > _QUERIES:
                del self._shares[next(iter(self._shares))]

    def take_reader(self, query: str) -> NewestStep | None:
        """What reads the steps of a query. Nobody else has it until it is kept again: it is not thread-safe."""
        with self._lock:
            return self._readers.pop(query, None)

    def keep_reader(self, query: str, reader: NewestStep) -> None:
        """Put a reader back for the next pull."""
        with self._lock:
            self._readers[query] = reader
            if len(self._readers) > _QUERIES:
                del self._readers[next(iter(self._readers))]
