"""Quality of the forecasts with default settings: ``python -m benchmarks.forecasting --data DIR --out OUT``."""

from __future__ import annotations

import argparse
import os
import resource
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import orjson
import pandas as pd

from benchmarks.forecasting_cases import Case, cases, windows
from benchmarks.forecasting_peers import Peer, installed
from benchmarks.forecasting_scores import scores, summary
from benchmarks.forecasting_sets import forecasting_sets
from forecasting import FORECASTERS
from series import FloatArray

Run = tuple[list[FloatArray], float]
"""(3, n_targets) of each case: mean, lower and upper; and CPU seconds."""


def main() -> None:
    arguments = _arguments()
    arguments.out.mkdir(parents=True, exist_ok=True)
    tables: dict[str, list[pd.DataFrame]] = {}
    seconds: dict[str, float] = {}
    answers, points = [], 0
    for one in forecasting_sets(arguments.data):
        every = list(cases(one.series))
        kept = every if arguments.sample is None else _spread(every, arguments.sample)
        for name, run in _runs(arguments.peers).items():
            forecasts, took = run(kept, arguments.coverage)
            seconds[name] = seconds.get(name, 0.0) + took
            tables.setdefault(name, []).append(_scored(one.name, kept, forecasts, arguments.coverage))
            print(f"{one.name:20s} {name:16s} {_line(tables[name][-1], took)}", flush=True)
            if name == "forethought":
                answers.append(_answer(one.series, kept, forecasts))
        points += sum(len(case.history) for case in kept)
    pd.concat(answers, ignore_index=True).to_parquet(arguments.out / "forecasts.parquet")
    report = {name: _report(pd.concat(parts), seconds[name]) for name, parts in tables.items()}
    ours = report.pop("forethought")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    extra = {"coverage_asked": arguments.coverage, "points": points, "peak_memory_mib": round(peak, 1)}
    print(orjson.dumps({**ours, **extra, **({"peers": report} if report else {})}).decode())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Quality of the forecasts with default settings.")
    parser.add_argument("--data", type=Path, required=True, help="a set, or a folder of sets")
    parser.add_argument("--out", type=Path, required=True, help="where forecasts.parquet goes")
    parser.add_argument("--coverage", type=float, default=0.95, help="share of samples the interval shall hold")
    parser.add_argument(
        "--peers", nargs="*", help="also run installed peers: all, or those named; also names of FORECASTERS"
    )
    parser.add_argument("--sample", type=int, help="only this many series of each set, evenly spread")
    return parser.parse_args()


def _runs(peers: list[str] | None) -> dict[str, Callable[[list[Case], float], Run]]:
    """Ours and the seasonal naive yardstick, then what else was asked for."""
    runs: dict[str, Callable[[list[Case], float], Run]] = {
        "forethought": lambda kept, coverage: _ours("harmonic", kept, coverage),
        "seasonal_naive": lambda kept, coverage: _ours("seasonal_naive", kept, coverage),
    }
    for name in FORECASTERS:
        if name in (peers or ()):
            runs[name] = partial(_ours, name)
    for name, peer in installed().items() if peers is not None else ():
        if not peers or name in peers:
            runs[name] = lambda kept, coverage, peer=peer: _theirs(peer, kept, coverage)  # type: ignore[misc]
    return runs


def _ours(name: str, kept: list[Case], coverage: float) -> Run:
    started, found = _cpu_seconds(), {}
    for group, window in windows(kept):
        steps = max(int(case.leads.max()) for case in group)
        forecast = FORECASTERS[name]().fit(window).forecast(steps, coverage=coverage)
        bounds = np.stack([forecast.mean, forecast.lower, forecast.upper])
        found.update({case.name: bounds[:, row, case.leads - 1] for row, case in enumerate(group)})
    return [found[case.name] for case in kept], _cpu_seconds() - started


def _theirs(peer: Peer, kept: list[Case], coverage: float) -> Run:
    """A peer that fails on a series repeats its last value there."""
    started, found = _cpu_seconds(), []
    for case in kept:
        try:
            bounds = peer(case, int(case.leads.max()), coverage)[:, case.leads - 1]
        except Exception as error:  # noqa: BLE001  # whatever a library raises, the other series go on
            print(f"{case.name}: {type(error).__name__}: {error}", file=sys.stderr)
            bounds = np.full((3, len(case.leads)), case.history[np.isfinite(case.history)][-1])
        found.append(bounds)
    return found, _cpu_seconds() - started


def _cpu_seconds() -> float:
    """Of this process and of those it has started and waited for: Prophet fits in one of its own."""
    return sum(os.times()[:4])


def _spread(every: list[Case], most: int) -> list[Case]:
    return [every[place] for place in np.unique(np.linspace(0, len(every) - 1, most).astype(int))]


def _scored(name: str, kept: list[Case], forecasts: list[FloatArray], coverage: float) -> pd.DataFrame:
    rows = [
        {
            "set": name,
            "series": case.name,
            **scores(case.history, case.actual, forecast, season=case.season, coverage=coverage),
        }
        for case, forecast in zip(kept, forecasts, strict=True)
    ]
    return pd.DataFrame(rows)


def _answer(table: pd.DataFrame, kept: list[Case], forecasts: list[FloatArray]) -> pd.DataFrame:
    """Mean and interval of each target, in the order of the table."""
    rows = np.concatenate([case.rows for case in kept])
    order = np.argsort(rows)
    bounds = np.concatenate(forecasts, axis=1)[:, order]
    answer = table.iloc[rows[order]][["series", "timestamp"]].reset_index(drop=True)
    return answer.assign(mean=bounds[0], lower=bounds[1], upper=bounds[2])


def _report(table: pd.DataFrame, seconds: float) -> dict[str, object]:
    sets = {str(name): summary(part) for name, part in table.groupby("set", sort=False)}
    speed = round(1000 * seconds / len(table), 3)
    return {"pooled": summary(table), "sets": sets, "seconds": round(seconds, 3), "seconds_per_1000_series": speed}


def _line(table: pd.DataFrame, seconds: float) -> str:
    figures = " ".join(f"{name} {value:.4g}" for name, value in summary(table).items())
    return f"{figures} cpu_seconds {seconds:.2f}"


if __name__ == "__main__":
    main()
