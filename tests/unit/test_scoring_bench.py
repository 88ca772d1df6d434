"""The speed bench of the detectors runs and compares like with like."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.scoring import HISTORY, busy
from benchmarks.scoring_peers import installed


@pytest.mark.slow
def test_its_last_line_is_one_json_object() -> None:
    pytest.importorskip("sklearn")
    command = [sys.executable, "-m", "benchmarks.scoring", "--series", "20", "--batch", "10", "--rounds", "1"]
    report = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()[-1])
    assert report["series"] == 20
    for part in ("fit", "step"):
        assert report[part]["ratio"] == min(report[part]["ratios"].values())
        assert report[part]["ours_us"] > 0
    assert report["alike"]["fit_us"] > report["alike"]["step_us"] > 0


@pytest.mark.slow
def test_peers_tell_a_spike_from_an_ordinary_step() -> None:
    history = busy(1, HISTORY, 3)[0]
    for name, fit in installed().items():
        ordinary, spike = fit(history)(float(history[-288])), fit(history)(float(history.max() + 50))
        assert np.isfinite(ordinary), name
        assert spike > ordinary, name
