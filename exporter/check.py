"""What `forethought check-config` says."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from exporter.config import Configuration, Query
from exporter.telemetry import Telemetry
from exporter.wiring import make_query_source, make_source
from series import Grid
from sources.base import MetricSource
from sources.errors import SourceError


def describe(file: Path, config: Configuration) -> str:
    """Sum a configuration up: what is asked, how often, and how much memory its windows may take."""
    lines = [f"{file}: {len(config.queries)} queries to {config.source.url}"]
    for query in config.queries:
        steps = query.history // query.step
        size = steps * query.series_limit * 8 / 1e6
        lines.append(
            f"  {query.name}: every {query.cycle_interval}, {query.history} of {query.step} steps, "
            f"up to {query.series_limit} series ({size:,.0f} MB)"
        )
    return "\n".join(lines)


def ask_queries(config: Configuration, say: Callable[[str], None]) -> bool:
    """Ask the source for the newest step of every query.

    Returns
    -------
    True if all were answered.
    """
    source = make_source(config.source, Telemetry())
    try:
        answered = [_ask(source, query, say) for query in config.queries]
    finally:
        source.close()
    return all(answered)


def _ask(source: MetricSource, query: Query, say: Callable[[str], None]) -> bool:
    step = int(query.step)
    grid = Grid.ending(time.time(), step=step, history=step, latency=query.latency)
    try:
        asked = make_query_source(query, source)
        answer = asked.read_range(query.query, grid, series_limit=query.series_limit)
    except SourceError as error:
        say(f"  {query.name}: {error.reason}: {error}")
        return False
    found = answer.window.n_series
    say(f"  {query.name}: {found} series" + ("" if found else ". Nothing would be judged: check the expression."))
    for warning in answer.warnings:
        say(f"  {query.name}: the source warns: {warning}")
    return True
