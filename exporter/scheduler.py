"""When each query's next cycle runs."""

from __future__ import annotations

import datetime as dt
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

import structlog
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.executors.pool import BasePoolExecutor
from apscheduler.job import Job
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

log = structlog.get_logger("forethought.scheduler")

# How often the wall clock is compared with the steady one, and how far they may drift apart, in seconds.
_CLOCK_CHECK = 5.0
_CLOCK_JUMP = 3.0
# Two runs are never due at the same instant.
_TICK = dt.timedelta(milliseconds=1)
# A job that took longer runs in the slow lane next time, in seconds.
_SLOW = 10.0
# Starts are spread over a tenth of the interval, for a result must not wait long once its step is complete; with many
# queries at so many seconds between two of them, but never over more than half of it.
_LEAST_SPREAD, _SPACING, _MOST_SPREAD = 0.1, 0.25, 0.5


class Scheduler:
    """Runs one job a query: never twice at a time, missed runs merged into one.

    Jobs that took long take turns in a lane of one thread, so that they keep no other waiting. A job that was quick
    again is back in the fast lane.

    Parameters
    ----------
    workers : int
        Jobs that may run at the same time in the fast lane.
    on_missed : callable
        Called with the name of a job whose run was left out because the one before was not done.
    slow : float, default 10
        Seconds; a job that took longer goes to the slow lane.
    """

    def __init__(self, workers: int, on_missed: Callable[[str], None], slow: float = _SLOW) -> None:
        self._lanes = _Lanes(workers, slow)
        self._scheduler = BackgroundScheduler(
            timezone=dt.UTC,
            executors={"default": _LaneExecutor(self._lanes)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._on_missed = on_missed
        # A name that is removed and added again is another job: a run of the former that goes on is not its own.
        self._numbers = count()
        self._ids: dict[str, str] = {}
        self._scheduler.add_listener(self._missed, EVENT_JOB_MAX_INSTANCES)
        self._stopping = threading.Event()
        self._clock_watch = threading.Thread(target=self._watch_clock, name="clock-watch", daemon=True)

    def start(self) -> None:
        """Begin to run jobs."""
        self._scheduler.start()
        self._clock_watch.start()

    def add(self, name: str, job: Callable[[], None], *, interval: float, offset: float, among: int = 1) -> None:
        """Run `job` now, and then every `interval` seconds.

        Parameters
        ----------
        name : str
        job : callable
        interval : float
            Seconds.
        offset : float
            Seconds past a multiple of the interval at which a run is due, such as the latency of the samples:
            right then a step has become complete. A share of the interval, the same at every start, is added,
            so that many queries do not ask at once.
        among : int
            Number of jobs there are, itself included: the more, the wider they are spread.
        """
        trigger = DueTrigger(name, interval, offset, among)
        now = dt.datetime.now(dt.UTC)
        timed = partial(self._lanes.run, name, job)
        self._ids[name] = f"{name} {next(self._numbers)}"
        self._scheduler.add_job(timed, trigger, id=self._ids[name], name=name, next_run_time=now)

    def remove(self, name: str) -> None:
        """Run the job no more; a run under way ends by itself."""
        self._scheduler.remove_job(self._ids.pop(name))

    def stop(self) -> None:
        """Run nothing more, and wait for what runs."""
        self._stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def _missed(self, event: JobSubmissionEvent) -> None:
        name = event.job_id.rpartition(" ")[0]
        if self._ids.get(name) == event.job_id:
            self._on_missed(name)

    def _watch_clock(self) -> None:
        """Run all jobs at once when the clock was set: a run planned by the old clock may be hours away."""
        offset = time.time() - time.monotonic()
        while not self._stopping.wait(_CLOCK_CHECK):
            jump = time.time() - time.monotonic() - offset
            if abs(jump) > _CLOCK_JUMP:
                log.warning("the clock was set", seconds=round(jump, 1))
                offset += jump
                for job in self._scheduler.get_jobs():
                    with suppress(JobLookupError):  # removed in the meantime
                        job.modify(next_run_time=dt.datetime.now(dt.UTC))


class DueTrigger(BaseTrigger):  # type: ignore[misc]
    """Fires at the instants of `stable_start`.

    APScheduler's own interval trigger counts from the run before, so a first run at the start of the process would move
    all later ones to the phase of that start.
    """

    def __init__(self, name: str, interval: float, offset: float, among: int) -> None:
        self._due = partial(stable_start, name, interval, offset, among=among)

    def get_next_fire_time(self, previous: dt.datetime | None, now: dt.datetime) -> dt.datetime:
        """The first due instant after `now` and after the run before."""
        after = max(now, previous + _TICK) if previous else now
        return dt.datetime.fromtimestamp(self._due(after.timestamp()), dt.UTC)


class _Lanes:
    """Threads for quick jobs, and one for jobs that took long last time."""

    def __init__(self, workers: int, slow: float) -> None:
        self._fast_lane = ThreadPoolExecutor(workers, thread_name_prefix="cycle")
        self._slow_lane = ThreadPoolExecutor(1, thread_name_prefix="slow-cycle")
        self._slow = slow
        self._slow_jobs: set[str] = set()
        self._closing = threading.Event()

    def run(self, name: str, job: Callable[[], None]) -> None:
        """Run a job, and remember how long it took."""
        if self._closing.is_set():
            return
        started = time.monotonic()
        try:
            job()
        finally:
            took_long = time.monotonic() - started > self._slow
            (self._slow_jobs.add if took_long else self._slow_jobs.discard)(name)

    def submit(self, run: Callable[..., Any], job: Job, *arguments: Any) -> Future[Any]:
        """Hand a job of APScheduler to a thread."""
        lane = self._slow_lane if job.name in self._slow_jobs else self._fast_lane
        return lane.submit(run, job, *arguments)

    def shutdown(self, wait: bool = True) -> None:
        """Take no more jobs, and begin none that waits."""
        self._closing.set()
        self._fast_lane.shutdown(wait)
        self._slow_lane.shutdown(wait)


class _LaneExecutor(BasePoolExecutor):  # type: ignore[misc]  # APScheduler has no types
    def __init__(self, lanes: _Lanes) -> None:
        super().__init__(lanes)


def stable_start(name: str, interval: float, offset: float, now: float, among: int = 1) -> float:
    """Next instant at which a job is due.

    Parameters
    ----------
    name : str
    interval, offset, now : float
        Seconds, and seconds since the epoch.
    among : int
        Number of jobs that share the interval.

    Examples
    --------
    >>> stable_start("a", 60, 30, 1000.0) == stable_start("a", 60, 30, 1001.0)
    True
    """
    share = zlib.crc32(name.encode()) / 2**32
    spread = min(max(_LEAST_SPREAD * interval, _SPACING * among), _MOST_SPREAD * interval)
    due = offset + spread * share
    return now + (due - now) % interval
