"""When jobs run: spread over the interval, never twice at a time, slow ones in a lane of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from exporter.scheduler import Scheduler, stable_start

NOW = 1_700_000_000.0


def waits(jobs: int, interval: float = 60.0) -> list[float]:
    """Seconds between the instant a step is complete and each job's start."""
    return [
        (stable_start(f"query_{at}", interval, 30.0, NOW, among=jobs) - 30.0) % interval for at in range(max(jobs, 200))
    ]


@pytest.mark.parametrize(("jobs", "widest"), [(1, 6.0), (20, 6.0), (80, 20.0), (5_000, 30.0)])
def test_the_more_queries_the_wider_they_are_spread(jobs: int, widest: float) -> None:
    found = waits(jobs)
    assert 0.9 * widest < max(found) < widest
    assert min(found) >= 0


def test_starts_are_even() -> None:
    found = waits(2_000)
    fullest = max(sum(first <= wait < first + 3 for wait in found) for first in range(0, 30, 3))
    assert fullest < 1.3 * len(found) / 10


def test_a_start_is_the_same_after_a_restart() -> None:
    first = stable_start("rate", 60.0, 30.0, NOW, among=50)
    assert first == stable_start("rate", 60.0, 30.0, NOW + 0.5, among=50)
    assert stable_start("rate", 60.0, 30.0, first + 1, among=50) == first + 60


@pytest.fixture
def missed() -> list[str]:
    return []


@pytest.fixture
def scheduler(missed: list[str]) -> Iterator[Scheduler]:
    one = Scheduler(1, missed.append, slow=0.1)
    one.start()
    yield one
    one.stop()


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it did not happen within 10 s"
        time.sleep(0.01)


def test_a_run_over_its_interval_is_reported_and_never_stacked(scheduler: Scheduler, missed: list[str]) -> None:
    running, at_once, ended = [0], [0], threading.Event()

    def job() -> None:
        running[0] += 1
        at_once.append(running[0])
        ended.wait(10)
        running[0] -= 1

    scheduler.add("long", job, interval=0.2, offset=0.0)
    eventually(lambda: len(missed) >= 3)
    ended.set()
    assert set(missed) == {"long"}
    assert max(at_once) == 1


def test_slow_jobs_keep_no_quick_one_waiting(scheduler: Scheduler) -> None:
    hanging, quick, release = [0, 0], [0], threading.Event()

    def hangs(which: int) -> Callable[[], None]:
        def job() -> None:
            hanging[which] += 1
            if hanging[which] == 1:
                time.sleep(0.2)  # shows that it is slow
            else:
                release.wait(10)

        return job

    def job() -> None:
        quick[0] += 1

    for which in range(2):
        scheduler.add(f"hangs_{which}", hangs(which), interval=0.3, offset=0.0)
    scheduler.add("quick", job, interval=0.3, offset=0.0)
    eventually(lambda: max(hanging) == 2)
    before = quick[0]
    eventually(lambda: quick[0] >= before + 3)
    assert sorted(hanging) == [1, 2]  # the second one waits for the first, in the slow lane
    release.set()


def test_a_job_that_is_quick_again_leaves_the_slow_lane(scheduler: Scheduler) -> None:
    threads: list[str] = []

    def job() -> None:
        threads.append(threading.current_thread().name)
        time.sleep(0.2 if len(threads) == 1 else 0.0)

    scheduler.add("one", job, interval=0.3, offset=0.0)
    eventually(lambda: len(threads) >= 4)
    assert [name.startswith("slow") for name in threads[:4]] == [False, True, False, False]


def test_a_removed_job_runs_no_more(scheduler: Scheduler) -> None:
    runs = [0]

    def job() -> None:
        runs[0] += 1
        time.sleep(0.2)

    scheduler.add("one", job, interval=0.3, offset=0.0)
    eventually(lambda: runs[0] == 1)
    scheduler.remove("one")
    time.sleep(0.5)
    assert runs == [1]


def test_a_job_added_again_does_not_wait_for_a_run_of_the_former(scheduler: Scheduler, missed: list[str]) -> None:
    busy, runs = threading.Event(), list[str]()
    several = Scheduler(2, missed.append)
    several.start()
    try:
        several.add("a", lambda: (runs.append("old"), busy.wait(10)), interval=3600, offset=0)  # type: ignore[arg-type,func-returns-value]
        eventually(lambda: "old" in runs)
        several.remove("a")
        several.add("a", lambda: runs.append("new"), interval=3600, offset=0)
        eventually(lambda: "new" in runs)
        assert missed == []
    finally:
        busy.set()
        several.stop()


def test_a_stop_begins_no_job_that_waits(missed: list[str]) -> None:
    busy, runs = threading.Event(), list[str]()
    one = Scheduler(1, missed.append)
    one.start()
    one.add("a", lambda: (runs.append("a"), busy.wait(10)), interval=3600, offset=0)  # type: ignore[arg-type,func-returns-value]
    eventually(lambda: "a" in runs)
    one.add("b", lambda: runs.append("b"), interval=3600, offset=0)
    time.sleep(0.2)
    stopping = threading.Thread(target=one.stop)
    stopping.start()
    time.sleep(0.2)
    busy.set()
    stopping.join(10)
    assert runs == ["a"]
