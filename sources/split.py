"""One query asked in parts, by the values of a label."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

import numpy as np

from series import Grid, Reason, SeriesKey, Window
from series.key import escape
from sources.base import Answer, MetricSource
from sources.errors import QueryRefused, shorten

# Stands in an expression where the matcher of each part goes. No PromQL holds it outside of a string, so that a
# forgotten split is refused by the server and not misread.
PLACEHOLDER = "$split"


class LabelledSource(MetricSource, Protocol):
    """A source that can list the values of a label."""

    def label_values(self, label: str, grid: Grid, *, match: str | None = None) -> list[str]:
        """Values that the label has within the time of `grid`, on all series or on those that `match` selects."""


class SplitSource:
    """Asks once for each value of a label, and once for the series without it.

    PromQL is not rewritten: the author of the expression says by ``$split`` which of its selectors are narrowed. A part
    whose series do not carry the label as asked for is refused, as parts of an aggregate cannot be joined.

    Parameters
    ----------
    source : LabelledSource
        Stays open when this one is closed: others share it.
    label : str
    match : str or None
        Series selector whose series show the values of the label; without one all series of the server do.
    most : int, default 100
        More values than this are refused: each costs a request.

    Raises
    ------
    ValueError
        For a limit below 1.
    """

    def __init__(self, source: LabelledSource, label: str, *, match: str | None = None, most: int = 100) -> None:
        if most < 1:
            raise ValueError(f"SplitSource.most must be 1 or more. Got {most}.")
        self._source = source
        self._label = label
        self._match = match
        self._most = most

    def read_range(self, query: str, grid: Grid, *, series_limit: int) -> Answer:
        """Evaluate `query` part by part; see `sources.base.MetricSource`."""
        parts: list[Answer] = []
        found = 0
        for value in self._values(query, grid):
            part = self._source.read_range(self._narrowed(query, value), grid, series_limit=series_limit)
            self._check(query, value, part.window.keys)
            found += part.window.n_series
            if found > series_limit:
                raise self._too_many(query, series_limit, found)
            parts.append(part)
        return _joined(parts, grid)

    def close(self) -> None:
        """Nothing to do: the source is shared."""

    def _values(self, query: str, grid: Grid) -> list[str]:
        values = [value for value in self._source.label_values(self._label, grid, match=self._match) if value]
        if len(values) > self._most:
            raise QueryRefused(
                query,
                f"query {shorten(query)} may be split into at most {self._most} values of {self._label!r}. "
                f"Got {len(values)}. Narrow split_match, or split by another label.",
            )
        return [*sorted(values), ""]

    def _narrowed(self, query: str, value: str) -> str:
        return query.replace(PLACEHOLDER, f'{self._label}="{escape(value)}"')

    def _check(self, query: str, value: str, keys: tuple[SeriesKey, ...]) -> None:
        for key in keys:
            if key.get(self._label) != value:
                raise QueryRefused(
                    query,
                    f"query {shorten(query)} is split by {self._label!r} and must keep this label, as in "
                    f"sum by ({self._label}) (...). Got a series of {self._label}={value!r} that has "
                    f"{key.get(self._label)!r}.",
                )

    def _too_many(self, query: str, limit: int, found: int) -> QueryRefused:
        message = f"query {shorten(query)} may return at most {limit} series. Got {found} or more."
        return QueryRefused(query, f"{message} Aggregate it, or raise series_limit.")


def _joined(parts: list[Answer], grid: Grid) -> Answer:
    keys = tuple(key for part in parts for key in part.window.keys)
    values = np.concatenate([np.empty((0, grid.n_steps)), *(part.window.values for part in parts)])
    skipped: Counter[Reason] = Counter()
    for part in parts:
        skipped.update(part.skipped)
    return Answer(
        Window(keys, grid.times, values),
        dict(skipped),
        tuple(dict.fromkeys(warning for part in parts for warning in part.warnings)),
        sum(part.requests for part in parts),
        sum(part.received_bytes for part in parts),
        sum(part.samples for part in parts),
    )
