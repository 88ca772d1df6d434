"""The cycles of queries as they run, and what is told of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from detectors.feedback import false_alarm_ratio
from exporter.cycle import CycleResult, QueryCycle
from exporter.hearing import Hearing
from exporter.publisher import Publisher
from exporter.telemetry import Telemetry
from series.memory_budget import StoreFull
from sources.errors import SourceError

log = structlog.get_logger("forethought.service")

# Seconds between two writes of a query's samples to disk: what a crash can lose is pulled again.
_SAVE_EVERY = 600.0


@dataclass
class Running:
    """A query and how its last cycle went."""

    cycle: QueryCycle
    result: CycleResult | None = None
    succeeded_at: float | None = None
    failure: str | None = None
    failing_since: float | None = None
    problem: str = ""
    saved_at: float = field(default_factory=time.monotonic)
    under_way: threading.Lock = field(default_factory=threading.Lock)
    """Held while a cycle changes the samples."""

    @property
    def tried(self) -> bool:
        """True once a cycle has ended, however it did."""
        return self.result is not None or self.failure is not None


class Runner:
    """Runs cycles and tells what became of them.

    Parameters
    ----------
    queries : mapping of str to Running
        Those that are configured now. Of one that was taken away meanwhile nothing is told.
    telemetry : Telemetry
    publisher : Publisher
    hearing : Hearing
    save : callable
        Keeps what a query learned.
    clock : callable
        Gives the seconds since the epoch.

    Attributes
    ----------
    stopped : Event
        Set once no more cycles are to begin.
    showing : RLock
        Held to show something of a query that is still there, and to take a query away.
    """

    def __init__(
        self,
        queries: Mapping[str, Running],
        telemetry: Telemetry,
        publisher: Publisher,
        hearing: Hearing,
        save: Callable[[Running], None],
        clock: Callable[[], float],
    ) -> None:
        self._queries, self._clock, self._save = queries, clock, save
        self._telemetry, self._publisher, self._hearing = telemetry, publisher, hearing
        self.stopped = threading.Event()
        self.showing = threading.RLock()

    def run(self, running: Running) -> None:
        """Run a cycle of a query, and those that must follow at once."""
        judged, waits = False, True
        while waits and not self.stopped.is_set():  # first scores are shown while other series wait for theirs
            now = self._clock()
            with running.under_way:  # the samples change; forecasting only reads them
                judged = self._cycle(running, now)
            waits = judged and running.cycle.waits and self._queries.get(running.cycle.query.name) is running
        if judged:
            self._look_ahead(running, now)
        with self.showing:
            name = running.cycle.query.name
            if name not in self._queries:  # what a cycle told of itself after it was taken away
                self._telemetry.forget(name)

    def _cycle(self, running: Running, now: float) -> bool:
        name, started = running.cycle.query.name, time.perf_counter()
        try:
            result = running.cycle.run(now)
        except StoreFull as error:
            self._failed(running, "memory_limit", str(error), time.perf_counter() - started)
        except SourceError as error:
            self._failed(running, error.reason, str(error), time.perf_counter() - started)
        except Exception as error:
            log.exception("cycle broke", query=name)
            self._failed(running, "internal_error", f"{type(error).__name__}: {error}", time.perf_counter() - started)
        else:
            self._succeeded(running, result, now, time.perf_counter() - started)
            return True
        return False

    def _look_ahead(self, running: Running, now: float) -> None:
        name = running.cycle.query.name
        try:
            result = running.cycle.look_ahead(now)
        except Exception as error:
            log.exception("forecasting broke", query=name)
            self._failed(running, "internal_error", f"{type(error).__name__}: {error}", 0.0)
            return
        with self.showing:
            if result and self._queries.get(name) is running:
                self._publisher.publish(result)

    def _succeeded(self, running: Running, result: CycleResult, now: float, seconds: float) -> None:
        name = running.cycle.query.name
        with self.showing:
            if self._queries.get(name) is not running:
                return  # reloaded away while it ran
            self._publisher.publish(result)
            self._telemetry.succeeded(name, now=now, seconds=seconds)
            self._telemetry.series.labels(name).set(result.n_series)
            self._telemetry.store_bytes.labels(name).set(running.cycle.store.nbytes)
            self._telemetry.skipped(name, result.skipped)
            self._tell_verdicts(name, now)
            if running.failure:
                log.info("query works again", query=name)
            elif running.result is None and result.n_series:
                log.info("first results", query=name, series=result.n_series, seconds=round(seconds, 2))
            if not result.n_series and (running.result is None or running.result.n_series):
                log.warning(
                    "no series in all of the history; check the expression",
                    query=name,
                    expression=running.cycle.query.query,
                )
            running.result, running.succeeded_at, running.failure, running.problem = result, now, None, ""
            running.failing_since = None
        query = running.cycle.query
        if seconds > max(query.cycle_interval, query.step):  # less is made up for by the next one
            log.warning("cycle took longer than its interval", query=name, seconds=round(seconds, 1))
        if time.monotonic() - running.saved_at > _SAVE_EVERY:
            self._save(running)

    def _tell_verdicts(self, name: str, now: float) -> None:
        in_force = sum(verdict.query in ("", name) for verdict in self._hearing.verdicts(now))
        self._telemetry.judged_alarms(name, false_alarm_ratio(self._hearing.given(), name, now), in_force)

    def _failed(self, running: Running, reason: str, problem: str, seconds: float) -> None:
        name = running.cycle.query.name
        with self.showing:
            if self._queries.get(name) is not running:
                return
            self._telemetry.failed(name, reason, seconds=seconds)
        say = log.debug if running.failure == reason else log.warning
        say("query failed; it is tried again every interval", query=name, reason=reason, problem=problem)
        if running.failing_since is None:
            running.failing_since = self._clock()
        running.failure, running.problem = reason, problem
