"""Verdicts and alerts as rows of their tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from detectors.verdict import About, JudgedAlarm, KindOfTime, Opinion, Verdict
from exporter.verdicts.about import about_of
from series.matcher import Matcher, parse_matchers, written

if TYPE_CHECKING:
    from sqlalchemy import RowMapping


@dataclass(frozen=True)
class Kept:
    """A verdict and what became of it.

    Attributes
    ----------
    verdict : Verdict
    alert : str
        Fingerprint of the alert it was given for; empty for none.
    revoked : float or None
        When it was taken back, seconds since the epoch.
    revoked_by : str
    """

    verdict: Verdict
    alert: str = ""
    revoked: float | None = None
    revoked_by: str = ""

    def in_force(self, now: float) -> bool:
        """True while it has an effect."""
        return self.revoked is None and self.verdict.created <= now < self.verdict.expires


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alert that Alertmanager told of.

    Attributes
    ----------
    fingerprint : str
    query : str
        Name of the query.
    matchers : tuple of Matcher
        The series, by its published labels.
    labels : mapping of str to str
        All labels of the alert.
    summary : str
    score : float or None
        Highest score of the series in the alert, as far as it was known.
    side : {-1, 0, 1}
    begun, received : float
        Seconds since the epoch.
    ended : float or None
    """

    fingerprint: str
    query: str
    matchers: tuple[Matcher, ...]
    labels: Mapping[str, str]
    summary: str
    begun: float
    received: float
    ended: float | None = None
    score: float | None = None
    side: int = 0

    @property
    def about(self) -> About:
        """Which alarm of the series it tells of."""
        return about_of(self.labels)


def verdict_row(kept: Kept) -> dict[str, Any]:
    """Columns of a verdict."""
    verdict, when = kept.verdict, kept.verdict.when
    kind = when and {
        "weekdays": sorted(when.weekdays),
        "start": when.start,
        "end": when.end,
        "timezone": when.timezone,
    }
    return {
        "id": verdict.id,
        "opinion": verdict.opinion.value,
        "query": verdict.query,
        "matchers": written(verdict.matchers),
        "score": verdict.score,
        "side": verdict.side,
        "kind_of_time": kind,
        "about": verdict.about.value,
        "alarm": verdict.alarm and {"begun": verdict.alarm.begun, "votes": dict(verdict.alarm.votes)},
        "created": verdict.created,
        "expires": verdict.expires,
        "note": verdict.note,
        "who": verdict.who,
        "alert": kept.alert,
        "revoked": kept.revoked,
        "revoked_by": kept.revoked_by,
    }


def verdict_of(row: RowMapping) -> Kept:
    """Give the verdict of a row. Raises ValueError for what no verdict can be."""
    kind = row["kind_of_time"]
    verdict = Verdict(
        id=row["id"],
        opinion=Opinion(row["opinion"]),
        query=row["query"],
        matchers=parse_matchers(row["matchers"]),
        score=row["score"],
        side=row["side"],
        when=KindOfTime(**(kind | {"weekdays": frozenset(kind["weekdays"])})) if kind else None,
        about=About(row["about"]),
        alarm=JudgedAlarm(alarm["begun"], tuple(alarm["votes"].items())) if (alarm := row["alarm"]) else None,
        created=row["created"],
        expires=row["expires"],
        note=row["note"],
        who=row["who"],
    )
    return Kept(verdict, row["alert"], row["revoked"], row["revoked_by"])


def alert_row(alert: Alert) -> dict[str, Any]:
    """Columns of an alert."""
    return vars(alert) | {"matchers": written(alert.matchers), "labels": dict(alert.labels)}


def alert_of(row: RowMapping) -> Alert:
    """Give the alert of a row."""
    columns = {str(name): value for name, value in row.items()}
    return Alert(**(columns | {"matchers": parse_matchers(row["matchers"])}))
