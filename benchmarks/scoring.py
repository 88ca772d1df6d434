"""Fitting and judging with the default ensemble, against loops over other libraries in the same run.

    python -m benchmarks.scoring [--series 10000] [--batch 1000]

Every series has a week of five minutes (2,016 samples). Ours are fitted batch by batch, and beside each batch each peer
fits one series; then all series are given one new step, and each peer gives one of its series a step. Prints the median
CPU time a series, of one thread each, and as its last line one JSON object with the ratio to the fastest peer. Last
come groups of eight like series that are compared with each other (`peers_by`), of which the peers have no counterpart.
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module

import click
import numpy as np
import orjson

from benchmarks.scoring_peers import A_DAY, Fit, Step, installed
from detectors import Ensemble
from detectors.peers import Peers
from series import FloatArray, Window

STEP = 300
HISTORY = 7 * A_DAY


@click.command()
@click.option("--series", "n_series", default=10_000, show_default=True, help="Judged together.")
@click.option("--batch", default=1_000, show_default=True, help="Fitted together.")
@click.option("--rounds", default=5, show_default=True, help="New steps; the peers have every other turn.")
@click.option("--data", default=None, help="Not used: the samples are made here.")
def main(n_series: int, batch: int, rounds: int, data: str | None) -> None:
    """Measure and print."""
    sizes = [min(batch, n_series - first) for first in range(0, n_series, batch)]
    samples = [busy(size, HISTORY + rounds, seed) for seed, size in enumerate(sizes)]
    models = [Ensemble() for _ in samples]
    peers = installed()
    if not peers:
        raise SystemExit("This bench compares with statsmodels, scikit-learn or pyod. None is installed.")
    _warm_up(peers)
    with one_thread():
        steps, fit_ours, fit_peers = _fits(models, samples, peers)
        step_ours, step_peers = _steps(models, samples, steps, rounds)
        alike = _alike(samples, rounds)
    results = {"fit": _row("fit", fit_ours, fit_peers), "step": _row("step", step_ours, step_peers), "alike": alike}
    print(f"like series compared: fit {alike['fit_us']:.1f} us a series, step {alike['step_us']:.2f} us")
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    report = {"bench": "scoring", "series": n_series, "points": HISTORY, "peak_memory_mib": peak, **results}
    print(orjson.dumps(report).decode())


def busy(n_series: int, n_steps: int, seed: int) -> FloatArray:
    """(n_series, n_steps): a daily rhythm of every amplitude, a quiet weekend, noise with memory, and bursts."""
    rng = np.random.default_rng(seed)
    times = np.arange(n_steps) / A_DAY
    noise = rng.normal(size=(n_series, n_steps))
    noise[:, 1:] += 0.6 * noise[:, :-1]
    wave = np.sin(2 * np.pi * times) - 0.5 * (times % 7 >= 5)
    bursts = np.where(rng.random(noise.shape) < 0.002, 8.0, 0.0)
    return np.asarray(100 + rng.uniform(0, 20, (n_series, 1)) * wave + noise + bursts)


def one_thread() -> AbstractContextManager[object]:
    """Threads of a matrix library wait by spinning, which is CPU time and no work."""
    limits: AbstractContextManager[object] = import_module("threadpoolctl").threadpool_limits(1)
    return limits


def _warm_up(peers: dict[str, Fit]) -> None:
    history = busy(2, HISTORY, 99)
    Ensemble().fit(Window.of(history, step=STEP))
    for fit in peers.values():
        fit(history[0])(1.0)


def _fits(
    models: list[Ensemble], samples: list[FloatArray], peers: dict[str, Fit]
) -> tuple[dict[str, tuple[Step, FloatArray]], list[float], dict[str, list[float]]]:
    """What can judge a step of the first series of the last batch, and seconds a series of each turn."""
    ours, theirs = [], dict[str, list[float]]((name, []) for name in peers)
    steps: dict[str, tuple[Step, FloatArray]] = {}
    for model, values in zip(models, samples, strict=True):
        history = Window.of(values[:, :HISTORY], step=STEP)
        ours.append(_cpu(lambda model=model, history=history: model.fit(history)) / len(values))  # type: ignore[misc]
        for name, fit in peers.items():
            started = time.process_time()
            steps[name] = (fit(values[0, :HISTORY]), values[0, HISTORY:])
            theirs[name].append(time.process_time() - started)
    return steps, ours, theirs


def _steps(
    models: list[Ensemble], samples: list[FloatArray], peers: dict[str, tuple[Step, FloatArray]], rounds: int
) -> tuple[list[float], dict[str, list[float]]]:
    """Seconds a series of each round."""
    ours, theirs = [], dict[str, list[float]]((name, []) for name in peers)
    n_series = sum(len(values) for values in samples)
    for column in range(HISTORY, HISTORY + rounds):
        windows = [Window.of(values[:, column : column + 1], step=STEP, start=column * STEP) for values in samples]

        def judge(windows: list[Window] = windows) -> None:
            for model, window in zip(models, windows, strict=True):
                model.judge(window)

        ours.append(_cpu(judge) / n_series)
        for model, window in zip(models, windows, strict=True):
            model.advance(window)
        for name, (step, values) in peers.items():
            theirs[name].append(_cpu(lambda step=step, value=float(values[column - HISTORY]): step(value)))  # type: ignore[misc]
    return ours, theirs


def _alike(samples: list[FloatArray], rounds: int) -> dict[str, float]:
    """Microseconds a series for learning groups of like series, and for comparing them at a step."""
    fits, steps = [], []
    for values in samples:
        model, groups = Peers(), np.arange(len(values)) // 8
        history = Window.of(values[:, :HISTORY], step=STEP)
        fits.append(_cpu(lambda model=model, history=history, groups=groups: model.fit(history, groups)) / len(values))  # type: ignore[misc]
        newest = Window.of(values, step=STEP).since(HISTORY)
        for column in range(rounds):
            window = newest.until(column + 1).since(column)
            steps.append(_cpu(lambda model=model, window=window: model.judge(window)) / len(values))  # type: ignore[misc]
    return {"fit_us": statistics.median(fits) * 1e6, "step_us": statistics.median(steps) * 1e6}


def _row(what: str, ours: list[float], theirs: dict[str, list[float]]) -> dict[str, object]:
    mine = statistics.median(ours)
    microseconds = {name: statistics.median(seconds) * 1e6 for name, seconds in theirs.items()}
    ratios = {name: value / (mine * 1e6) for name, value in microseconds.items()}
    print(f"{what:5s} {'ours':30s} {mine * 1e6:>10.1f} us a series")
    for name, value in microseconds.items():
        print(f"{what:5s} {name:30s} {value:>10.1f} us a series, {ratios[name]:>9.1f} times ours")
    return {"ours_us": mine * 1e6, "peers_us": microseconds, "ratios": ratios, "ratio": min(ratios.values())}


def _cpu(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


if __name__ == "__main__":
    main()
