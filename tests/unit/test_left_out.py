"""Cycles that are left out: counted, told of once a minute, and not at all where nothing was lost."""

from __future__ import annotations

import time

from structlog.testing import capture_logs

from exporter.config import Query
from exporter.duration import Duration
from exporter.left_out import LeftOutCycles
from exporter.service import Service


def query(name="rate", step=60, interval=15):
    return Query(name=name, query="up", step=Duration(step), interval=Duration(interval))


def test_those_of_a_minute_are_one_line():
    left_out = LeftOutCycles()
    with capture_logs() as told:
        for _ in range(30):
            left_out.note(query())
        for name in "abcdef":
            for _ in range(4):
                left_out.note(query(name))
        assert told == []
        left_out.tell()
        left_out.tell()
    (line,) = told
    assert line["log_level"] == "warning"
    assert line["cycles"] == 54
    assert line["queries"].startswith("rate (30), ")
    assert line["queries"].endswith(" (4) and 2 more")


def test_less_than_a_step_is_no_loss():
    left_out = LeftOutCycles()
    with capture_logs() as told:
        for _ in range(3):
            left_out.note(query(interval=15))
        left_out.tell()
        for _ in range(3):  # another minute
            left_out.note(query(interval=15))
        left_out.tell()
    assert told == []


def test_they_are_told_of_by_themselves():
    left_out = LeftOutCycles(together=0.02)
    with capture_logs() as told:
        left_out.note(query(interval=60))
        deadline = time.monotonic() + 10
        while not told and time.monotonic() < deadline:
            time.sleep(0.005)
    assert [line["queries"] for line in told] == ["rate (1)"]


def test_the_metric_counts_each_and_a_query_that_is_gone_is_no_problem(tmp_path):
    file = tmp_path / "forethought.yml"
    file.write_text("queries: [{name: rate, query: up}]")

    class Source:
        def close(self):
            pass

    service = Service(file, None, connect=lambda settings, telemetry: Source())
    service._add(service.config.queries[0])
    with capture_logs() as told:
        service._on_missed("rate")
        service._on_missed("rate")
        service._on_missed("gone")
        service.stop()
    assert service.telemetry.cycle_missed.labels("rate")._value.get() == 2
    assert [line["cycles"] for line in told if "cycles" in line] == [2]
