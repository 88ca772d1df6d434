"""The running process: queries, their cycles, and what is published of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from exporter.config import Configuration, Query
from exporter.config_file import ConfigError
from exporter.config_limits import LIMIT_KEYS
from exporter.config_load import load_config
from exporter.config_source import Source
from exporter.cycle import QueryCycle
from exporter.freshness import FRESH, Freshness
from exporter.hearing import Ears, Hearing
from exporter.left_out import LeftOutCycles
from exporter.page import ResultPage
from exporter.publisher import Publisher
from exporter.running import Runner, Running
from exporter.scheduler import Scheduler
from exporter.state.errors import StateError
from exporter.state.folder import StateFolder
from exporter.state.signature import signature_of
from exporter.telemetry import Telemetry
from exporter.verdicts.memory import QueryMemory
from exporter.wiring import (
    make_capacity,
    make_ears,
    make_plan,
    make_pull_budget,
    make_query_source,
    make_source,
    make_writer,
)
from series.memory_budget import MemoryBudget
from sources.base import MetricSource

log = structlog.get_logger("forethought.service")

# Seconds a stop waits for cycles under way. Containers are killed 10 s after they were asked to stop.
STOP_WITHIN = 5.0


class Service:
    """Reads the configuration, runs the cycles, and swaps either without stopping the other.

    Parameters
    ----------
    config_file : Path
    state : StateFolder or None
        Where samples are kept over a restart; None for nowhere.
    clock : callable
        Gives the seconds since the epoch.
    connect : callable
        Makes the source of samples from its settings.
    ears : Ears or None
        How people are heard; verdicts are kept for the life of the process by default.

    Raises
    ------
    ConfigError
        Where the configuration cannot be used.
    """

    def __init__(
        self,
        config_file: Path,
        state: StateFolder | None,
        clock: Callable[[], float] = time.time,
        connect: Callable[[Source, Telemetry], MetricSource] = make_source,
        ears: Ears | None = None,
    ) -> None:
        self.config_file = config_file
        self.config = load_config(config_file)
        self.telemetry = Telemetry()
        self._publisher = Publisher(self.config.output, self.telemetry, clock, make_writer)
        self.queries: dict[str, Running] = {}
        self.started = clock()
        self._state = state
        self._clock = clock
        self._lock = threading.Lock()
        self._connect = connect
        self._budget = MemoryBudget(self.config.memory_limit_bytes)
        self._source = connect(self.config.source, self.telemetry)
        self.hearing = Hearing(self.config, ears or make_ears(None), self._memories, clock)
        self._runner = Runner(self.queries, self.telemetry, self._publisher, self.hearing, self._save, clock)
        self._left_out = LeftOutCycles()
        self._scheduler = Scheduler(self.config.parallel_queries, self._on_missed)

    def start(self) -> None:
        """Begin with the cycles; the first of each query runs at once."""
        self._publisher.start()
        self.hearing.start()
        self._scheduler.start()
        if self._state and self._state.empty:
            log.info("no state found; all of the history is pulled", folder=str(self._state.path.absolute()))
        for query in self.config.queries:
            self._add(query)
        if self._state:
            self._state.prune([query.name for query in self.config.queries], self._clock())
        self._loaded()

    @property
    def page(self) -> ResultPage:
        """What is shown on /metrics beside what the process says of itself."""
        return self._publisher.page

    @property
    def is_ready(self) -> bool:
        """True once each query has been tried, so that a scrape shows results or says why there are none."""
        return not self.waiting

    @property
    def waiting(self) -> list[str]:
        """Names of the queries of which no cycle has ended yet."""
        queries = self.queries.copy()
        names = [query.name for query in self.config.queries]
        return [name for name in names if name not in queries or not queries[name].tried]

    def cycles(self) -> dict[str, QueryCycle]:
        """The cycles of the queries by name, as they are now."""
        return {name: running.cycle for name, running in self.queries.copy().items()}

    @property
    def now(self) -> float:
        """Seconds since the epoch, by the clock that results grow old by."""
        return self._clock()

    def freshness(self, name: str) -> Freshness:
        """Whether the results of a query are still the present; /metrics shows them exactly as long."""
        if (running := self.queries.get(name)) is None:
            return FRESH
        result = running.result  # before the page, which shows a new one first
        withdrawn = result.results.expires if result and not self.page.shows(name) else None
        return Freshness(withdrawn, running.failing_since, running.problem)

    def reload(self) -> None:
        """Read the configuration again. Queries that did not change keep their windows and models.

        Raises
        ------
        ConfigError
            Where it cannot be used; the old one then runs on.
        """
        with self._lock:
            source = self._source
            try:
                config = load_config(self.config_file)
                if config.source != self.config.source:
                    source = self._connect(config.source, self.telemetry)
                self._publisher.change(config.output)
            except ConfigError as error:
                if source is not self._source:
                    source.close()
                self.telemetry.config_reload_ok.set(0)
                for problem in error.problems:
                    log.error("configuration refused; the old one runs on", problem=problem)  # noqa: TRY400
                raise
            self._swap(config, source)
            self._loaded()

    def stop(self) -> bool:
        """Run no more cycles, and keep what they learned.

        Returns
        -------
        False where a cycle did not end in time: its thread is still there.
        """
        if self._runner.stopped.is_set():
            return True
        self._runner.stopped.set()
        ending = threading.Thread(target=self._scheduler.stop, daemon=True)
        ending.start()
        ending.join(STOP_WITHIN)
        for name, running in self.queries.items():
            if running.under_way.acquire(blocking=False):  # and no other cycle of it begins
                self._save(running)
            else:
                log.warning("a cycle did not end in time and is abandoned", query=name, seconds=STOP_WITHIN)
        self._left_out.tell()
        self._publisher.stop()
        self.hearing.stop()
        self._source.close()
        log.info("stopped")
        return not ending.is_alive()

    def _swap(self, config: Configuration, source: MetricSource) -> None:
        old, former = self.config, self._source
        source_changed = source is not former
        if config.parallel_queries != old.parallel_queries:
            log.warning("parallel_queries changes with the next start only")
        wanted = {query.name: query for query in config.queries}
        self.config = config
        self._budget.limit = config.memory_limit_bytes
        self.hearing.change(config)
        self._source = source
        for name in [name for name in self.queries if name not in wanted]:
            self._remove(name)
        for query in config.queries:
            running = self.queries.get(query.name)
            if (
                running
                and _judge_alike(running.cycle.query, query)
                and not source_changed
                and config.stale_after == old.stale_after
                and config.occasions(query) == old.occasions(query)
            ):
                running.cycle.calling.held_back = self.hearing.held_back(query.name)
                if running.cycle.query != query:
                    running.cycle.change_limits(query, make_capacity(query, self._source, running.cycle.plan))
                continue
            if running:
                self._remove(query.name)
            self._add(query)
        if source_changed:
            former.close()

    def _add(self, query: Query) -> None:
        plan = make_plan(query, self.config.occasions(query))
        cycle = QueryCycle(
            query,
            make_query_source(query, self._source),
            plan,
            self.telemetry,
            self._stale_after(query),
            held_back=self.hearing.held_back(query.name),
            budget=self._budget,
            pull=make_pull_budget(self.config.source),
            shards=self.page.shards,
            capacity=make_capacity(query, self._source, plan),
        )
        running = Running(cycle)
        if self._state:
            outcome = self._state.restore(query.name, signature_of(self.config, query), cycle)
            self.telemetry.state_restores.labels(outcome).inc()
            if outcome in ("complete", "samples_only"):
                log.info("state restored", query=query.name, series=len(cycle.store.keys), outcome=outcome)
        self.queries[query.name] = running
        self.telemetry.cycle_interval.labels(query.name).set(query.cycle_interval)
        if query.shadow:
            self.telemetry.query_shadow.labels(query.name).set(1)
        self._scheduler.add(
            query.name,
            lambda: self._run(running),
            interval=query.cycle_interval,
            offset=query.latency,
            among=len(self.config.queries),
        )

    def _remove(self, name: str) -> None:
        self._scheduler.remove(name)
        with self._runner.showing:
            del self.queries[name]
            self._publisher.withdraw(name)
            self.telemetry.forget(name)

    def _run(self, running: Running) -> None:
        self._runner.run(running)

    def _memories(self) -> dict[str, QueryMemory]:
        return {name: cycle.calling.memory for name, cycle in self.cycles().items()}

    def _save(self, running: Running) -> None:
        if self._state is None:
            return
        query = running.cycle.query
        try:
            self._state.save(query.name, signature_of(self.config, query), running.cycle)
        except (OSError, StateError) as error:
            log.warning("samples cannot be kept for a restart", query=query.name, error=str(error))
        running.saved_at = time.monotonic()

    def _stale_after(self, query: Query) -> float:
        """Seconds results count as the present: never so few that they are gone before the next cycle ends."""
        return max(float(self.config.stale_after), 1.5 * query.cycle_interval + 60)

    def _loaded(self) -> None:
        self.telemetry.config_reload_ok.set(1)
        self.telemetry.config_reload_timestamp.set(self._clock())
        log.info("configuration loaded", file=str(self.config_file), queries=len(self.config.queries))

    def _on_missed(self, name: str) -> None:
        self.telemetry.cycle_missed.labels(name).inc()
        if running := self.queries.get(name):
            self._left_out.note(running.cycle.query)


def _judge_alike(one: Query, other: Query) -> bool:
    """True where the queries differ in their limits at most: what was learned of one then holds for the other."""
    return one.model_dump(exclude=LIMIT_KEYS) == other.model_dump(exclude=LIMIT_KEYS)
