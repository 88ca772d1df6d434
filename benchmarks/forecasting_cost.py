"""What forecasts cost: CPU time of fit and forecast with defaults, a thousand series at a time, with Prophet beside.

    python -m benchmarks.forecasting_cost [--series 10000] [--batch 1000]

Series of a week at 5 minutes, a day ahead, intervals included, on one thread. Prophet, at its defaults, has a few of
the same series in every other turn; where it is not installed, it is left out. Then all series on two processes.
Prints one JSON object as its last line.
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import click
import numpy as np
import orjson

from benchmarks.forecasting_cases import Case
from benchmarks.forecasting_peers import Peer, installed
from benchmarks.scoring import HISTORY, STEP, busy, one_thread
from forecasting import HarmonicRegression
from series import FloatArray, Window

AHEAD = 288
_COVERAGE = 0.95


@click.command()
@click.option("--series", "n_series", default=10_000, show_default=True, help="On the processes together.")
@click.option("--batch", default=1_000, show_default=True, help="Fitted together.")
@click.option("--rounds", default=3, show_default=True, help="Batches on one process; Prophet has every other turn.")
@click.option("--peer-series", default=4, show_default=True, help="That Prophet has at each turn.")
@click.option("--processes", default=2, show_default=True)
@click.option("--data", default=None, help="Not used: the samples are made here.")
def main(n_series: int, batch: int, rounds: int, peer_series: int, processes: int, data: str | None) -> None:
    """Measure and print."""
    prophet = installed().get("Prophet")
    if prophet is None:
        print("Left out, as the package is not installed: prophet.", file=sys.stderr)
    with one_thread():
        results = _one_process(batch, rounds, prophet, peer_series)
        spread = _side_by_side(n_series, batch, processes)
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    print(f"{n_series} series on {processes} processes: {spread['cpu_s']:.1f} s CPU, {spread['wall_s']:.1f} s wall")
    report = {"bench": "forecasting_cost", "points": HISTORY, "steps": AHEAD, "batch": batch, "peak_memory_mib": peak}
    print(orjson.dumps({**report, **results, "side_by_side": spread}).decode())


def _one_process(batch: int, rounds: int, prophet: Peer | None, peer_series: int) -> dict[str, float]:
    """CPU milliseconds a series: the median of the turns."""
    turns: dict[str, list[float]] = {"fit_ms": [], "forecast_ms": [], "together_ms": []}
    theirs = []
    cost(busy(2, HISTORY, rounds))  # the first call loads and allocates
    for seed in range(rounds):
        samples = busy(batch, HISTORY, seed)
        fit, forecast = cost(samples)
        for name, seconds in zip(turns, (fit, forecast, fit + forecast), strict=True):
            turns[name].append(1000 * seconds / batch)
        if prophet is not None:
            theirs += [1000 * _of_prophet(prophet, row) for row in samples[:peer_series]]
    results = {name: statistics.median(figures) for name, figures in turns.items()}
    print(" ".join(f"{name} {figure:.3f}" for name, figure in results.items()), "a series")
    if theirs:
        results["prophet_ms"] = statistics.median(theirs)
        results["ratio"] = results["prophet_ms"] / results["together_ms"]
        print(f"prophet_ms {results['prophet_ms']:.1f} a series, {results['ratio']:.0f} times ours")
    return results


def cost(samples: FloatArray) -> tuple[float, float]:
    """CPU seconds of a fit to (n_series, n_steps) samples, and of its forecast with intervals."""
    history = Window.of(samples, step=STEP)
    started = time.process_time()
    fitted = HarmonicRegression().fit(history)
    between = time.process_time()
    fitted.forecast(AHEAD, coverage=_COVERAGE)
    return between - started, time.process_time() - between


def _of_prophet(prophet: Peer, row: FloatArray) -> float:
    """CPU seconds for one series, with those of the process that it fits in."""
    leads = np.arange(1, AHEAD + 1)
    case = Case("busy", STEP * np.arange(float(len(row))), row, leads, np.full(AHEAD, np.nan), leads, AHEAD)
    started = sum(os.times()[:4])
    prophet(case, AHEAD, _COVERAGE)
    return sum(os.times()[:4]) - started


def _side_by_side(n_series: int, batch: int, processes: int) -> dict[str, float]:
    """CPU seconds of all processes; wall seconds of the one that took longest."""
    sizes = [min(batch, n_series - first) for first in range(0, n_series, batch)]
    with ProcessPoolExecutor(processes) as pool:
        parts = list(pool.map(_part, sizes, range(len(sizes))))
    wall: dict[int, float] = {}
    for process, _, seconds in parts:
        wall[process] = wall.get(process, 0.0) + seconds
    cpu = sum(seconds for _, seconds, _ in parts)
    return {"series": n_series, "processes": processes, "cpu_s": cpu, "wall_s": max(wall.values())}


def _part(size: int, seed: int) -> tuple[int, float, float]:
    """Which process computed a batch, with its CPU and its wall seconds; samples are made before the clock runs."""
    samples = busy(size, HISTORY, seed)
    with one_thread():
        started = time.perf_counter()
        fit, forecast = cost(samples)
        return os.getpid(), fit + forecast, time.perf_counter() - started


if __name__ == "__main__":
    main()
