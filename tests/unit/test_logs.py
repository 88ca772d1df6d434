"""What reaches the log."""

import logging
import warnings

import pytest

from exporter.logs import set_up_logs


@pytest.fixture(autouse=True)
def former_logs():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def test_what_python_warns_of_is_for_whoever_asks_for_it(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        set_up_logs("info", "logfmt")
        warnings.warn("overflow encountered", RuntimeWarning, stacklevel=1)
        assert capsys.readouterr().err == ""
        set_up_logs("debug", "logfmt")
        warnings.warn("overflow encountered again", RuntimeWarning, stacklevel=1)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ts=")
    assert "overflow encountered again" in line


@pytest.mark.parametrize("level", ["debug", "info", "warn"])
def test_a_run_left_out_is_told_once(level):
    set_up_logs(level, "logfmt")
    assert not logging.getLogger("apscheduler.scheduler").isEnabledFor(logging.WARNING)
    assert logging.getLogger("apscheduler.executors").isEnabledFor(logging.WARNING)
