"""Two weeks that the demo did not have to wait for, written into Prometheus before the first scrape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from demo.exposition import JOBS, Family, matrix, rows
from demo.incidents import MISSED_RUN_AFTER, PAST, placed
from demo.remote_write import write
from demo.rhythm import DAY, FloatArray, Rhythm
from demo.simulation import Platform
from demo.storage import Storage
from demo.workloads import NIGHTLY, Workload

STEP = 60.0
SCRAPE = 5.0
"""Seconds between samples: in the history, and from its end on as Prometheus scrapes."""
CHUNK = 720
"""Steps simulated and written at a time."""
START_UP_SECONDS = 45.0
MONTH_CLOSE_BEFORE = 6 * DAY
MISSED = "ledger-nightly-close"


def platform_until(workloads: tuple[Workload, ...], end: float, *, days: float, seed: int) -> tuple[Platform, float]:
    """A platform that stands `days` before `end`, and when that is.

    Parameters
    ----------
    workloads : tuple of Workload
    end : float
        Seconds since the epoch, where the history shall end.
    days : float
    seed : int
    """
    start = end - days * DAY
    nightly = tuple(_time_of_day(workload, index, end, seed) for index, workload in enumerate(workloads))
    rhythm = Rhythm(workloads, start, end - MONTH_CLOSE_BEFORE, nightly, seed)
    return Platform(workloads, rhythm, placed(PAST, end), Storage(end), seed=seed), start


def _time_of_day(workload: Workload, index: int, end: float, seed: int) -> float:
    if workload.pipeline_id == MISSED:
        # Nobody waits for the night to see a nightly run missed: its night falls into the demo.
        return (end + START_UP_SECONDS + MISSED_RUN_AFTER) % DAY
    if workload.rhythm == NIGHTLY:
        return float(np.random.default_rng([seed, index]).uniform(1, 4)) * 3_600
    return 0.0


class Historian:
    """Moves a platform through the past and writes down what a scrape would have seen.

    Parameters
    ----------
    platform : Platform
    families : sequence of Family
    url : str
        Remote write address.
    start : float
        Where `platform` stands, seconds since the epoch.
    """

    def __init__(self, platform: Platform, families: Sequence[Family], url: str, start: float) -> None:
        self.reached = start
        self._platform = platform
        self._families = families
        self._url = url
        self._labels = rows(families) + [{"__name__": "up", "job": job, "instance": job} for job in JOBS]

    def write_until(self, end: float, step: float, progress: Callable[[float], None]) -> None:
        """Write every `step` seconds up to `end`, telling `progress` which share is done."""
        total = int((end - self.reached) // step)
        with ThreadPoolExecutor(1) as writer:  # writes one stretch of time while the next is simulated
            under_way: list[Future[None]] = []
            for done in range(0, total, CHUNK):
                count = min(CHUNK, total - done)
                times, values = self._simulate(step, count)
                _wait_for(under_way)
                progress(done / total)
                under_way = [writer.submit(write, self._url, self._labels, times, values)]
            _wait_for(under_way)
        progress(1.0)

    def _simulate(self, step: float, count: int) -> tuple[FloatArray, FloatArray]:
        values = matrix(self._families, self._platform.advance(self.reached, step, count))
        times = self.reached + step * np.arange(1, count + 1, dtype=np.float64)
        self.reached = float(times[-1])
        return times, np.vstack([values, np.ones((len(JOBS), count))])


def _wait_for(futures: Sequence[Future[None]]) -> None:
    for future in futures:
        future.result()
