"""What reaches the log."""

import logging

import pytest

from exporter.logs import set_up_logs


@pytest.fixture(autouse=True)
def former_logs():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.mark.parametrize("level", ["debug", "info", "warn"])
def test_a_run_left_out_is_told_once(level):
    set_up_logs(level, "logfmt")
    assert not logging.getLogger("apscheduler.scheduler").isEnabledFor(logging.WARNING)
    assert logging.getLogger("apscheduler.executors").isEnabledFor(logging.WARNING)
