"""Start of the service: time to the first answer of /metrics, and resident memory when idle.

    python -m benchmarks.startup [--rounds 5]

The source is an address where nothing listens, so no model is loaded. The floor beside it is an interpreter that
imports numpy and serves one page with http.server. Prints one JSON object as its last line.
"""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import orjson

CONFIG = "source: {url: 'http://127.0.0.1:1'}\nqueries: [{name: up, query: up}]\n"
FLOOR = (
    "import sys, numpy, http.server as h\n"
    "class P(h.BaseHTTPRequestHandler):\n"
    "    def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(b'up 1')\n"
    "    def log_message(self, *a): pass\n"
    "h.HTTPServer(('127.0.0.1', int(sys.argv[1])), P).serve_forever()\n"
)


@click.command()
@click.option("--rounds", default=5, show_default=True)
@click.option("--data", default=None, help="Not used.")
def main(rounds: int, data: str | None) -> None:
    """Measure and print."""
    ours, floor = [], []
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "forethought.yml"
        config.write_text(CONFIG)
        for _ in range(rounds):
            flags = [f"--config.file={config}", f"--storage.path={folder}/data"]
            ours.append(
                _measure([sys.executable, "-m", "exporter", "run", *flags, "--web.listen-address=127.0.0.1:{port}"])
            )
            floor.append(_measure([sys.executable, "-c", FLOOR, "{port}"]))
    result = {"ours": _medians(ours), "floor": _medians(floor)}
    for name, row in result.items():
        print(f"{name:>6}: first answer after {row['seconds']:.2f} s, {row['rss_mb']:.0f} MB resident")
    print(orjson.dumps({"bench": "startup"} | result).decode())


def _measure(command: list[str]) -> tuple[float, float]:
    port = free_port()
    started = time.perf_counter()
    process = subprocess.Popen([part.format(port=port) if "{port}" in part else part for part in command],
                               stderr=subprocess.DEVNULL)  # fmt: skip
    with ended(process):
        while not _answers(port):
            if process.poll() is not None or time.perf_counter() - started > 30:
                raise SystemExit(f"{' '.join(command)} did not answer.")
            time.sleep(0.01)
        seconds = time.perf_counter() - started
        time.sleep(3)  # first cycle tried, imports done
        return seconds, _resident_mb(process.pid)


@contextlib.contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _medians(rows: list[tuple[float, float]]) -> dict[str, float]:
    seconds, rss = (statistics.median(side) for side in zip(*rows, strict=True))
    return {"seconds": seconds, "rss_mb": rss}


if __name__ == "__main__":
    main()
