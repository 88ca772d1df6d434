"""Days of cycles with series that come and go, one after the other."""

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_memory_stays_flat_while_series_come_and_go():
    command = [sys.executable, "-m", "benchmarks.soak", "--days=4", "--series=60", "--churn=0.1"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=1_800).stdout
    report = json.loads(said.splitlines()[-1])
    assert report["series_seen"] > 600
    # Two days of history fill the window; from then on nothing grows.
    assert report["rows"][-1] <= report["rows"][1]
    assert report["store_mb"][-1] <= report["store_mb"][1]
    assert report["resident_mb"][-1] <= 1.1 * report["resident_mb"][1]
