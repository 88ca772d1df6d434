"""What a steady cycle costs as series become more: CPU time and memory of a process for each size.

    python -m benchmarks.growth [--series 1000 --series 10000 --series 100000] [--picture FILE.svg]

Each process gets a day and a half at 60 s (2,016 steps) already in its store, fits its models, and then runs a cycle
a minute against a server that answers as Prometheus does, in another process. Refits are spread over the cycles, so
the mean of any ten holds its share of them. Prints one JSON object as its last line; --picture needs matplotlib.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
import orjson

from benchmarks.answers import answering, labels_of, values_at
from exporter.config import Query
from exporter.config_forecast import Forecast
from exporter.config_source import Source
from exporter.cycle import QueryCycle
from exporter.duration import Duration
from exporter.telemetry import Telemetry
from exporter.wiring import make_plan, make_source
from series import Grid, SeriesKey, Window

STEP, N_STEPS = 60, 2_016
CYCLES = 10
# Columns made at a time: the store is filled without a second matrix.
PART = 48
# Seconds of CPU below which a cycle made no forecasts.
NOTHING = 0.02


@click.command()
@click.option("--series", "sizes", multiple=True, type=int, default=(1_000, 10_000, 100_000), show_default=True)
@click.option("--precision", type=click.Choice(["float64", "float32"]), default="float64", show_default=True)
@click.option("--forecast/--no-forecast", default=True, show_default=True, help="Forecast a day ahead.")
@click.option("--picture", type=click.Path(path_type=Path), help="Draw the curves into this file.")
@click.option("--one", type=int, hidden=True, help="Measure this size in this process.")
@click.option("--data", default=None, help="Not used: the samples are made here.")
def main(
    sizes: tuple[int, ...], precision: str, forecast: bool, picture: Path | None, one: int | None, data: str | None
) -> None:
    """Measure, print and draw."""
    if one is not None:
        print(orjson.dumps(_measure(one, precision, forecast)).decode())
        return
    rows = [_in_own_process(size, precision, forecast) for size in sizes]
    for row in rows:
        print(
            f"{row['series']:>7,} series: a steady cycle {row['steady_s']:.3f} s CPU, forecasts {row['ahead_s']:.3f} s "
            f"more; {row['peak_mb']:,.0f} MB",
        )
    if picture:
        _draw(rows, picture)
    print(orjson.dumps({"bench": "growth", "precision": precision, "sizes": rows}).decode())


def _in_own_process(size: int, precision: str, forecast: bool) -> dict[str, Any]:
    options = ["--one", str(size), "--precision", precision, "--forecast" if forecast else "--no-forecast"]
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.growth", *options], check=True, stdout=subprocess.PIPE, timeout=3_600
    )
    row: dict[str, Any] = orjson.loads(run.stdout.splitlines()[-1])
    return row


def _measure(n_series: int, precision: str, forecast: bool) -> dict[str, Any]:
    query = Query.model_validate(
        {
            "name": "bench",
            "query": "bench",
            "step": "60s",
            "history": f"{STEP * N_STEPS}s",
            "series_limit": n_series,
            "precision": precision,
            "forecast": Forecast(horizons=(Duration(86_400),) if forecast else ()),
        }
    )
    with answering(n_series) as url:
        telemetry = Telemetry()
        source = make_source(Source(url=url, timeout=Duration(600)), telemetry)
        cycle = QueryCycle(query, source, make_plan(query), telemetry, 300.0)
        now = time.time() // STEP * STEP + query.latency + 1.0
        _fill(cycle, n_series, now)
        first = _cpu_until_judged(cycle, now)
        first_ahead = _cpu_until_forecast(cycle, now)
        steady, ahead = [], []
        for turn in range(1, CYCLES + 1):
            started = time.process_time()
            cycle.run(now + turn * STEP)
            judged = time.process_time()
            cycle.look_ahead(now + turn * STEP)
            steady.append(judged - started)
            ahead.append(time.process_time() - judged)
    return {
        "series": n_series,
        "first_s": first,
        "first_forecast_s": first_ahead,
        "steady_s": float(np.mean(steady)),
        "steady_worst_s": max(steady),
        "ahead_s": float(np.mean(ahead)),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _fill(cycle: QueryCycle, n_series: int, now: float) -> None:
    query, store = cycle.query, cycle.store
    grid = Grid.ending(now - STEP, step=STEP, history=int(query.history), latency=query.latency)
    store.advance(grid)
    keys = tuple(SeriesKey(labels_of(row)) for row in range(n_series))
    for first in range(0, N_STEPS, PART):
        part = Grid(grid.start + first * STEP, STEP, PART)
        values = values_at(part.times, np.arange(n_series)[:, None])
        store.merge(Window(keys, part.times, values), part)


def _cpu_until_judged(cycle: QueryCycle, now: float) -> float:
    """Until every series has a score: the first fits of many series take more than one cycle."""
    started = time.process_time()
    while cycle.run(now).skipped:
        pass
    return time.process_time() - started


def _cpu_until_forecast(cycle: QueryCycle, now: float) -> float:
    """Until every series has a forecast: a cycle leaves the rest to the next, and one without any is over at once."""
    started = turn = time.process_time()
    while True:
        cycle.look_ahead(now)
        if time.process_time() - turn < NOTHING:
            return time.process_time() - started
        turn = time.process_time()


def _draw(rows: list[dict[str, Any]], file: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    sizes = [row["series"] for row in rows]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    left.plot(sizes, [row["steady_s"] for row in rows], "o-", label="pull, fit, judge, render")
    if any(row["ahead_s"] > NOTHING for row in rows):
        left.plot(sizes, [row["steady_s"] + row["ahead_s"] for row in rows], "o--", label="with forecasts")
    left.set(xscale="log", xlabel="series", ylabel="CPU seconds of a cycle a minute")
    left.legend(frameon=False)
    right.plot(sizes, [row["peak_mb"] for row in rows], "o-", color="tab:green")
    right.set(xscale="log", xlabel="series", ylabel="peak memory, MB")
    for axes in (left, right):
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_formatter(lambda size, _: f"{size:,.0f}")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, metadata={"Date": None})


if __name__ == "__main__":
    main()
