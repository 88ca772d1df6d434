"""When each query's next cycle runs."""

from __future__ import annotations

import datetime as dt
import threading
import time
import zlib
from collections.abc import Callable

import structlog
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

log = structlog.get_logger("forethought.scheduler")

# How often the wall clock is compared with the steady one, and how far they may drift apart, in seconds.
_CLOCK_CHECK = 5.0
_CLOCK_JUMP = 3.0


class Scheduler:
    """Runs one job a query: never twice at a time, missed runs merged into one.

    Parameters
    ----------
    workers : int
        Jobs that may run at the same time.
    on_missed : callable
        Called with the name of a job whose run was left out because the one before was not done.
    """

    def __init__(self, workers: int, on_missed: Callable[[str], None]) -> None:
        self._scheduler = BackgroundScheduler(
            timezone=dt.UTC,
            executors={"default": ThreadPoolExecutor(workers)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._on_missed = on_missed
        self._scheduler.add_listener(self._missed, EVENT_JOB_MAX_INSTANCES)
        self._stopping = threading.Event()
        self._clock_watch = threading.Thread(target=self._watch_clock, name="clock-watch", daemon=True)

    def start(self) -> None:
        """Begin to run jobs."""
        self._scheduler.start()
        self._clock_watch.start()

    def add(self, name: str, job: Callable[[], None], *, interval: float, offset: float) -> None:
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
        """
        start = stable_start(name, interval, offset, time.time())
        trigger = IntervalTrigger(
            seconds=interval, start_date=dt.datetime.fromtimestamp(start, dt.UTC), timezone=dt.UTC
        )
        now = dt.datetime.now(dt.UTC)
        self._scheduler.add_job(job, trigger, id=name, name=name, next_run_time=now, replace_existing=True)

    def remove(self, name: str) -> None:
        """Run the job no more; a run under way ends by itself."""
        self._scheduler.remove_job(name)

    def stop(self) -> None:
        """Run nothing more, and wait for what runs."""
        self._stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def _missed(self, event: JobSubmissionEvent) -> None:
        self._on_missed(event.job_id)

    def _watch_clock(self) -> None:
        """Run all jobs at once when the clock was set: a run planned by the old clock may be hours away."""
        offset = time.time() - time.monotonic()
        while not self._stopping.wait(_CLOCK_CHECK):
            jump = time.time() - time.monotonic() - offset
            if abs(jump) > _CLOCK_JUMP:
                log.warning("the clock was set", seconds=round(jump, 1))
                offset += jump
                for job in self._scheduler.get_jobs():
                    job.modify(next_run_time=dt.datetime.now(dt.UTC))


def stable_start(name: str, interval: float, offset: float, now: float) -> float:
    """Next instant at which a job is due.

    Examples
    --------
    >>> stable_start("a", 60, 30, 1000.0) == stable_start("a", 60, 30, 1001.0)
    True
    """
    # At most a tenth of the interval, for a result must not wait long once its step is complete.
    share = zlib.crc32(name.encode()) / 2**32
    due = offset + 0.1 * interval * share
    return now + (due - now) % interval
