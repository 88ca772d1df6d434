"""What a source remembers of the series of its queries, from pull to pull."""

from __future__ import annotations

import threading

from series import SeriesKey
from sources.newest import NewestStep

# Keys of gone series are let go of above this many, and whole queries above that many.
_SPARE = 1_000
_QUERIES = 1_000


class KnownSeries:
    """The keys of each query by the raw JSON of their labels, and what reads its newest step. Thread-safe."""

    def __init__(self) -> None:
        self._by_query: dict[str, dict[bytes, SeriesKey]] = {}
        self._readers: dict[str, NewestStep] = {}
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
