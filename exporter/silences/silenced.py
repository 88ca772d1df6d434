"""Which series the silences mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from exporter.published import published_keys
from exporter.silences.reader import Silence
from series import BoolArray, SeriesKey
from series.key import escape
from series.label_index import LabelIndex
from series.matcher import Matcher

ANOMALY = "ForethoughtAnomaly"


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
    keys : sequence of SeriesKey
        Of the input.
    query : str
    labels : AlertLabels
    """

    def __init__(self, keys: Sequence[SeriesKey], query: str, labels: AlertLabels | None = None) -> None:
        self._keys = published_keys(keys)
        self._index = LabelIndex(self._keys)
        self._query = query
        self._labels = labels or AlertLabels()

    def by(self, silences: Sequence[Silence]) -> list[Silence | None]:
        """The silence that holds for each series, None for those that would be heard."""
        found = [self._first(severity, silences) for severity in self._labels.severities]
        return [row[0] if all(row) else None for row in zip(*found, strict=True)]

    def _first(self, severity: str, silences: Sequence[Silence]) -> list[Silence | None]:
        first: list[Silence | None] = [None] * len(self._keys)
        for silence in silences:
            for row in np.flatnonzero(self._where(severity, silence.matchers)):
                first[row] = first[row] or silence
        return first

    def _where(self, severity: str, matchers: Sequence[Matcher]) -> BoolArray:
        """(n_series,) bool: whether all matchers hold for the alert of this severity about each series."""
        constant = {"alertname": ANOMALY, "severity": severity, "query": self._query}
        if not all(each.matches(constant[each.label]) for each in matchers if each.label in constant):
            return np.zeros(len(self._keys), dtype=np.bool_)
        found: BoolArray = np.ones(len(self._keys), dtype=np.bool_)
        for matcher in sorted(matchers, key=lambda each: each.label == "series"):  # built for few, last
            if matcher.label not in constant:
                rows = np.flatnonzero(found)
                found[rows] = self._holds(matcher, rows)
        return found

    def _holds(self, matcher: Matcher, rows: npt.NDArray[np.intp]) -> list[bool]:
        if matcher.label == "series":
            return [matcher.matches(self._series(self._keys[row])) for row in rows]
        if matcher.label == "tenant":
            return [matcher.matches(self._tenant(self._keys[row])) for row in rows]
        values, place = self._index.of(matcher.label)
        holds = [matcher.matches(value or self._labels.added.get(matcher.label, "")) for value in values]
        return [holds[number] for number in place[rows]]

    def _tenant(self, key: SeriesKey) -> str:
        return key.get("tenant_id") or key.get("tenant") or "none"

    def _series(self, key: SeriesKey) -> str:
        labels = {**self._labels.added, **key.labels, "query": self._query}
        return ",".join(f'{name}="{escape(value)}"' for name, value in sorted(labels.items()))
