"""The cost bench of the forecasts runs, and its figures agree with each other."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from benchmarks.forecasting_peers import installed


@pytest.mark.slow
def test_its_last_line_is_one_json_object() -> None:
    options = ["--series", "20", "--batch", "10", "--rounds", "1", "--peer-series", "1"]
    command = [sys.executable, "-m", "benchmarks.forecasting_cost", *options]
    told = subprocess.run(command, capture_output=True, check=True, text=True)
    report = json.loads(told.stdout.splitlines()[-1])
    assert report["together_ms"] == pytest.approx(report["fit_ms"] + report["forecast_ms"])
    assert report["side_by_side"]["series"] == 20
    assert min(report["side_by_side"]["cpu_s"], report["side_by_side"]["wall_s"]) > 0
    if "Prophet" in installed():
        assert report["ratio"] == pytest.approx(report["prophet_ms"] / report["together_ms"])
    else:
        assert "not installed: prophet" in told.stderr
