"""The series of a query that deserve a look: those in alarm, then the strangest."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from detectors.explain import why
from detectors.severity import NAMES
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
    stale : bool
        Whether the rest was left out for its age.
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
    stale: bool = False

    @property
    def withdrawn(self) -> SeriesLine:
        """The same series without what was said of it, which is no longer the present."""
        labels, nan = self.labels, math.nan
        return SeriesLine(
            self.query, self.selector, labels, nan, nan, nan, nan, False, 0, False, since=nan, why="", stale=True
        )


def strangest(cycle: QueryCycle, most: int) -> tuple[SeriesLine, ...]:
    """Series in alarm, the most severe first, then those of the highest scores; empty before the first cycle.

    One that is in alarm beside its peers alone has the severity of that alert, and its reason.
    """
    if (told := cycle.calling.told) is None:
        return ()
    scores = np.nan_to_num(told.held.scores[:, -1], nan=-1.0)
    order = np.lexsort((-scores, -told.severity, ~(told.firing | told.unlike_peers)))[:most]
    return tuple(_line(cycle, told, row) for row in order.tolist())


def selector_of(key: SeriesKey) -> str:
    """Matchers that mean a published series alone."""
    return written(tuple(Matcher(name, "=", value) for name, value in key.pairs))


def _line(cycle: QueryCycle, told: Told, row: int) -> SeriesLine:
    seen, key = told.seen, published_key(told.seen.keys[row])
    since, severity, reason = math.nan, 0, ""
    if told.firing[row]:
        since, severity = float(told.alarms.begun[row]), int(told.severity[row])
        reason = why(cycle.calling.explained(told, row), days=DAYS)
    elif told.peers and told.unlike_peers[row]:
        since, severity = float(told.peers.alarms.begun[row]), NAMES.index("warning")
        reason = told.peers.reasons.get(row, "")
    return SeriesLine(
        query=cycle.query.name,
        selector=selector_of(key),
        labels=key.pairs,
        score=float(told.held.scores[row, -1]),
        value=float(seen.value[row]),
        lower=float(seen.lower[row]),
        upper=float(seen.upper[row]),
        firing=severity > 0,
        severity=severity,
        warming_up=bool(seen.warming_up[row]),
        since=since,
        why=reason,
    )
