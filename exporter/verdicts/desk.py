"""Where verdicts are given and taken back, whoever asks for it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from detectors.verdict import About, JudgedAlarm, KindOfTime, Opinion, Verdict
from exporter.verdicts.about import about_of
from exporter.verdicts.records import Alert, Kept
from exporter.verdicts.requests import NewVerdict, WebhookAlert, When
from exporter.verdicts.scope import around, scope_of_alert
from series import SeriesKey
from series.calendar import DAY
from series.label_index import LabelIndex
from series.matcher import Matcher, parse_matchers, written

if TYPE_CHECKING:
    from exporter.verdicts.store import VerdictStore

DEFAULT_LASTS = 30.0 * 86_400


class Size(NamedTuple):
    """How large a deviation was.

    Attributes
    ----------
    score : float
        1 is the threshold.
    side : int
        1 above what was expected, -1 below, 0 unknown.
    """

    score: float
    side: int


class Watched(Protocol):
    """What the running service knows of its queries."""

    def queries(self) -> Collection[str]:
        """Names of all queries."""

    def series(self, query: str) -> Collection[SeriesKey]:
        """Series of a query as published; empty for one that is not known. A set is looked up fastest."""

    def size(self, query: str, matchers: Sequence[Matcher], since: float, about: About = About.ANY) -> Size | None:
        """The highest score, before verdicts, of these series from `since` on; None where none is known."""

    def alarm(self, query: str, matchers: Sequence[Matcher], since: float, until: float) -> JudgedAlarm | None:
        """The last alarm of these series of a query that began in that time; None where none is known."""

    def timezone(self, query: str) -> str:
        """Zone of a query's days; UTC for one that is not known."""


class NotKnown(Exception):
    """What a verdict is asked of is not there. The message is one line."""


class VerdictDesk:
    """Turns what people and Alertmanager send into verdicts and alerts that are kept.

    Parameters
    ----------
    store : VerdictStore
    watched : Watched
    lasts : callable
        Seconds a verdict lasts where it does not say so itself.
    clock : callable
        Seconds since the epoch.
    identity : callable
        Gives a new id.
    """

    def __init__(
        self,
        store: VerdictStore,
        watched: Watched,
        *,
        lasts: Callable[[], float] = lambda: DEFAULT_LASTS,
        clock: Callable[[], float] = time.time,
        identity: Callable[[], str] = lambda: secrets.token_hex(6),
    ) -> None:
        self.store = store
        self.clock = clock
        self._watched = watched
        self._lasts = lasts
        self._identity = identity

    def alert(self, fingerprint: str) -> Alert:
        """What is known of an alert. Raises NotKnown for one that was not told of."""
        if (alert := self.store.alert(fingerprint)) is None:
            raise NotKnown(
                f"there is no alert {fingerprint!r:.80}. Alertmanager tells of alerts by a webhook to /api/v1/alerts; "
                "without one, name query and matchers."
            )
        return alert

    def scope_of_series(self, query: str, series: str) -> str:
        """Matchers of the series that an alert's label `series` names. Raises ValueError for other text."""
        labels = {matcher.label: matcher.value for matcher in parse_matchers(series)}
        return written(scope_of_alert(labels, self._watched.series(query)))

    def give(self, new: NewVerdict) -> Kept:
        """Keep a verdict.

        Raises
        ------
        NotKnown
            For an alert that was not told of, or a query that is not there: such a verdict would act on nothing.
        ValueError, VerdictStoreError
            For what cannot be kept.
        """
        now = self.clock()
        alert = self.alert(new.alert) if new.alert else None
        if new.query:
            self._must_be_known(new.query)
        query = alert.query if alert else new.query
        matchers = alert.matchers if alert else parse_matchers(new.matchers)
        about = alert.about if alert else new.about
        size = self._size(new, alert, query, matchers, now, about)
        verdict = Verdict(
            id=self._identity(),
            opinion=new.verdict,
            query=query,
            matchers=matchers,
            score=size.score if size else None,
            side=size.side if size else 0,
            when=self._when(new, alert, now),
            about=about,
            alarm=self._alarm(about, alert, query, matchers, now),
            created=now,
            expires=now + float(self._lasts() if new.lasts is None else new.lasts),
            note=new.note,
            who=new.who,
        )
        kept = Kept(verdict, new.alert)
        self.store.add(kept, now)
        return kept

    def listed(self, query: str | None, active: bool | None) -> list[Kept]:
        """Verdicts, the newest first: those about a query, and those in force or over, where that is asked for.

        Raises NotKnown for a query that is not there and that no verdict is about.
        """
        now, kept = self.clock(), self.store.all(query=query)
        if query and not kept:
            self._must_be_known(query)
        return [each for each in kept if active is None or each.in_force(now) is active]

    def warnings(self, kept: Kept) -> list[str]:
        """What whoever gave a verdict should know of it, a line each."""
        verdict = kept.verdict
        queries = [verdict.query] if verdict.query else self._watched.queries()
        known = [keys for query in queries if (keys := tuple(self._watched.series(query)))]
        if not known or not verdict.matchers:  # right after a start nothing is known of any
            return []
        return (
            [] if any(LabelIndex(keys).where(verdict.matchers).any() for keys in known) else ["matches no series now."]
        )

    def take_back(self, identity: str, who: str = "") -> Kept:
        """Take a verdict back. Raises NotKnown where there is none."""
        if (kept := self.store.revoke(identity, self.clock(), who)) is None:
            raise NotKnown(f"there is no verdict {identity!r:.80}.")
        return kept

    def hear(self, alerts: Sequence[WebhookAlert]) -> int:
        """Keep what Alertmanager tells of. Returns how many alerts were about series of a query."""
        now = self.clock()
        ours = [alert for alert in alerts if alert.labels.get("query")]
        known = {query: frozenset(self._watched.series(query)) for query in {alert.labels["query"] for alert in ours}}
        self.store.record([self._heard(alert, known[alert.labels["query"]], now) for alert in ours], now)
        return len(ours)

    def _must_be_known(self, query: str) -> None:
        if (known := self._watched.queries()) and query not in known:
            raise NotKnown(f"query must be one of {', '.join(sorted(known))}. Got {query!r:.80}.")

    def _heard(self, alert: WebhookAlert, known: frozenset[SeriesKey], now: float) -> Alert:
        query, begun = alert.labels["query"], alert.starts_at.timestamp()
        matchers = scope_of_alert(alert.labels, known)
        size = self._watched.size(query, matchers, begun - 3_600, about_of(alert.labels))
        before = self.store.alert(alert.fingerprint)
        if before and before.begun == begun and before.score is not None and (not size or before.score > size.score):
            size = Size(before.score, before.side)  # the highest counts, also once the alert is over
        return Alert(
            fingerprint=alert.fingerprint,
            query=query,
            matchers=matchers,
            labels=alert.labels,
            summary=alert.annotations.get("summary", "")[:1_000],
            begun=begun,
            received=now,
            ended=alert.ends_at.timestamp() if alert.status == "resolved" else None,
            score=size.score if size else None,
            side=size.side if size else 0,
        )

    def _size(
        self,
        new: NewVerdict,
        alert: Alert | None,
        query: str,
        matchers: Sequence[Matcher],
        now: float,
        about: About,
    ) -> Size | None:
        """What was said, else what the alert knew, else what the service knows of the last day."""
        if new.score is not None:
            return Size(new.score, new.side_number or 0)
        found = self._watched.size(query, matchers, alert.begun if alert else now - 86_400, about)
        if alert and alert.score is not None and (found is None or alert.score > found.score):
            found = Size(alert.score, alert.side)  # the highest counts: a firing alert was told of when it was small
        if found and new.side_number is not None:
            return Size(found.score, new.side_number)
        # Whoever plans ahead means any size; so does nobody who judges what was no anomaly.
        return found if found and found.score > 1 else None

    def _alarm(
        self, about: About, alert: Alert | None, query: str, matchers: Sequence[Matcher], now: float
    ) -> JudgedAlarm | None:
        """What is judged, as the detectors saw it: what led to the alert, else the last alarm of a day."""
        if about is About.PEERS:
            return None
        # An alert begins after the alarm it tells of, and anew when Prometheus was restarted meanwhile.
        since, until = (alert.begun - 7 * DAY, alert.begun) if alert else (now - DAY, now)
        return self._watched.alarm(query, matchers, since, until)

    def _when(self, new: NewVerdict, alert: Alert | None, now: float) -> KindOfTime | None:
        if isinstance(new.when, When):
            return new.when.kind_of_time()
        if new.verdict is not Opinion.EXPECTED or new.when == "always" or (alert is None and new.when is None):
            return None
        query = alert.query if alert else new.query
        begun, ended = (alert.begun, alert.ended or now) if alert else (now, now)
        return around(begun, ended, self._watched.timezone(query), weekday_only=new.when != "daily")
