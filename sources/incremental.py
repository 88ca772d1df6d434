"""Asking a source only for what a store does not hold yet."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from series import Grid, Reason
from series.store import RingStore
from sources.base import Answer, MetricSource
from sources.errors import AnswerIncomplete, SourceUnavailable

# Samples merged at once: an error or the end of the budget loses no more than this, and no second matrix is needed.
_CHUNK = 2_000_000


@dataclass(frozen=True, kw_only=True)
class PullBudget:
    """What one pull may take from a source before it leaves the rest to the next one.

    Parameters
    ----------
    samples : int, default 50 million
        Samples received.
    seconds : float, default 120
        Time spent on asking.
    """

    samples: int = 50_000_000
    seconds: float = 120.0


@dataclass(frozen=True)
class Pulled:
    """What one incremental pull brought.

    Attributes
    ----------
    skipped : mapping of Reason to int
        Series the source left out, by reason.
    warnings : tuple of str
        What the server wants its user to know, each once, and what went wrong with the older history.
    unpulled : int
        Steps that the next pulls will ask for.
    """

    skipped: dict[Reason, int]
    warnings: tuple[str, ...]
    unpulled: int = 0


@dataclass
class _Tally:
    skipped: Counter[Reason] = field(default_factory=Counter)
    warnings: dict[str, None] = field(default_factory=dict)
    samples: int = 0

    def add(self, answer: Answer) -> None:
        self.skipped |= Counter(answer.skipped)  # the same series are left out of each part: the most is the number
        self.warnings |= dict.fromkeys(answer.warnings)
        self.samples += answer.samples


def pull_missing(
    source: MetricSource,
    query: str,
    store: RingStore,
    grid: Grid,
    *,
    limit: int,
    budget: PullBudget | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Pulled:
    """Move `store` on to `grid` and fill in what was never pulled.

    The newest range comes first, so that a long outage is repaired without keeping the present waiting. What
    arrived stays in the store, and the next call asks for the rest. Once the newest range is there, an older one that
    is not available now is only told, as a warning.

    Parameters
    ----------
    limit : int
        Most series the query may return.
    budget : PullBudget or None
        After how much to stop; something is asked for in any case.
    clock : callable
        Monotonic seconds.

    Raises
    ------
    SourceUnavailable, QueryRefused, AnswerIncomplete
        From the source, unchanged.
    """
    budget = budget or PullBudget()
    store.advance(grid)
    tally, started, first = _Tally(), clock(), True
    for part in _newest_first(store, limit):
        if not first and (tally.samples >= budget.samples or clock() - started >= budget.seconds):
            break
        try:
            answer = source.read_range(query, part, series_limit=limit)
        except (SourceUnavailable, AnswerIncomplete) as error:
            if first:
                raise
            tally.warnings[str(error)] = None
            break
        store.merge(answer.window, part)
        tally.add(answer)
        first = False
    return Pulled(dict(tally.skipped), tuple(tally.warnings), store.n_unpulled)


def _newest_first(store: RingStore, limit: int) -> Iterator[Grid]:
    """What is missing, in parts of about `_CHUNK` samples by the series known so far."""
    for left in store.missing():
        while left.n_steps:
            steps = min(left.n_steps, max(1, _CHUNK // max(1, len(store.keys) or limit)))
            older = left.n_steps - steps
            yield Grid(left.start + older * left.step, left.step, steps)
            left = Grid(left.start, left.step, older)
