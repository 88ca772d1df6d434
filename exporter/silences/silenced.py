"""Which series the silences mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from detectors.verdict import About
from exporter.published import PublishedIndex, published_key
from exporter.silences.reader import Silence
from exporter.verdicts.about import ALERTS
from series import BoolArray
from series.key import escape
from series.matcher import Matcher

_MOST_KEPT = 100


@dataclass(frozen=True, kw_only=True)
class AlertLabels:
    """What labels alerts have that the rules and the scrape add to those of a series.

    ``alertname``, ``query``, ``tenant`` and ``series`` are those of ``alertmanager/rules/forethought.yml``.

    Parameters
    ----------
    severities : tuple of str, default ("warning", "critical")
        An anomaly may call with each. A series is silenced where all of them would be.
    added : mapping of str to str
        Labels that scraping adds where the series has none, such as ``job`` and ``instance``.
    """

    severities: tuple[str, ...] = ("warning", "critical")
    added: Mapping[str, str] = field(default_factory=lambda: {"job": "forethought"})


class SilencedSeries:
    """Finds the silenced ones among the series of a query; made once for its keys.

    Parameters
    ----------
    index : PublishedIndex
        Of the query's series.
    query : str
    labels : AlertLabels
    alert : str
        Name of the alert that would be heard.
    """

    def __init__(
        self, index: PublishedIndex, query: str, labels: AlertLabels | None = None, alert: str = ALERTS[About.PAST]
    ) -> None:
        self._index = index
        self._query, self._alert = query, alert
        self._labels = labels or AlertLabels()
        self._found: dict[tuple[str, tuple[Matcher, ...]], npt.NDArray[np.intp]] = {}

    def by(self, silences: Sequence[Silence]) -> dict[int, Silence]:
        """The silence that holds for each row; rows that would be heard are not in it."""
        first = np.stack([self._first(severity, silences) for severity in self._labels.severities])
        rows = np.flatnonzero((first >= 0).all(axis=0))
        return {int(row): silences[first[0, row]] for row in rows}

    def _first(self, severity: str, silences: Sequence[Silence]) -> npt.NDArray[np.intp]:
        """(n_series,): place of the first silence for the alert of this severity about each series, -1 for none."""
        first = np.full(len(self._index.keys), -1, dtype=np.intp)
        for place, silence in reversed(list(enumerate(silences))):
            first[self._rows(severity, silence.matchers)] = place
        return first

    def _rows(self, severity: str, matchers: tuple[Matcher, ...]) -> npt.NDArray[np.intp]:
        """What `_where` finds, kept: silences last for hours and are asked for in every cycle."""
        if (severity, matchers) not in self._found:
            if len(self._found) >= _MOST_KEPT:
                self._found.clear()
            self._found[severity, matchers] = np.flatnonzero(self._where(severity, matchers))
        return self._found[severity, matchers]

    def _where(self, severity: str, matchers: Sequence[Matcher]) -> BoolArray:
        """(n_series,) bool: whether all matchers hold for the alert of this severity about each series."""
        constant = {"alertname": self._alert, "severity": severity, "query": self._query}
        found: BoolArray = np.zeros(len(self._index.keys), dtype=np.bool_)
        if not all(each.matches(constant[each.label]) for each in matchers if each.label in constant):
            return found
        found[:] = True
        for matcher in sorted(matchers, key=lambda each: each.label == "series"):  # built for few, last
            if matcher.label not in constant:
                rows = np.flatnonzero(found)
                found[rows] = self._holds(matcher, rows)
        return found

    def _holds(self, matcher: Matcher, rows: npt.NDArray[np.intp]) -> BoolArray:
        if matcher.label == "series":
            return np.array([matcher.matches(self._series(row)) for row in rows.tolist()], dtype=np.bool_)
        if matcher.label == "tenant":
            return np.array([matcher.matches(self._tenant(row)) for row in rows.tolist()], dtype=np.bool_)
        values, place = self._index.of(matcher.label)
        added = self._labels.added.get(matcher.label, "")
        holds = np.array([matcher.matches(value or added) for value in values], dtype=np.bool_)
        return np.asarray(holds[place[rows]], dtype=np.bool_)

    def _tenant(self, row: int) -> str:
        key = published_key(self._index.keys[row])
        return key.get("tenant_id") or key.get("tenant") or "none"

    def _series(self, row: int) -> str:
        labels = {**self._labels.added, **published_key(self._index.keys[row]).labels, "query": self._query}
        return ",".join(f'{name}="{escape(value)}"' for name, value in sorted(labels.items()))
