"""Runs keep to the clock, whenever the process was started."""

import datetime as dt

import pytest

from exporter.scheduler import DueTrigger, stable_start


def at(seconds):
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


@pytest.mark.parametrize("started", [1000.0, 1019.3, 1059.999])
def test_runs_are_due_at_the_same_instants_whenever_the_process_started(started):
    trigger = DueTrigger("rate", 60.0, 5.0, 1)
    previous, now, due = at(started), at(started), []
    for _ in range(3):
        previous = trigger.get_next_fire_time(previous, now)
        due.append(previous.timestamp())
        now = previous + dt.timedelta(seconds=0.01)
    first = stable_start("rate", 60.0, 5.0, started + 0.001)
    assert due == pytest.approx([first, first + 60, first + 120])


def test_a_run_that_took_long_is_followed_by_the_next_due_one():
    trigger = DueTrigger("rate", 60.0, 5.0, 1)
    first = trigger.get_next_fire_time(None, at(1000.0))
    later = trigger.get_next_fire_time(first, first + dt.timedelta(seconds=150))
    assert (later - first).total_seconds() == pytest.approx(180)
