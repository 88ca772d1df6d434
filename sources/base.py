"""What every source of samples promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from series import Grid, Reason, Window


@dataclass(frozen=True, eq=False)
class Answer:
    """What a query gave.

    Attributes
    ----------
    window : Window
        On the grid asked for, whole: keys sorted by nothing, in the order of the server.
    skipped : mapping of Reason to int
        Series left out of the window, counted by reason.
    warnings : tuple of str
        What the server wants its user to know.
    requests, received_bytes, samples : int
        What the answer cost.
    """

    window: Window
    skipped: Mapping[Reason, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    requests: int = 1
    received_bytes: int = 0
    samples: int = 0


class MetricSource(Protocol):
    """Somewhere samples come from. Thread-safe: several queries are pulled at once."""

    def read_range(self, query: str, grid: Grid, *, series_limit: int) -> Answer:
        """Evaluate `query` at every instant of `grid`.

        Parameters
        ----------
        query : str
            PromQL, or what the source calls its series.
        grid : Grid
            Split by the source below its server's limits, joined again in the answer.
        series_limit : int
            More series than this are refused, by the first part that shows them.

        Raises
        ------
        SourceUnavailable, QueryRefused, AnswerIncomplete
            See `sources.errors`. Nothing else escapes.
        """

    def close(self) -> None:
        """Give connections and files back."""
