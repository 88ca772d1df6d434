"""Stands for the running service where verdicts are given."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from detectors.verdict import About, JudgedAlarm
from exporter.verdicts.desk import Size
from series import SeriesKey
from series.label_index import LabelIndex
from series.matcher import Matcher


@dataclass
class FakeWatched:
    """Knows series by query, and one size for all of them."""

    known: dict[str, list[SeriesKey]] = field(default_factory=dict)
    largest: Size | None = None
    zone: str = "UTC"
    last_alarm: JudgedAlarm | None = None
    asked: list[tuple[str, tuple[str, ...], float]] = field(default_factory=list)

    def queries(self) -> Collection[str]:
        return self.known

    def series(self, query: str) -> Collection[SeriesKey]:
        return self.known.get(query, [])

    def size(self, query: str, matchers: Sequence[Matcher], since: float, about: About = About.ANY) -> Size | None:
        self.asked.append((query, tuple(map(str, matchers)), since))
        return self.largest if LabelIndex(self.known.get(query, [])).where(matchers).any() else None

    def alarm(self, query: str, matchers: Sequence[Matcher], since: float, until: float) -> JudgedAlarm | None:
        found = self.last_alarm
        return found if found and since <= found.begun <= until else None

    def timezone(self, query: str) -> str:
        return self.zone
