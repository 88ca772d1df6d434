"""The demo as a person runs it: real servers, a planted incident, a notification, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grafana.check import ask_all
from tests.stack.demo_process import CHECKOUT, Demo, running

pytestmark = pytest.mark.servers


def of_incident(notification: dict[str, Any]) -> bool:
    return any(
        alert["status"] == "firing"
        and alert["labels"].get("pipeline_id") == "billing-invoice-export"
        and alert["labels"].get("query") == "pipeline_failures"
        for alert in notification["alerts"]
    )


def test_the_planted_incident_is_notified_within_two_minutes_and_nothing_is_left(tmp_path: Path) -> None:
    with running(tmp_path / "a state folder", "--days", "3") as demo:
        demo.wait_until_ready()
        ready = time.monotonic()
        first = demo.wait("the notification", 150, lambda: next(filter(of_incident, demo.notifications()), None))
        took = time.monotonic() - ready
        assert took < 120, f"The first notification must come within 120 s of ready. It took {took:.0f} s."
        assert first["commonLabels"]["tenant_id"] == "acme"
        strangers = [one for one in demo.notifications() if "billing-invoice-export" not in str(one)]
        assert strangers == []
        assert len(demo.query("count by (query) (forethought_anomaly_score)")) >= 10
        samples = demo.samples('pipeline_executions_total{pipeline_id="billing-invoice-export", status="success"}[30m]')
        assert np.diff(samples[:, 0]).max() <= 65, (
            "the history's samples are 60 s apart: there must be no hole after it"
        )
        assert (np.diff(samples[:, 1]) >= 0).all(), "a counter never falls, also not where the history ends"
        empty = [answer for answer in ask_all(demo.url(0), time.time()) if not answer.is_good]
        assert empty == [], "every panel of the dashboards has something to show"
        assert "begins failure burst: billing-invoice-export" in demo.said
        assert "notification FIRING ForethoughtAnomaly" in demo.said
        assert "billing-invoice-export" in (demo.state / "notifications.json").read_text()
        demo.process.send_signal(signal.SIGINT)
        assert demo.process.wait(30) == 0
    assert demo.said.rstrip().endswith("stopped; nothing is left running")
    assert demo.processes() == []


def test_a_second_demo_on_the_same_state_is_refused_and_a_killed_one_leaves_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "state", "--days", "2") as demo:
        demo.wait("its history", 120, lambda: (demo.state / "logs" / "load.log").exists())
        again = subprocess.run(
            [sys.executable, "-m", "demo", "--state", str(demo.state)],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert again.returncode == 1
        assert again.stderr == f"Error: {demo.state} must not be in use. Another demo runs there; end it first.\n"
        demo.process.kill()
        demo.process.wait()
        deadline = time.monotonic() + 15
        while demo.processes() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert demo.processes() == []


def test_a_child_that_dies_is_named_with_its_last_words(tmp_path: Path) -> None:
    with running(tmp_path / "state", "--days", "2") as demo:
        load = demo.wait("the load generator", 120, lambda: [pid for pid in _pids() if _runs_load(pid, demo)])
        os.kill(load[0], signal.SIGKILL)
        assert demo.process.wait(30) == 1
    assert "load must run as long as the demo. It ended with status -9" in demo.said
    assert demo.processes() == []


def _pids() -> list[int]:
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]


def _runs_load(pid: int, demo: Demo) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return "demo.load" in command and f"--port={demo.base + 3}" in command


@pytest.mark.slow
def test_a_quiet_platform_does_not_alert_for_half_an_hour(tmp_path: Path) -> None:
    with running(tmp_path / "state", "--no-incidents", "--minutes", "30") as demo:
        demo.wait_until_ready()
        while demo.process.poll() is None:
            time.sleep(5)
        notified = [line for line in demo.said.splitlines() if "notification" in line and "FIRING" in line]
    assert notified == []
