"""The service's landing page: is it well, what does it watch, where is what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from exporter.freshness import FRESH, Freshness
from exporter.pages.environment import render


class QueryState(StrEnum):
    """How a query fares."""

    OK = "ok"
    FAILING = "failing"
    STALE = "no recent results"
    WARMING_UP = "warming up"
    NO_SERIES = "no series"
    WAITING = "waiting for its first cycle"


@dataclass(frozen=True)
class QueryStatus:
    """One line of the page.

    Attributes
    ----------
    name, expression : str
        As configured.
    state : QueryState
    reason : str
        Why it fails or waits, in one line; may be empty.
    fresh : Freshness
        Where its results were withdrawn there are neither `alarms` nor `strangest`: those were of the past.
    last_success : float or None
        When the last successful cycle ended, seconds since the epoch.
    series, skipped, alarms : int
        In the last cycle: series in the window, series not judged, series above the threshold.
    interval : float
        Seconds between two cycles.
    strangest : sequence of `exporter.series_page.overview.SeriesLine`
        Series in alarm, then those of the highest scores.
    """

    name: str
    expression: str
    state: QueryState
    interval: float
    reason: str = ""
    fresh: Freshness = FRESH
    last_success: float | None = None
    series: int = 0
    skipped: int = 0
    alarms: int = 0
    strangest: Sequence[object] = ()


@dataclass(frozen=True)
class ServiceStatus:
    """What the page says.

    Attributes
    ----------
    now, started : float
        Seconds since the epoch.
    source : str
        Where samples come from, without credentials.
    config_file : str
        Path of the configuration; empty where there is none.
    queries : tuple of QueryStatus
        In the order of the configuration.
    documentation : str
        Address of the documentation; empty for no link.
    """

    now: float
    started: float
    source: str
    queries: tuple[QueryStatus, ...]
    config_file: str = ""
    documentation: str = ""

    @property
    def alarms(self) -> int:
        """Series above the threshold now."""
        return sum(query.alarms for query in self.queries)

    @property
    def series(self) -> int:
        """Series watched."""
        return sum(query.series for query in self.queries)

    @property
    def strangest(self) -> list[object]:
        """Series of all queries that deserve a look."""
        return [line for query in self.queries for line in query.strangest]

    @property
    def judging(self) -> int:
        """Queries that judge series."""
        return sum(query.state is QueryState.OK for query in self.queries)

    @property
    def withdrawn(self) -> int:
        """Queries whose results are too old to be shown."""
        return sum(query.fresh.withdrawn is not None for query in self.queries)

    @property
    def failing(self) -> int:
        """Queries whose last cycle failed."""
        return sum(query.state is QueryState.FAILING for query in self.queries)

    @property
    def empty(self) -> int:
        """Queries that are answered, with no series in all of their history."""
        return sum(query.state is QueryState.NO_SERIES for query in self.queries)


def landing_page(status: ServiceStatus) -> str:
    """Render the page. Reads nothing but `status`, so it never waits.

    Parameters
    ----------
    status : ServiceStatus

    Returns
    -------
    str
        A whole HTML document that loads nothing.
    """
    return render("index.html", styles=("base.css", "index.css"), scripts=("time.js",), status=status)
