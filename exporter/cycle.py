"""One cycle of one query, from top to bottom."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import structlog

from exporter import metrics
from exporter.columns import (
    forecast_columns,
    group_results,
    judged_columns,
    limit_columns,
    outage_results,
    peer_columns,
    silence_columns,
    slow_columns,
)
from exporter.config import Query
from exporter.exposition import Lines
from exporter.held_back import HeldBack, Said
from exporter.models.calling import Calling, Judgement
from exporter.models.capacity import CapacitySlot
from exporter.models.forecasts import ForecasterSlot
from exporter.models.judging import DetectorSlot
from exporter.models.peer_groups import PeerSlot
from exporter.models.plan import ModelPlan
from exporter.models.silence import Silence, SilenceSlot
from exporter.models.slow_change import SlowChangeSlot
from exporter.models.stored import Tree
from exporter.page import Block
from exporter.results import Notes, Results
from exporter.telemetry import Telemetry
from series import Grid, Reason, SeriesKey, Window
from series.memory_budget import MemoryBudget
from series.store import RingStore
from sources.base import MetricSource
from sources.incremental import PullBudget, pull_missing

log = structlog.get_logger("forethought.cycle")

# Most seconds a cycle spends on new forecasts: the next cycle, or a stop, does not wait for those of many series.
_FORECAST_WITHIN = 8.0
# The same for baselines, of which some are needed for any score at all.
_FIT_WITHIN = 8.0
# And in the very first cycle, so that somebody who has just started it sees scores soon.
_FIRST_FIT_WITHIN = 2.0
# And for slow change, of which nothing is urgent.
_EXAMINE_WITHIN = 2.0
# Forecasts are shown at once where this share of the series got new ones, else with the next cycle.
_WORTH_SHOWING = 0.25


@dataclass(frozen=True, eq=False)
class CycleResult:
    """What one cycle found out, and how it reads on the page."""

    results: Results
    block: Block
    n_series: int
    n_anomalous: int
    skipped: dict[Reason, int]


@dataclass(frozen=True, eq=False)
class _Last:
    """What the last judgement found, for rendering it again with later forecasts."""

    now: float
    judged: Judgement
    silence: Silence
    skipped: Counter[Reason]


class QueryCycle:
    """A configured query with its window and models.

    Parameters
    ----------
    query : Query
    source : MetricSource
    plan : ModelPlan
    telemetry : Telemetry
    stale_after : float
        Seconds after which results are no longer the present.
    shards : int, default 1
        Pages the results are spread over.
    budget : MemoryBudget or None
        Shared by the windows of all queries.
    pull : PullBudget or None
        After how much a pull leaves the rest to the next cycle.
    held_back : HeldBack or None
        What people say of series.
    capacity : CapacitySlot or None
        Looks for the dates of limits, where there are some.

    Attributes
    ----------
    plan : ModelPlan
    store : RingStore
    detector : DetectorSlot
    calling : Calling
        Decides what is told of a score.
    peers : PeerSlot or None
        None for a query without `peers_by`.
    slow : SlowChangeSlot
    forecaster : ForecasterSlot
    """

    def __init__(
        self,
        query: Query,
        source: MetricSource,
        plan: ModelPlan,
        telemetry: Telemetry,
        stale_after: float,
        shards: int = 1,
        budget: MemoryBudget | None = None,
        pull: PullBudget | None = None,
        held_back: HeldBack | None = None,
        capacity: CapacitySlot | None = None,
    ) -> None:
        self.query = query
        self.source = source
        self.telemetry = telemetry
        self.stale_after = stale_after
        self._pull_budget = pull
        self.store = RingStore(
            step=int(query.step),
            n_steps=query.history // query.step,
            late_steps=math.ceil(query.late_samples / query.step),
            budget=budget,
            dtype=query.precision,
        )
        self.plan = plan
        held_back = held_back or HeldBack(query.name, Said())
        self._silence = SilenceSlot(plan.step)
        self.detector = DetectorSlot(plan, self._silence.learn, self._weights)
        self.calling = Calling(plan, held_back)
        self.peers = None if plan.peers_by is None else PeerSlot(plan)
        self.slow = SlowChangeSlot(plan)
        self.forecaster = ForecasterSlot(plan)
        self.capacity = capacity
        self._lines = Lines(query.name, shards)
        self._last: _Last | None = None
        self._unpulled = 0
        # Changes when the history became whole: what was learned of its parts no longer holds.
        self._epoch = 0

    def run(self, now: float) -> CycleResult:
        """Pull what is new, judge the last complete step, and render it with the forecasts at hand.

        Parameters
        ----------
        now : float
            Seconds since the epoch.

        Raises
        ------
        SourceError
            Where no usable answer came. The window keeps what it held, and the next cycle asks again.
        """
        query, stage = self.query, self.telemetry.stage
        grid = Grid.ending(now, step=int(query.step), history=int(query.history), latency=query.latency)
        with stage("pull"):
            pulled = pull_missing(
                self.source,
                query.query,
                self.store,
                grid,
                limit=query.series_limit,
                budget=self._pull_budget,
            )
            self._note_fill(pulled.unpulled)
        window = self.store.window()
        self._silence.place(window.keys)
        with stage("fit"):
            within = min(_FIT_WITHIN if self._last else _FIRST_FIT_WITHIN, 0.5 * query.cycle_interval)
            self._fitted("baseline", now, self.detector.fit_if_due(window, self._epoch, within))
            self.telemetry.detector_weights(query.name, self.detector.weights)
        with stage("judge"):
            seen = self.detector.judge(window)
            peers = self.peers.judge(window, self._epoch, len(seen.times), within / 2) if self.peers else None
            judged = self.calling.judge(seen, peers)
            silence = self._silence.judge(window, self.store.silent_steps, judged.quiet)
            self.forecaster.follow(window)
            self._tell_forecasting()
        for warning in pulled.warnings:
            log.warning("the source warns", query=query.name, warning=warning)
        self._last = _Last(now, judged, silence, Counter(pulled.skipped) + Counter(judged.skipped))
        return self._result(window, self._last)

    @property
    def waits(self) -> bool:
        """True while some series wait for their first baseline: many do at a start, and a cycle does not do all."""
        return self.detector.waits

    def look_ahead(self, now: float) -> CycleResult | None:
        """Forecast, and look for dates of limits, where it is due, once the scores are out: they do not wait for it.

        Returns
        -------
        CycleResult or None
            The last result with the new forecasts; None where most of the old ones still hold.
        """
        if self._last is None:
            return None
        window = self.store.window()
        with self.telemetry.stage("fit"):
            within = min(_FORECAST_WITHIN, 0.3 * self.query.cycle_interval)
            seconds, n_series = self.forecaster.fit_if_due(window, self._epoch, within)
            dated = self._look_for_dates(window, now, within)
            self.slow.fit_if_due(window, self._epoch, min(_EXAMINE_WITHIN, 0.1 * self.query.cycle_interval))
        if n_series:
            self._fitted("forecast", now, seconds)
            self._tell_forecasting()
        n_series = max(n_series, dated)
        return self._result(window, self._last) if n_series > _WORTH_SHOWING * window.n_series else None

    @property
    def held_back(self) -> HeldBack:
        """What people said of the series, beside what the detectors called alone."""
        live_error = self.detector.live_error
        return self.calling.held_back.with_live_error(live_error.excess) if live_error else self.calling.held_back

    def change_limits(self, query: Query, capacity: CapacitySlot | None) -> None:
        """Watch the limits of `query`, which must be the same in all else: nothing but their dates is found anew."""
        self.query, self.capacity = query, capacity

    def dump(self, number: Callable[[SeriesKey], int]) -> Tree:
        """What the models know, for a restart; `number` gives each series a number to stand for it."""
        return {
            "detector": self.detector.dump(number, self._epoch),
            "calling": self.calling.dump(number),
            "silence": self._silence.dump(number),
            "peers": self.peers.dump(number, self._epoch) if self.peers else None,
            "slow": self.slow.dump(number, self._epoch),
            "forecaster": self.forecaster.dump(number, self._epoch),
            "capacity": self.capacity.dump(number, self._epoch) if self.capacity else None,
        }

    def load(self, learned: Tree, keys: list[SeriesKey]) -> None:
        """Take over what `dump` gave; raises LookupError, TypeError or ValueError where it is something else."""
        self._unpulled = self.store.n_unpulled
        self.detector.load(learned["detector"], keys, self._epoch)
        self.calling.load(learned["calling"], keys)
        self._silence.load(learned["silence"], keys)
        if self.peers:
            self.peers.load(learned["peers"], keys, self._epoch)
        self.slow.load(learned["slow"], keys, self._epoch)
        self.forecaster.load(learned["forecaster"], keys, self._epoch)
        if self.capacity:
            self.capacity.load(learned["capacity"], keys, self._epoch)

    def start_cold(self) -> None:
        """Forget what a failed `load` may have left half done."""
        self._silence = SilenceSlot(self.plan.step)
        self.detector = DetectorSlot(self.plan, self._silence.learn, self._weights)
        self.forecaster = ForecasterSlot(self.plan)
        self.calling = Calling(self.plan, self.calling.held_back)
        self.peers = PeerSlot(self.plan) if self.peers else None
        self.slow = SlowChangeSlot(self.plan)
        if self.capacity:
            self.capacity.start_cold()

    def _weights(self, time: float) -> dict[str, float]:
        return self.held_back.weights(time)

    def _note_fill(self, unpulled: int) -> None:
        if self._unpulled and not unpulled:
            self._epoch += 1
        self._unpulled = unpulled
        self.telemetry.unpulled_steps.labels(self.query.name).set(unpulled)

    def _look_for_dates(self, window: Window, now: float, within: float) -> int:
        if (capacity := self.capacity) is None:  # a reload may exchange it meanwhile
            return 0
        seconds, n_series = capacity.fit_if_due(window, self._epoch, now, within)
        if n_series:
            self._fitted("capacity", now, seconds)
        return n_series

    def _tell_forecasting(self) -> None:
        if self.query.forecast.horizons:
            self.telemetry.forecasting(self.query.name, self.forecaster.summary(), self.plan.coverage)

    def _result(self, window: Window, last: _Last) -> CycleResult:
        with self.telemetry.stage("render"):
            capacity, forecasts = self.capacity, self.forecaster.at(window)
            columns = [
                *judged_columns(self.query, last.judged),
                *peer_columns(self.query, last.judged.peers),
                *slow_columns(self.slow.at(window)),
                *silence_columns(self.query, last.silence),
                *forecast_columns(forecasts),
                *limit_columns(capacity.at(window) if capacity else {}),
            ]
            expires = last.now + self.stale_after
            beside = (
                outage_results(self.query, last.silence.outages, expires),
                group_results(self.query, last.judged.groups, expires),
            )
            results = Results(self.query.name, window.keys, tuple(columns), expires, self._notes(last.judged), beside)
            block = Block.of(results, self._lines)
        return CycleResult(results, block, window.n_series, int(np.nansum(last.judged.alarm)), dict(last.skipped))

    def _notes(self, judged: Judgement) -> tuple[Notes, ...]:
        if self.query.shadow:
            return ()
        why = Notes(metrics.ANOMALY_INFO, "why", judged.reasons)
        return (why, Notes(metrics.PEER_INFO, "why", judged.peers.reasons)) if judged.peers else (why,)

    def _fitted(self, model: str, now: float, seconds: float | None) -> None:
        if seconds is None:
            return
        self.telemetry.model_fit_timestamp.labels(self.query.name, model).set(now)
        self.telemetry.model_fit_duration.labels(self.query.name, model).set(seconds)
        log.debug("model fitted", query=self.query.name, model=model, seconds=round(seconds, 3))
