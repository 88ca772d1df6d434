"""The source against a real Prometheus with backfilled history."""

from __future__ import annotations

import math
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from series import FloatArray, Grid, SeriesKey
from series.key import escape
from sources.connection import Connection
from sources.errors import QueryRefused, SourceUnavailable
from sources.instant import InstantDecoder
from sources.prometheus import PrometheusSource
from sources.split import SplitSource

pytestmark = pytest.mark.servers

# Eight days and a half of minutes: more than the 11,000 points of one request.
WHOLE = Grid(1_700_000_040, 60, 12_200)
# A sample is repeated for so long. At 300s, the default, Prometheus 2 and 3 differ in whether the end belongs to it.
LOOKBACK = "--query.lookback-delta=290s"
REPEATED = 4
HOSTILE = 'a "b" \\ },"values":[[ é\u2028 <&>'


def history() -> dict[SeriesKey, FloatArray]:
    """Raw samples at each minute; NaN where there is none."""
    minutes = np.arange(WHOLE.n_steps)
    wave = 100 / 3 * (1 + np.sin(minutes / 229))
    gaps = np.where(minutes % 500 < 400, wave, np.nan)
    ends = np.where(minutes < 7_000, minutes * 1e-9, np.nan)
    starts = np.where(minutes >= 11_500, -wave * 1e21, np.nan)
    rows = {"steady": wave, "gaps": gaps, "ends": ends, "starts": starts}
    return {SeriesKey({"__name__": "load", "kind": kind, "text": HOSTILE}): row for kind, row in rows.items()}


def seen(raw: FloatArray) -> FloatArray:
    """What a query sees of raw samples: each is repeated within the lookback."""
    shown = raw.copy()
    for back in range(1, REPEATED + 1):
        shown[back:] = np.where(np.isnan(shown[back:]), raw[:-back], shown[back:])
    return shown


def exposition() -> str:
    lines = []
    for key, row in history().items():
        labels = ",".join(f'{name}="{escape(value)}"' for name, value in key.labels.items())
        samples = zip(WHOLE.times, row.tolist(), strict=True)
        lines += [f"load{{{labels}}} {value!r} {time:.0f}" for time, value in samples if not math.isnan(value)]
    lines += [f"odd{{}} {('NaN', '+Inf', '-Inf', '-0', '5')[at % 5]} {WHOLE.start + 60 * at}" for at in range(10)]
    return "\n".join([*lines, "# EOF", ""])


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


# The program on the PATH, and another version that may be named, such as an unpacked Prometheus 3.
PROGRAMS = {"prometheus": "prometheus", "prometheus 3": os.environ.get("FORETHOUGHT_PROMETHEUS3", "")}


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    found = shutil.which(PROGRAMS[request.param])
    if not found:
        pytest.skip(f"{request.param} is not there: install it, or name it in FORETHOUGHT_PROMETHEUS3")
    return found


@contextmanager
def prometheus(program: str, data: Path, *flags: str) -> Iterator[str]:
    config = data.parent / "prometheus.yml"
    config.write_text("{}\n")
    port = free_port()
    command = [program, f"--config.file={config}", f"--storage.tsdb.path={data}", LOOKBACK, *flags]
    command += ["--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{port}"]
    with (data.parent / f"log-{port}").open("w") as log:
        server = subprocess.Popen(command, stderr=log)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + 30
    with opened(url) as source:
        while time.monotonic() < deadline:
            with suppress(SourceUnavailable):
                source.client.fetch("ready", "/-/ready", {}, method="GET")
                return
            time.sleep(0.1)
    pytest.fail("Prometheus was not ready within 30 s")


@contextmanager
def opened(url: str, **limits: int) -> Iterator[PrometheusSource]:
    source = PrometheusSource(Connection(url=url, retries=0), **limits)
    try:
        yield source
    finally:
        source.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    (folder / "metrics.txt").write_text(exposition())
    fill = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=336h", "-q"]
    subprocess.run([*fill, folder / "metrics.txt", folder / "data"], check=True, timeout=60)
    return folder / "data"


@pytest.fixture(scope="module")
def url(program: str, data: Path) -> Iterator[str]:
    with prometheus(program, data) as running:
        yield running


def check_whole(source: PrometheusSource) -> None:
    window = source.read_range("load", WHOLE, series_limit=4).window
    expected = history()
    assert set(window.keys) == set(expected)
    for key, row in zip(window.keys, window.values, strict=True):
        np.testing.assert_array_equal(row, seen(expected[key]))


def test_a_range_beyond_the_points_of_one_request_comes_back_bit_for_bit(url: str) -> None:
    with opened(url) as source:
        check_whole(source)


def test_a_server_that_allows_fewer_points_is_asked_for_less(url: str) -> None:
    with opened(url, max_points=50_000) as source:
        check_whole(source)


def test_a_server_that_allows_few_samples_is_asked_for_less(program: str, data: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(data, tmp_path / "data", ignore=shutil.ignore_patterns("lock", "queries.active"))
    with prometheus(program, copy, "--query.max-samples=10000") as url, opened(url) as source:
        check_whole(source)
        answer = source.read_range("load", WHOLE, series_limit=4)
        assert answer.requests > 6


def test_special_values_are_the_servers(url: str) -> None:
    with opened(url) as source:
        (row,) = source.read_range("odd", Grid(WHOLE.start, 60, 5), series_limit=1).window.values
    assert math.isnan(row[0])
    assert row[1:].tolist() == [math.inf, -math.inf, 0.0, 5.0]
    assert math.copysign(1, row[3]) == -1


def test_gaps_of_a_division_and_labels_that_vanish(url: str) -> None:
    with opened(url) as source:
        window = source.read_range('sum(load{kind="steady"} > 40)', Grid(WHOLE.start, 60, 2_000), series_limit=1).window
    assert window.keys == (SeriesKey(),)
    steady = next(iter(history().values()))[:2_000]
    np.testing.assert_array_equal(window.values[0], np.where(steady > 40, steady, np.nan))


def test_nothing_found_is_an_empty_window(url: str) -> None:
    with opened(url) as source:
        assert source.read_range("nothing", WHOLE, series_limit=1).window.values.shape == (0, WHOLE.n_steps)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("sum(", "parse error: unclosed left parenthesis"),
        ("load[5m]", 'expression type "range vector" for range query'),
        ('"text"', 'expression type "string" for range query'),
        ("", "no expression found"),
        (
            'load * on(text) group_left load{kind=~"steady|gaps"}',
            "execution: found duplicate series for the match group",
        ),
        ("load", "may return at most 2 series. Got 3"),
    ],
)
def test_wrong_queries_are_refused_in_the_servers_words(url: str, query: str, says: str) -> None:
    with opened(url) as source, pytest.raises(QueryRefused) as caught:
        source.read_range(query, Grid(WHOLE.start, 60, 20), series_limit=2)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_prefix_is_refused(url: str) -> None:
    with opened(url + "/prom") as source, pytest.raises(QueryRefused, match="404 Not Found: 404 page not found"):
        source.read_range("load", Grid(WHOLE.start, 60, 20), series_limit=9)


def test_a_query_in_parts_is_the_whole(url: str) -> None:
    grid = Grid(WHOLE.start, 60, 300)
    with opened(url) as source:
        whole = source.read_range('load{kind!="none"}', grid, series_limit=4).window
        split = SplitSource(source, "kind", match="load")
        parts = split.read_range('load{kind!="none",$split}', grid, series_limit=4).window
        assert source.label_values("text", grid, match="load") == [HOSTILE]
    assert dict(zip(parts.keys, parts.values.tolist(), strict=True)) == dict(
        zip(whole.keys, whole.values.tolist(), strict=True)
    )


def test_the_newest_points_are_matched(url: str) -> None:
    when = {"query": "load", "time": str(WHOLE.start + 60 * 12_000)}
    with opened(url) as source:
        body = source.client.fetch("load", "/api/v1/query", when)
        version = source.build_info()
    rows = {label: row for row, label in enumerate(InstantDecoder({}).decode("load", body).unknown)}
    decoder = InstantDecoder(rows)
    for _ in range(2):
        newest = decoder.decode("load", body)
        assert newest.rows.tolist() == [0, 1, 2]
        assert sorted(newest.values) == sorted(
            seen(row)[12_000] for row in history().values() if seen(row)[12_000] == seen(row)[12_000]
        )
    assert version
    assert version[0].isdigit()
