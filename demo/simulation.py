"""The platform as it runs: one model behind the history and the live metrics, so that they join without a jump."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from demo.draws import IntArray, LateCounts, SlowNoise, histogram, sums
from demo.incidents import Incident
from demo.rhythm import FloatArray, Rhythm
from demo.storage import Storage
from demo.workloads import NIGHTLY, STEPS, Workload

DURATION_BOUNDS = np.array([5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0])
STEP_BOUNDS = np.array([5.0, 30.0, 120.0])
LATENCY_BOUNDS = np.array([0.5, 1.0, 2.0, 5.0, 10.0])
STEP_SHARES = np.array([0.25, 0.5, 0.25])
MODELS = {"atlas-large": (4.0, 12e-6), "atlas-mini": (1.2, 1.5e-6), "atlas-embed": (0.4, 0.2e-6)}
"""Name to median latency in seconds and price of a token in US dollars."""
PROMPT_SHARE = 0.8
MIB = 2.0**20

State = dict[str, FloatArray]
"""Name of a family's part to (rows, times): totals of counters, values of gauges."""


@dataclass(frozen=True)
class _Runs:
    """Every run counted in one stretch of time: where it belongs and how long its steps took."""

    owner: IntArray
    cell: IntArray
    steps: FloatArray

    @property
    def seconds(self) -> FloatArray:
        return np.asarray(self.steps.sum(axis=1), dtype=np.float64)


class Platform:
    """All workloads, from one instant to the next.

    The same seed and the same calls give the same samples.

    Parameters
    ----------
    workloads : tuple of Workload
    rhythm : Rhythm
    incidents : sequence of Incident
        On the clock; more can be added while it runs.
    storage : Storage
    seed : int
    """

    def __init__(
        self,
        workloads: tuple[Workload, ...],
        rhythm: Rhythm,
        incidents: Sequence[Incident],
        storage: Storage,
        *,
        seed: int,
    ) -> None:
        self.workloads = workloads
        self.incidents = list(incidents)
        self._rhythm = rhythm
        self._storage = storage
        self._seed = seed
        self._totals: State = {}
        self._late = LateCounts(len(workloads))
        self._load = SlowNoise(len(workloads), memory=300.0)
        self._leak = SlowNoise(len(workloads), memory=7_200.0)
        stepped = np.array([workload.steps for workload in workloads])
        self._row_of_stepped = np.where(stepped, np.cumsum(stepped) - 1, -1)
        self._calling = np.flatnonzero([bool(workload.model) for workload in workloads])

    def advance(self, start: float, seconds: float, count: int) -> State:
        """Run on from `start`, for `count` intervals of `seconds`.

        Returns
        -------
        State
            As read at the end of each interval.
        """
        times = start + seconds * np.arange(count, dtype=np.float64)
        random = np.random.default_rng([self._seed, int(start), int(seconds), count])
        activity = self._rhythm.activity(times)
        load = self._load.draw(random, count, seconds)
        counted = self._late.draw(random, self._happened(random, activity, times, seconds), seconds)
        runs = self._runs(random, counted, activity, load, times)
        increments = self._executions(random, counted, times) | self._durations(runs, counted.shape)
        increments |= self._calls(random, runs, times)
        increments["cpu"] = 0.02 * seconds + sums(
            runs.cell, runs.seconds * self._each("cpu_share")[runs.owner], counted.shape
        )
        return self._continued(increments) | self._gauges(random, activity, load, times, seconds)

    def _each(self, attribute: str) -> FloatArray:
        return np.array([getattr(workload, attribute) for workload in self.workloads], dtype=np.float64)

    def _factor(self, knob: str, times: FloatArray) -> FloatArray:
        factor = np.ones((len(self.workloads), len(times)))
        for row, workload in enumerate(self.workloads):
            for incident in self.incidents:
                if incident.target == workload.pipeline_id:
                    factor[row] *= incident.factor(knob, times)
        return factor

    def _happened(
        self, random: np.random.Generator, activity: FloatArray, times: FloatArray, seconds: float
    ) -> IntArray:
        asked = self._factor("arrivals", times)
        rate = self._each("runs_per_hour")[:, None] / 3_600 * seconds * activity
        happened = random.poisson(rate * asked)
        for row, workload in enumerate(self.workloads):
            if workload.rhythm == NIGHTLY:
                happened[row] = self._rhythm.due(row, times, seconds) * asked[row]
        return happened.astype(np.int64)

    def _runs(
        self, random: np.random.Generator, counted: IntArray, activity: FloatArray, load: FloatArray, times: FloatArray
    ) -> _Runs:
        cell = np.repeat(np.arange(counted.size), counted.ravel())
        owner = cell // counted.shape[1]
        median = self._each("median_seconds")[:, None] * (1 + 0.15 * activity) * np.exp(0.03 * load)  # busy is slower
        whole = median.ravel()[cell] * np.exp(self._each("spread")[owner] * random.standard_normal(len(cell)))
        steps = whole[:, None] * _shares(random, len(cell))
        return _Runs(owner, cell, steps * self._slowness(times)[cell])

    def _slowness(self, times: FloatArray) -> FloatArray:
        slowness = np.ones((len(self.workloads), len(times), len(STEPS)))
        for row, workload in enumerate(self.workloads):
            for incident in self.incidents:
                if incident.target == workload.pipeline_id:
                    step = slice(None) if incident.step is None else slice(incident.step, incident.step + 1)
                    slowness[row, :, step] *= incident.factor("slowness", times)[:, None]
        return slowness.reshape(-1, len(STEPS))

    def _executions(self, random: np.random.Generator, counted: IntArray, times: FloatArray) -> State:
        ratio = np.repeat(self._each("failure_ratio")[:, None], len(times), axis=1)
        for row, workload in enumerate(self.workloads):
            for incident in self.incidents:
                if incident.target == workload.pipeline_id and incident.failure_ratio is not None:
                    ratio[row, incident.progress(times) > 0] = incident.failure_ratio
        failed = random.binomial(counted, ratio)
        return {"success": (counted - failed).astype(np.float64), "failed": failed.astype(np.float64)}

    def _durations(self, runs: _Runs, shape: tuple[int, int]) -> State:
        whole = _observed("duration", runs.cell, runs.seconds, DURATION_BOUNDS, shape)
        return whole | self._step_durations(runs, shape)

    def _step_durations(self, runs: _Runs, shape: tuple[int, int]) -> State:
        kept = self._row_of_stepped[runs.owner] >= 0
        row = self._row_of_stepped[runs.owner[kept], None] * len(STEPS) + np.arange(len(STEPS))
        cell = row * shape[1] + runs.cell[kept, None] % shape[1]
        rows = (self._row_of_stepped.max() + 1) * len(STEPS)
        return _observed("step", cell.ravel(), runs.steps[kept].ravel(), STEP_BOUNDS, (rows, shape[1]))

    def _calls(self, random: np.random.Generator, runs: _Runs, times: FloatArray) -> State:
        shape = (len(self.workloads), len(times))
        calls = np.isin(runs.owner, self._calling)
        cell, owner = runs.cell[calls], runs.owner[calls]
        leak = self._factor("tokens", times).ravel()[cell]
        tokens = np.round(self._each("tokens")[owner] * np.exp(0.4 * random.standard_normal(len(cell))) * leak)
        spent = sums(cell, tokens, shape)[self._calling]
        price = np.array([MODELS[self.workloads[row].model][1] for row in self._calling])
        prompt = np.floor(PROMPT_SHARE * spent)
        return {
            "tokens_prompt": prompt,
            "tokens_completion": spent - prompt,
            "cost": spent * price[:, None],
        } | self._latencies(random, cell, owner, leak, len(times))

    def _latencies(
        self, random: np.random.Generator, cell: IntArray, owner: IntArray, leak: FloatArray, count: int
    ) -> State:
        names = list(MODELS)
        rank = np.array([names.index(workload.model) if workload.model else 0 for workload in self.workloads])
        median = np.array([MODELS[name][0] for name in names])[rank[owner]]
        seconds = median * np.exp(0.5 * random.standard_normal(len(cell))) * leak**0.2
        return _observed("latency", rank[owner] * count + cell % count, seconds, LATENCY_BOUNDS, (len(names), count))

    def _gauges(
        self, random: np.random.Generator, activity: FloatArray, load: FloatArray, times: FloatArray, seconds: float
    ) -> State:
        waiting = np.stack([self._backlog(workload, times) for workload in self.workloads])
        queue = random.poisson(self._each("queue")[:, None] * activity * np.exp(0.25 * load))
        drift = self._leak.draw(random, len(times), seconds)
        memory = self._each("memory_mib")[:, None] * MIB * (1 + 0.1 * activity + 0.02 * drift + 0.01 * load)
        return {
            "queue": queue + np.floor(waiting),
            "memory": np.floor(memory * self._factor("memory", times)),
        } | self._storage.at(random, times, seconds)

    def _backlog(self, workload: Workload, times: FloatArray) -> FloatArray:
        own = [incident.waiting(times) for incident in self.incidents if incident.target == workload.pipeline_id]
        return np.sum(own, axis=0) if own else np.zeros_like(times)

    def _continued(self, increments: State) -> State:
        """Counters: what came before plus what was added since."""
        state = {}
        for name, added in increments.items():
            before = self._totals.get(name, np.zeros(len(added)))
            state[name] = before[:, None] + np.cumsum(added, axis=1)
            self._totals[name] = state[name][:, -1].copy()
        return state


def _shares(random: np.random.Generator, count: int) -> FloatArray:
    """(count, n_steps): how a run's time is spread over its steps; no two runs alike."""
    raw = STEP_SHARES * np.exp(0.2 * random.standard_normal((count, len(STEPS))))
    return np.asarray(raw / raw.sum(axis=1, keepdims=True), dtype=np.float64)


def _observed(name: str, cell: IntArray, values: FloatArray, bounds: FloatArray, shape: tuple[int, int]) -> State:
    """The three parts of a histogram in which single values were observed."""
    buckets = histogram(cell, values, bounds, shape)
    return {
        f"{name}_bucket": buckets.reshape(-1, shape[1]),
        f"{name}_sum": sums(cell, values, shape),
        f"{name}_count": buckets[:, -1],
    }
