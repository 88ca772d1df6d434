"""The series of a query that deserve a look: those in alarm, then the strangest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.explain import why
from exporter.cycle import QueryCycle
from exporter.models.calling import DAYS
from exporter.models.told import Told
from exporter.pages.text import Labels
from exporter.published import published_key
from series import SeriesKey
from series.matcher import Matcher, written


@dataclass(frozen=True)
class SeriesLine:
    """One series as its last step was judged.

    Attributes
    ----------
    query, selector : str
        What its page is asked with.
    labels : tuple of pairs of str
        As published.
    score, value, lower, upper : float
        NaN for what is not known.
    firing : bool
    severity : int
        0 to 4.
    warming_up : bool
    since : float
        When the alarm began, seconds since the epoch; NaN without one.
    why : str
        Of an alarm, else empty.
    """

    query: str
    selector: str
    labels: Labels
    score: float
    value: float
    lower: float
    upper: float
    firing: bool
    severity: int
    warming_up: bool
    since: float
    why: str


def strangest(cycle: QueryCycle, most: int) -> tuple[SeriesLine, ...]:
    """Series in alarm, the most severe first, then those of the highest scores; empty before the first cycle."""
    if (told := cycle.calling.told) is None:
        return ()
    scores = np.nan_to_num(told.held.scores[:, -1], nan=-1.0)
    order = np.lexsort((-scores, -told.severity, ~told.firing))[:most]
    return tuple(_line(cycle, told, row) for row in order.tolist())


def selector_of(key: SeriesKey) -> str:
    """Matchers that mean a published series alone."""
    return written(tuple(Matcher(name, "=", value) for name, value in key.pairs))


def _line(cycle: QueryCycle, told: Told, row: int) -> SeriesLine:
    seen, firing, key = told.seen, bool(told.firing[row]), published_key(told.seen.keys[row])
    return SeriesLine(
        query=cycle.query.name,
        selector=selector_of(key),
        labels=key.pairs,
        score=float(told.held.scores[row, -1]),
        value=float(seen.value[row]),
        lower=float(seen.lower[row]),
        upper=float(seen.upper[row]),
        firing=firing,
        severity=int(told.severity[row]),
        warming_up=bool(seen.warming_up[row]),
        since=float(told.alarms.begun[row]) if firing else float("nan"),
        why=why(cycle.calling.explained(told, row), days=DAYS) if firing else "",
    )
