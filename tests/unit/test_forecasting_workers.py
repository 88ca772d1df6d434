"""The same forecast to the last bit, however many threads and processes compute it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from forecasting import HarmonicRegression
from series import Window


def history() -> Window:
    random = np.random.default_rng(3)
    steps = np.arange(2_016)
    rows = 5 + np.sin(2 * np.pi * steps / 288 + random.uniform(0, 6, (130, 1))) + random.normal(0, 0.3, (130, 2_016))
    return Window.of(rows, step=300.0)


def digest() -> str:
    forecast = HarmonicRegression().fit(history()).forecast(288)
    return hashlib.sha256(np.stack([forecast.mean, forecast.lower, forecast.upper]).tobytes()).hexdigest()


@pytest.mark.parametrize("threads", ["1", "2", "5"])
def test_numbers_of_threads_do_not_matter(threads: str) -> None:
    program = f"import runpy; print(runpy.run_path({__file__!r})['digest']())"
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads, "PYTHONPATH": os.getcwd()}
    told = subprocess.run(
        [sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    assert told.stdout.strip() == digest()


def test_workers_side_by_side_give_the_same() -> None:
    with ThreadPoolExecutor(4) as pool:
        assert len({future.result() for future in [pool.submit(digest) for _ in range(4)]}) == 1
