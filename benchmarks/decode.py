"""Decoding answers of the query API, against prometheus-api-client on the same bytes in the same run.

    python -m benchmarks.decode [--series 250] [--points 2016] [--rounds 3]

The peer is the library's own ``custom_query_range`` (json) with `MetricRangeDataFrame`, and ``custom_query`` with
`MetricSnapshotDataFrame`; only the network is left out. CPU time of one thread, rounds in turn, medians. Memory is the
peak above what was held before the call, as a multiple of the body, each in a process of its own. Prints one JSON
object as its last line.
"""

from __future__ import annotations

import datetime as dt
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import orjson
import requests

from series import FloatArray, Grid
from sources.decode import RangeDecoder
from sources.instant import InstantDecoder

STEP = 300
START = 1_700_000_100
SPELLINGS: dict[str, Callable[[float], str]] = {"full precision": repr, "3 decimals": "{:.3f}".format}
SUCCESS = b'{"status":"success","data":{"resultType":"%s","result":[%s]}}'


@click.command()
@click.option("--series", "n_series", default=250, show_default=True)
@click.option("--points", "n_points", default=2016, show_default=True, help="Points of each series.")
@click.option("--instant-series", default=10_000, show_default=True, help="Series of the instant answer.")
@click.option("--rounds", default=3, show_default=True, help="Rounds of each; the peer has every other turn.")
@click.option("--data", default=None, help="Not used: the samples are made here.")
@click.option("--memory", nargs=2, default=None, hidden=True, help="Print the peak of one decoder on one body.")
def main(
    n_series: int, n_points: int, instant_series: int, rounds: int, data: str | None, memory: tuple[str, str] | None
) -> None:
    """Measure and print."""
    warnings.simplefilter("ignore")  # the peer uses what pandas will remove
    grid = Grid(START, STEP, n_points)
    if memory:
        print(extra_memory(memory[0], Path(memory[1]), grid))
        return
    values = np.random.default_rng(0).lognormal(3, 1, (n_series, n_points)) / 3
    results = [measure(name, range_body(values, spell), values.size, grid, rounds) for name, spell in SPELLINGS.items()]
    print(
        f"{'range answer':<16}{'points':>10}{'ours s':>9}{'M/s':>7}{'peer s':>9}{'M/s':>7}"
        f"{'ratio':>7}{'memory':>8}{'peer':>7}"
    )
    for row in results:
        print(
            f"{row['body']:<16}{row['points']:>10}{row['ours_s']:>9.3f}{row['ours_mpoints_s']:>7.2f}{row['peer_s']:>9.2f}"
            f"{row['peer_mpoints_s']:>7.2f}{row['ratio']:>7.1f}{row['ours_memory']:>7.2f}x{row['peer_memory']:>6.1f}x"
        )
    instant = measure_instant(instant_series, rounds)
    print(
        f"instant answer, {instant_series} known series: {instant['ours_us']:.2f} us a series "
        f"({instant['first_us']:.2f} in a new order), peer {instant['peer_us']:.2f}, ratio {instant['ratio']:.1f}"
    )
    print(
        orjson.dumps(
            {"bench": "decode", "peer": "prometheus-api-client", "range": results, "instant": instant}
        ).decode()
    )


def labels_of(number: int) -> bytes:
    """Raw JSON labels of one series."""
    labels = {
        "__name__": "pipeline_executions",
        "instance": f"10.0.{number // 250}.{number % 250}:9090",
        "job": f"runner-{number % 31}",
        "pipeline_id": f"pipeline-{number}",
        "tenant_id": f"tenant-{number % 4}",
    }
    return orjson.dumps(labels)


def range_body(values: FloatArray, spell: Callable[[float], str]) -> bytes:
    """A range answer in Prometheus' compact layout."""
    times = range(START, START + STEP * values.shape[1], STEP)
    rows = [",".join(f'[{time},"{spell(v)}"]' for time, v in zip(times, row.tolist(), strict=True)) for row in values]
    series = (b'{"metric":%s,"values":[%s]}' % (labels_of(number), row.encode()) for number, row in enumerate(rows))
    return SUCCESS % (b"matrix", b",".join(series))


def decode_range(body: bytes | bytearray, grid: Grid) -> FloatArray:
    """Our way."""
    decoder = RangeDecoder("bench", grid, series_limit=10**9)
    decoder.add(body, grid)
    return decoder.window().values


class Replay(requests.Session):
    """A session whose server has answered already."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self._body = body

    def request(self, *_: Any, **__: Any) -> requests.Response:
        """The recorded answer."""
        response = requests.Response()
        response.status_code = 200
        response.headers["Content-Type"] = "application/json"
        response._content = self._body
        return response


def peer_range(body: bytes) -> FloatArray:
    """The library's way."""
    from prometheus_api_client import MetricRangeDataFrame, PrometheusConnect

    now = dt.datetime.now(dt.UTC)
    result = PrometheusConnect(session=Replay(body)).custom_query_range("bench", now, now, "300")
    frame: FloatArray = MetricRangeDataFrame(result)["value"].to_numpy()
    return frame


def measure(name: str, body: bytes, points: int, grid: Grid, rounds: int) -> dict[str, Any]:
    """Time and memory of both on one body."""
    if not np.array_equal(decode_range(body, grid).ravel(), peer_range(body)):
        raise SystemExit("Both must read the same values.")
    times = [(cpu(lambda: decode_range(body, grid)), cpu(lambda: peer_range(body))) for _ in range(rounds)]
    ours, peer = (statistics.median(side) for side in zip(*times, strict=True))
    return {
        "body": name,
        "points": points,
        "body_bytes": len(body),
        "ours_s": ours,
        "peer_s": peer,
        "ours_mpoints_s": points / ours / 1e6,
        "peer_mpoints_s": points / peer / 1e6,
        "ratio": statistics.median(theirs / mine for mine, theirs in times),
        **{f"{side}_memory": memory_of(side, body, grid.n_steps) for side in ("ours", "peer")},
    }


def measure_instant(n_series: int, rounds: int) -> dict[str, float]:
    """Microseconds a known series: of the newest point, matched to its row."""
    from prometheus_api_client import MetricSnapshotDataFrame, PrometheusConnect

    values = np.random.default_rng(1).lognormal(3, 1, n_series).tolist()
    labels = [labels_of(number) for number in range(n_series)]
    points = (
        b'{"metric":%s,"value":[%d.123,"%r"]}' % (label, START, v) for label, v in zip(labels, values, strict=True)
    )
    body = SUCCESS % (b"vector", b",".join(points))
    rows = {label: row for row, label in enumerate(labels)}
    decoder = InstantDecoder(rows)

    def peer() -> object:
        return MetricSnapshotDataFrame(PrometheusConnect(session=Replay(body)).custom_query("bench"))

    def ours() -> object:
        return decoder.decode("bench", body)

    if decoder.decode("bench", body).values.tolist() != values:
        raise SystemExit("The values must be those of the body.")
    peer()
    times = [
        (cpu(ours), cpu(peer), cpu(lambda: InstantDecoder(rows).decode("bench", body))) for _ in range(2 * rounds + 1)
    ]
    mine, theirs, first = (statistics.median(side) / n_series * 1e6 for side in zip(*times, strict=True))
    ratio = statistics.median(theirs / mine for mine, theirs, _ in times)
    return {"series": n_series, "ours_us": mine, "first_us": first, "peer_us": theirs, "ratio": ratio}


def memory_of(side: str, body: bytes, n_points: int) -> float:
    """Peak memory above the body as a multiple of it, in a fresh process."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        command = [sys.executable, "-m", "benchmarks.decode", "--points", str(n_points), "--memory", side, file.name]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / len(body)


def extra_memory(side: str, path: Path, grid: Grid) -> int:
    """Bytes that one call holds at its peak above what was held before it."""
    decode = (lambda body: decode_range(body, grid)) if side == "ours" else peer_range
    few = Grid(grid.start, grid.step, 2)
    decode(range_body(np.ones((1, few.n_steps)), repr))  # imports are not counted
    body = path.read_bytes()
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = resident("VmRSS")
    kept = decode(body)
    peak = resident("VmHWM")
    return max(0, peak - before) if len(kept) else 0


def resident(name: str) -> int:
    """A figure of this process's memory in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) * 1024


def cpu(call: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    started = time.process_time()
    call()
    return time.process_time() - started


if __name__ == "__main__":
    main()
