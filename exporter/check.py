"""What `forethought check-config` says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from exporter.config import Configuration, Query
from exporter.config_limits import Limit
from exporter.models.limit_values import ask_limits, limits_of
from exporter.telemetry import Telemetry
from exporter.wiring import make_query_source, make_source
from series import Grid, SeriesKey
from sources.base import MetricSource
from sources.errors import SourceError


def describe(file: Path, config: Configuration) -> str:
    """Sum a configuration up: what is asked, how often, and how much memory its windows may take."""
    count = len(config.queries)
    lines = [f"{file}: {count} {'query' if count == 1 else 'queries'} to {config.source.url}"]
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
    True if all were answered, each with at least one series.
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
    for line in [*(f"the source warns: {warning}" for warning in answer.warnings), *_absent(query, answer.window.keys)]:
        say(f"  {query.name}: {line}")
    limits = [_ask_limit(source, query, limit, answer.window.keys, say) for limit in query.limits if limit.query]
    return bool(found) and all(limits)


def _absent(query: Query, keys: Sequence[SeriesKey]) -> Iterator[str]:
    """Labels that no series has: all of them would make one group, and nobody would notice."""
    for setting, labels in (("group_by", query.group_by), ("peers_by", query.peers_by or ())):
        for label in labels:
            if keys and not any(key.get(label) for key in keys):
                yield f"{setting}: no series has the label {label}. Labels there are: {_labels_of(keys)}."


def _ask_limit(
    source: MetricSource, query: Query, limit: Limit, keys: Sequence[SeriesKey], say: Callable[[str], None]
) -> bool:
    place = f"  {query.name}: limit {limit.name}"
    try:
        known = ask_limits(source, str(limit.query), limit.on, time.time() - query.latency)
    except (SourceError, ValueError) as error:
        say(f"{place}: {error}")
        return False
    found = int(np.isfinite(limits_of(keys, known, limit.on)).sum())
    say(f"{place}: of {found} series" + ("" if found or not keys else ". Check its query and the labels in `on`."))
    return True


def _labels_of(keys: Sequence[SeriesKey]) -> str:
    return ", ".join(sorted({label for key in keys for label in key.labels})) or "none"
