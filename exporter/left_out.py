"""Cycles that were left out because the one before still ran, told of once a minute."""

from __future__ import annotations

import threading
from collections import Counter

import structlog

from exporter.config import Query

log = structlog.get_logger("forethought.service")

_TOGETHER = 60.0
# Queries that a line names; the metric has all.
_NAMED = 5


class LeftOutCycles:
    """Counts cycles that were left out, and tells of those of a minute in one line.

    A query may be asked more often than it has steps. A cycle that is left out then loses nothing, and is not told of,
    as long as those of a minute come to less than a step.

    Parameters
    ----------
    together : float, default 60
        Seconds for which they are counted before they are told of.
    """

    def __init__(self, together: float = _TOGETHER) -> None:
        self._together = together
        self._lock = threading.Lock()
        self._count: Counter[str] = Counter()
        self._lost: set[str] = set()
        self._timer: threading.Timer | None = None

    def note(self, query: Query) -> None:
        """One more of this query."""
        with self._lock:
            self._count[query.name] += 1
            if self._count[query.name] * query.cycle_interval >= query.step:
                self._lost.add(query.name)
            if self._timer is None:
                self._timer = threading.Timer(self._together, self.tell)
                self._timer.daemon = True
                self._timer.start()

    def tell(self) -> None:
        """Tell of those that were counted, and begin anew."""
        with self._lock:
            late = Counter({name: self._count[name] for name in self._lost}).most_common()
            if self._timer:
                self._timer.cancel()
            self._count, self._lost, self._timer = Counter(), set(), None
        if not late:
            return
        named = ", ".join(f"{name} ({count})" for name, count in late[:_NAMED])
        more = f" and {len(late) - _NAMED} more" if len(late) > _NAMED else ""
        log.warning(
            "cycles left out: those before still ran; scores come late",
            cycles=sum(count for _, count in late),
            queries=named + more,
        )
