"""An accelerated week with churn: does memory stay flat?

    python -m benchmarks.soak [--days 7] [--series 500] [--churn 0.05]

The whole service, but for HTTP and the source: cycles follow each other without the time in between. Every hour a share
of the series goes for good and as many new ones come, as pods do; a state file is written every hour. Prints one JSON
object as its last line: resident memory after each day, the first two of which fill the window.
"""

from __future__ import annotations

import gc
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
import orjson

from benchmarks.answers import values_at
from exporter.service import Service
from exporter.wiring import make_state
from series import Grid, SeriesKey, Window
from sources.base import Answer

STEP, DAY, HOUR = 300, 86_400, 3_600
CONFIG = """
queries:
  - {{name: pods, query: pods, step: 5m, history: 2d, latency: 0s, series_limit: {limit}, forecast: {{horizons: [6h]}}}}
"""


@dataclass
class Churning:
    """Pods that come and go: pod n lives from hour n / (replaced an hour) on, for as long as its place."""

    n_series: int
    churn: float
    start: float
    closed: bool = field(default=False, init=False)

    def read_range(self, query: str, grid: Grid, *, series_limit: int) -> Answer:
        """Give the pods that lived within a grid."""
        hours = (grid.times - self.start) // HOUR
        replaced = max(1, round(self.churn * self.n_series))
        numbers = np.arange(int(hours[0]) * replaced, int(hours[-1]) * replaced + self.n_series)
        values = np.stack([values_at(grid.times, number) for number in numbers.tolist()])
        alive = (numbers[:, None] >= hours * replaced) & (numbers[:, None] < hours * replaced + self.n_series)
        values[~alive] = np.nan
        keys = tuple(SeriesKey({"__name__": "pods", "pod": f"pod-{number}"}) for number in numbers.tolist())
        return Answer(Window(keys, grid.times, values), samples=int(alive.sum()))

    def close(self) -> None:
        """Nothing is open."""
        self.closed = True


@click.command()
@click.option("--days", default=7, show_default=True)
@click.option("--series", "n_series", default=500, show_default=True)
@click.option("--churn", default=0.05, show_default=True, help="Share of the series replaced every hour.")
@click.option("--data", default=None, help="Not used: the samples are made here.")
def main(days: int, n_series: int, churn: float, data: str | None) -> None:
    """Run and print."""
    start = time.time() // DAY * DAY
    clock = [start]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "forethought.yml").write_text(CONFIG.format(limit=10 * n_series))
        source = Churning(n_series, churn, start - 10 * DAY)
        state = make_state(folder / "state")
        service = Service(folder / "forethought.yml", state, lambda: clock[0], connect=lambda *_: source)
        service._add(service.config.queries[0])
        memory, rows, stored = [], [], []
        for turn in range(days * DAY // STEP):
            clock[0] = start + turn * STEP
            running = service.queries["pods"]
            service._run(running)
            if running.failure:
                raise SystemExit(f"A cycle failed: {running.problem}")
            if clock[0] % HOUR == 0:
                service._save(running)
            if (clock[0] + STEP) % DAY == 0:
                gc.collect()
                memory.append(_resident_mb())
                rows.append(len(running.cycle.store.keys))
                stored.append(running.cycle.store.nbytes / 1e6)
                print(
                    f"day {len(memory)}: {memory[-1]:.1f} MB resident, {rows[-1]} rows, {stored[-1]:.1f} MB of samples"
                )
    seen = n_series + round(churn * n_series) * 24 * days
    report = {
        "bench": "soak",
        "days": days,
        "resident_mb": memory,
        "rows": rows,
        "store_mb": stored,
        "series_seen": seen,
    }
    print(orjson.dumps(report).decode())


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
