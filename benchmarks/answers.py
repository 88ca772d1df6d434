"""A stand-in for Prometheus in a process of its own: any number of series, any range, no storage."""

from __future__ import annotations

import contextlib
import http.server
import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection
from urllib.parse import parse_qs

import numpy as np
import numpy.typing as npt
import orjson

from series import FloatArray


@contextlib.contextmanager
def answering(n_series: int) -> Iterator[str]:
    """Serve `n_series` series under /api/v1/query_range and give the address."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(n_series, theirs), daemon=True)
    server.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        server.terminate()
        server.join()


def values_at(times: FloatArray, row: int | npt.NDArray[np.intp]) -> FloatArray:
    """Daily wave, weekend dip and noise of one series, or of many (n_series, 1): the same at every call."""
    day = np.sin(2 * np.pi * (times / 86_400 + row % 24 / 24))
    weekend = 1 - 0.3 * ((times // 86_400 + 3) % 7 >= 5)
    noise = np.sin(times * 12.9898 + row * 78.233) * 43758.5453
    return (100 + row % 900) * (1 + 0.4 * day) * weekend * (1 + 0.05 * (noise - np.floor(noise)))


def labels_of(row: int) -> dict[str, str]:
    """Labels of one series."""
    return {"tenant_id": f"tenant-{row % 40}", "pipeline_id": f"pipeline-{row}", "region": f"region-{row % 7}"}


def _serve(n_series: int, ready: Connection) -> None:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            start, end, step = (float(form[name][0]) for name in ("start", "end", "step"))
            body = _body(np.arange(start, end + step / 2, step), n_series)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        ready.send(server.server_port)
        server.serve_forever()


def _body(times: FloatArray, n_series: int) -> bytes:
    stamps = [int(time) for time in times]
    parts = []
    for row in range(n_series):
        values = map(repr, values_at(times, row).tolist())
        parts.append(orjson.dumps({"metric": labels_of(row), "values": list(zip(stamps, values, strict=True))}))
    return b'{"status":"success","data":{"resultType":"matrix","result":[' + b",".join(parts) + b"]}}"
