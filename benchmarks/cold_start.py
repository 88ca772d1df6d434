"""Cold start and restart of the service, on a real Prometheus that holds the history.

    python -m benchmarks.cold_start [--series 10000]

Writes seven days of samples, 300 s apart, into an empty Prometheus, then measures: how long Prometheus takes to answer
the queries that fill the history (bodies read and thrown away: the floor of any client); how long the service takes
from its start to the first score and to that of the last series; the same after a graceful stop and a new start. Needs
the program `prometheus`. Prints one JSON object as its last line.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import orjson
import requests

from benchmarks.answers import values_at
from demo.remote_write import write
from series import Grid

STEP, DAY = 300, 86_400
CHUNK = 2_000_000


@click.command()
@click.option("--series", "n_series", default=10_000, show_default=True)
@click.option("--days", default=7, show_default=True)
@click.option("--data", default=None, help="Not used: the samples are made here.")
def main(n_series: int, days: int, data: str | None) -> None:
    """Measure and print."""
    if shutil.which("prometheus") is None:
        raise SystemExit("The program prometheus must be installed. deploy/install-servers.sh prometheus does it.")
    with tempfile.TemporaryDirectory() as name, _prometheus(Path(name)) as url:
        folder = Path(name)
        _fill(url, n_series, days)
        floor = _answers_alone(url, n_series, days)
        _configure(folder, url, n_series, days)
        cold_first, cold, cold_peak = _until_scores(folder, n_series)
        warm_first, warm, warm_peak = _until_scores(folder, n_series)
    report = {
        "bench": "cold_start",
        "series": n_series,
        "days": days,
        "prometheus_alone_s": floor,
        "cold_first_s": cold_first,
        "cold_s": cold,
        "first_ratio": cold_first / floor,
        "ratio": cold / floor,
        "cold_peak_mb": cold_peak,
        "restart_first_s": warm_first,
        "restart_s": warm,
        "restart_peak_mb": warm_peak,
    }
    print(f"Prometheus alone {floor:.1f} s")
    print(f"first scores after {cold_first:.1f} s ({cold_first / floor:.2f} times that)")
    print(f"those of every series after {cold:.1f} s ({cold / floor:.2f} times that), {cold_peak:.0f} MB")
    print(f"after a restart first scores after {warm_first:.1f} s, all after {warm:.1f} s, {warm_peak:.0f} MB")
    print(orjson.dumps(report).decode())


def _fill(url: str, n_series: int, days: int) -> None:
    end = time.time() // STEP * STEP + 2 * STEP
    times = np.arange(end - days * DAY - STEP, end, STEP, dtype=np.float64)
    labels = [
        {"__name__": "load", "tenant_id": f"tenant-{row % 40}", "pipeline_id": f"pipeline-{row}"}
        for row in range(n_series)
    ]
    write(f"{url}/api/v1/write", labels, times, np.stack([values_at(times, row) for row in range(n_series)]))


def _answers_alone(url: str, n_series: int, days: int) -> float:
    grid = Grid.ending(time.time(), step=STEP, history=days * DAY, latency=0)
    started = time.perf_counter()
    with requests.Session() as session:
        session.headers["Accept-Encoding"] = "identity"
        for part in grid.split(max(1, CHUNK // n_series)):
            form = {"query": "load", "start": str(part.start), "end": str(part.end), "step": str(STEP)}
            with session.post(f"{url}/api/v1/query_range", data=form, stream=True, timeout=300) as answer:
                answer.raise_for_status()
                for _ in answer.iter_content(1 << 20):
                    pass
    return time.perf_counter() - started


def _configure(folder: Path, url: str, n_series: int, days: int) -> None:
    query = (
        f"{{name: load, query: load, step: 5m, interval: 1m, history: {days}d, latency: 0s, series_limit: {n_series}}}"
    )
    (folder / "forethought.yml").write_text(f"source: {{url: '{url}'}}\nqueries: [{query}]\n")


def _until_scores(folder: Path, n_series: int) -> tuple[float, float, float]:
    """Start the service, wait for the scores of every series, stop it; seconds to the first and the last, peak MB."""
    port = _free_port()
    flags = [
        f"--config.file={folder}/forethought.yml",
        f"--storage.path={folder}/state",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    started = time.perf_counter()
    log = (folder / "log").open("a")
    process = subprocess.Popen([sys.executable, "-m", "exporter", "run", *flags], stderr=log)
    try:
        first, judged = 0.0, 0
        while judged < n_series:
            judged = _page(port).count(b"\nforethought_expected{")
            first = first or (time.perf_counter() - started if judged else 0.0)
            if process.poll() is not None or time.perf_counter() - started > 900:
                raise SystemExit(f"No scores came: {(folder / 'log').read_text()[-2000:]}")
            time.sleep(0.1)
        seconds = time.perf_counter() - started
        status = Path(f"/proc/{process.pid}/status").read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)
        log.close()
    return first, seconds, int(status.split("VmHWM:")[1].split()[0]) / 1024


def _page(port: int) -> bytes:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            return bytes(answer.read())
    except OSError:
        return b""


@contextlib.contextmanager
def _prometheus(folder: Path) -> Iterator[str]:
    (folder / "prometheus.yml").write_text("global: {}\n")
    port = _free_port()
    flags = [
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/tsdb",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
        "--storage.tsdb.retention.time=60d",
        # The head takes samples of half a block's length: the past is written after the present of other series.
        "--storage.tsdb.min-block-duration=60d",
        "--storage.tsdb.max-block-duration=60d",
    ]
    process = subprocess.Popen(["prometheus", *flags], stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/-/ready", timeout=2):
                break
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
