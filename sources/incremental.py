"""Asking a source only for what a store does not hold yet."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from series import Grid, Reason
from series.store import RingStore
from sources.base import MetricSource


@dataclass(frozen=True)
class Pulled:
    """What one incremental pull brought.

    Attributes
    ----------
    skipped : mapping of Reason to int
        Series the source left out, by reason.
    warnings : tuple of str
        What the server wants its user to know, each once.
    """

    skipped: dict[Reason, int]
    warnings: tuple[str, ...]


def pull_missing(source: MetricSource, query: str, store: RingStore, grid: Grid, *, overlap: int, limit: int) -> Pulled:
    """Move `store` on to `grid` and fill in what was never pulled.

    The newest range comes first, so that a long outage is repaired without keeping the present waiting. What
    arrived before an error stays in the store, and the next call asks for the rest.

    Parameters
    ----------
    overlap : int
        Newest steps that are asked for again, as late samples may have changed them.
    limit : int
        Most series the query may return.

    Raises
    ------
    SourceUnavailable, QueryRefused, AnswerIncomplete
        From the source, unchanged.
    """
    store.advance(grid)
    skipped: Counter[Reason] = Counter()
    warnings: dict[str, None] = {}
    for part in store.missing(overlap):
        answer = source.read_range(query, part, series_limit=limit)
        store.merge(answer.window, part)
        skipped |= Counter(answer.skipped)  # the same series are left out of each part: the most is the number
        warnings |= dict.fromkeys(answer.warnings)
    return Pulled(dict(skipped), tuple(warnings))
