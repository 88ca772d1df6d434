"""The source against a real VictoriaMetrics."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
import requests

from series import FloatArray, Grid, SeriesKey
from series.key import escape
from sources.connection import Connection
from sources.errors import QueryRefused, SourceUnavailable
from sources.prometheus import PrometheusSource
from sources.split import SplitSource
from sources.victoriametrics import victoriametrics

pytestmark = pytest.mark.servers

# Three weeks of minutes and a bit: more than the 30,000 points of one request.
WHOLE = Grid(1_700_000_040, 60, 31_000)
HOSTILE = 'a "b" \\ },"values":[[ é\u2028 <&>'
NAMES = ("sum", "difference", "ratio")


def history() -> dict[SeriesKey, FloatArray]:
    """Raw samples at each minute, of few digits: this server keeps decimal numbers."""
    wave = np.round(100 / 3 * (1 + np.sin(np.arange(WHOLE.n_steps) / 229)), 3)
    rows = zip(NAMES, (wave, -np.round(wave) * 1e6, np.round(wave / 100, 2)), strict=True)
    return {SeriesKey({"__name__": "load", "kind": kind, "text": HOSTILE}): row for kind, row in rows}


def exposition() -> str:
    lines = []
    for key, row in history().items():
        labels = ",".join(f'{name}="{escape(value)}"' for name, value in key.labels.items())
        lines += [
            f"load{{{labels}}} {value!r} {time * 1000:.0f}"
            for time, value in zip(WHOLE.times, row.tolist(), strict=True)
        ]
    return "\n".join([*lines, ""])


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(requests.ConnectionError):
            if requests.get(f"{url}/health", timeout=5).ok:
                return
        time.sleep(0.1)
    pytest.fail("VictoriaMetrics was not ready within 30 s")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("victoria-metrics")
    if not program:
        pytest.skip("victoria-metrics is not there: deploy/install-servers.sh victoria-metrics")
    folder: Path = tmp_path_factory.mktemp("victoriametrics")
    port = free_port()
    # Samples of the past, seen at once.
    flags = ["-retentionPeriod=100y", "-search.latencyOffset=0s", "-search.maxStalenessInterval=50s"]
    command = [program, f"-storageDataPath={folder / 'data'}", f"-httpListenAddr=127.0.0.1:{port}", *flags]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, stderr=log, stdout=log)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(address)
        requests.post(f"{address}/api/v1/import/prometheus", exposition().encode(), timeout=60).raise_for_status()
        requests.get(f"{address}/internal/force_flush", timeout=60).raise_for_status()
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


@contextmanager
def opened(url: str, *, max_points: int | None = None, filters: tuple[str, ...] = ()) -> Iterator[PrometheusSource]:
    backend = victoriametrics(extra_filters=filters)
    source = PrometheusSource(Connection(url=url, retries=0), backend=backend, max_points=max_points)
    try:
        yield source
    finally:
        source.close()


@pytest.mark.parametrize("max_points", [None, 50_000])
def test_a_range_beyond_the_points_of_one_request_comes_back_whole(url: str, max_points: int | None) -> None:
    expected = history()
    with opened(url, max_points=max_points) as source:
        answer = source.read_range("load", WHOLE, series_limit=3)
    assert set(answer.window.keys) == set(expected)
    for key, row in zip(answer.window.keys, answer.window.values, strict=True):
        np.testing.assert_array_equal(row, expected[key])
    assert answer.requests == (3 if max_points is None else 4)
    assert answer.warnings == ()


def test_instants_are_those_asked_for(url: str) -> None:
    grid = Grid(WHOLE.start - WHOLE.start % 420 + 420, 420, 60)
    with opened(url) as source:
        window = source.read_range('load{kind="sum"}', grid, series_limit=1).window
    np.testing.assert_array_equal(window.times, grid.times)
    first = (grid.start - WHOLE.start) // 60
    np.testing.assert_array_equal(window.values[0], history()[window.keys[0]][first : first + 7 * 60 : 7])


@pytest.mark.parametrize(
    ("filters", "kinds"),
    [((), NAMES), (('{kind=~"s.*"}',), ("sum",)), (('{kind="sum"}', '{kind="ratio"}'), ("sum", "ratio"))],
)
def test_extra_filters_narrow_every_query(url: str, filters: tuple[str, ...], kinds: tuple[str, ...]) -> None:
    with opened(url, filters=filters) as source:
        window = source.read_range("load", Grid(WHOLE.start, 60, 5), series_limit=3).window
    assert {key["kind"] for key in window.keys} == set(kinds)


def test_a_query_in_parts_is_the_whole(url: str) -> None:
    grid = Grid(WHOLE.start + 6000, 60, 300)
    with opened(url) as source:
        split = SplitSource(source, "kind", match="load")
        window = split.read_range("load{$split}", grid, series_limit=3).window
    expected = history()
    assert set(window.keys) == set(expected)
    for key, row in zip(window.keys, window.values, strict=True):
        np.testing.assert_array_equal(row, expected[key][100:400])


@pytest.mark.parametrize("query", ["sum(", "load *", "nofunction(load)"])
def test_wrong_queries_are_refused_in_the_servers_words(url: str, query: str) -> None:
    with opened(url) as source, pytest.raises(QueryRefused, match=r"must succeed\. Got 422: "):
        source.read_range(query, Grid(WHOLE.start, 60, 20), series_limit=2)


def test_a_server_that_is_gone_is_unavailable() -> None:
    with opened(f"http://127.0.0.1:{free_port()}") as source, pytest.raises(SourceUnavailable, match="refused"):
        source.read_range("load", Grid(WHOLE.start, 60, 20), series_limit=2)
