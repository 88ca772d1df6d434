"""How a range is split: by points, by samples, by what the server cannot bear."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from series import Grid
from sources.connection import Connection
from sources.errors import AnswerIncomplete, QueryRefused, QueryTooLarge, SourceUnavailable
from sources.prometheus import PrometheusSource
from tests.fakes.http_server import FakeServer, Handler, Request, always

Value = Callable[[int, int], float | None]


@dataclass
class Server:
    """Evaluates ``value(series, time)``, within a limit of samples.

    Attributes
    ----------
    asked : list of int
        Steps of each request.
    """

    value: Value
    n_series: int = 3
    max_samples: int = 10**9
    asked: list[int] = field(default_factory=list)

    def __call__(self, handler: Handler, request: Request) -> None:
        start, end, step = (int(request.params[name]) for name in ("start", "end", "step"))
        times = range(start, end + 1, step)
        self.asked.append(len(times))
        if len(times) * self.n_series > self.max_samples:
            said = {
                "status": "error",
                "errorType": "execution",
                "error": "query processing would load too many samples",
            }
            handler.send(422, json.dumps(said).encode())
            return
        rows = [
            [[time, repr(float(v))] for time in times if (v := self.value(n, time)) is not None]
            for n in range(self.n_series)
        ]
        result = [{"metric": {"n": str(n)}, "values": row} for n, row in enumerate(rows) if row]
        whole = {"status": "success", "data": {"resultType": "matrix", "result": result}}
        handler.send(200, json.dumps(whole, separators=(",", ":")).encode())


@contextmanager
def source(server: Callable[[Handler, Request], None], **settings: Any) -> Iterator[PrometheusSource]:
    with FakeServer(server) as running:
        one = PrometheusSource(Connection(url=running.url, retries=0), **settings)
        try:
            yield one
        finally:
            one.close()


def steps(n_steps: int) -> Grid:
    return Grid(1_700_000_040, 60, n_steps)


def product(n: int, time: int) -> float:
    return n * 1e6 + time % 1e6


def expected(grid: Grid, n_series: int) -> np.ndarray:
    return np.array([[product(n, int(time)) for time in grid.times] for n in range(n_series)])


def test_a_long_range_is_asked_for_in_parts_and_comes_back_whole() -> None:
    server, grid = Server(product), steps(250)
    with source(server, max_points=100) as one:
        answer = one.read_range("q", grid, series_limit=10)
    np.testing.assert_array_equal(answer.window.values, expected(grid, 3))
    assert server.asked == [10, 100, 100, 40]
    assert (answer.requests, answer.samples) == (4, 750)
    assert answer.received_bytes > 750 * 15


def test_the_first_look_is_left_out_once_the_series_are_known() -> None:
    server = Server(product)
    with source(server, max_points=100) as one:
        one.read_range("q", steps(100), series_limit=10)
        one.read_range("q", steps(100), series_limit=10)
    assert server.asked == [10, 90, 100]


def test_samples_at_once_are_bounded_by_the_number_of_series() -> None:
    server, grid = Server(product, n_series=20), steps(110)
    with source(server, max_samples=1000) as one:
        answer = one.read_range("q", grid, series_limit=20)
    assert server.asked == [10, 50, 50]
    np.testing.assert_array_equal(answer.window.values, expected(grid, 20))


def test_a_range_the_server_cannot_bear_is_halved() -> None:
    server, grid = Server(product, max_samples=100), steps(130)
    with source(server) as one:
        answer = one.read_range("q", grid, series_limit=20)
    assert server.asked == [10, 120, 60, 30, 30, 30, 30]
    np.testing.assert_array_equal(answer.window.values, expected(grid, 3))


def test_a_single_step_the_server_cannot_bear_is_refused() -> None:
    server = Server(product, max_samples=2)
    with source(server) as one, pytest.raises(QueryTooLarge, match="too many samples"):
        one.read_range("q", steps(100), series_limit=20)
    assert server.asked == [10, 5, 2, 1]


def test_far_too_many_series_are_refused_after_a_small_answer() -> None:
    server = Server(product, n_series=500)
    with source(server) as one, pytest.raises(QueryRefused, match="Got 500"):
        one.read_range("q", steps(5000), series_limit=100)
    assert server.asked == [10]


def test_series_that_live_in_different_parts_are_joined() -> None:
    grid = steps(30)
    middle = int(grid.times[15])
    server = Server(lambda n, time: product(n, time) if (time < middle) == (n == 0) else None, n_series=2)
    with source(server, max_points=10) as one:
        window = one.read_range("q", grid, series_limit=10).window
    assert [key["n"] for key in window.keys] == ["1", "0"]
    there = expected(grid, 2)
    there[0, 15:] = np.nan
    there[1, :15] = np.nan
    np.testing.assert_array_equal(window.values, there[::-1])


def test_many_new_series_in_an_older_part_find_room() -> None:
    grid = steps(20)
    server = Server(lambda n, time: 1.0 if n == 0 or time < grid.start + 600 else None, n_series=50)
    with source(server, max_points=10) as one:
        values = one.read_range("q", grid, series_limit=50).window.values
    assert np.isnan(values).sum() == 49 * 10
    assert np.nansum(values) == 50 * 10 + 10


def test_nothing_is_asked_for_an_empty_grid() -> None:
    server = Server(product)
    with source(server) as one:
        assert one.read_range("q", steps(0), series_limit=1).window.values.shape == (0, 0)
    assert server.asked == []


def test_every_request_is_told_to_the_observer() -> None:
    seen: list[tuple[str, float, int, int]] = []
    with source(Server(product), on_request=lambda *told: seen.append(told)) as one:
        answer = one.read_range("q", steps(20), series_limit=10)
    assert [told[0] for told in seen] == ["success", "success"]
    assert sum(told[2] for told in seen) == answer.received_bytes
    assert sum(told[3] for told in seen) == answer.samples == 60
    assert all(told[1] > 0 for told in seen)


@pytest.mark.parametrize(
    ("reply", "error", "outcome"),
    [
        (always(503, b""), SourceUnavailable, "unavailable"),
        (always(400, b""), QueryRefused, "refused"),
        (always(200, b"<html>"), AnswerIncomplete, "incomplete"),
    ],
)
def test_failures_are_told_too(reply: Any, error: type[Exception], outcome: str) -> None:
    seen: list[tuple[str, float, int, int]] = []
    with source(reply, on_request=lambda *told: seen.append(told)) as one, pytest.raises(error):
        one.read_range("q", steps(20), series_limit=10)
    assert [(told[0], told[2], told[3]) for told in seen] == [(outcome, 0, 0)]


def test_keys_of_gone_series_are_let_go_of() -> None:
    generation = [0]

    def churn(handler: Handler, request: Request) -> None:
        generation[0] += 1
        time = request.params["start"]
        result = [{"metric": {"pod": f"{generation[0]}-{n}"}, "values": [[int(time), "1"]]} for n in range(300)]
        handler.send(
            200, json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()
        )

    with source(churn) as one:
        for _ in range(12):
            one.read_range("q", steps(1), series_limit=300)
        assert len(one._known.of("q")) <= 2 * 300 + 1000


@pytest.mark.parametrize(
    ("reply", "version"),
    [
        (always(200, b'{"status":"success","data":{"version":"2.42.0","revision":"x"}}'), "2.42.0"),
        (always(200, b'{"status":"success","data":{}}'), None),
        (always(200, b"<html>"), None),
        (always(404, b"404 page not found"), None),
    ],
)
def test_the_version_is_told_where_there_is_one(reply: Any, version: str | None) -> None:
    with source(reply) as one:
        assert one.build_info() == version


def test_a_server_without_access_has_no_version_but_an_error() -> None:
    with source(always(401, b"")) as one, pytest.raises(QueryRefused, match="credentials"):
        one.build_info()


def test_limits_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must be 1 or more\. Got 0 and 5"):
        PrometheusSource(Connection(url="http://host"), max_points=0, max_samples=5)


def test_a_range_that_takes_the_server_too_long_is_asked_for_in_less_next_time() -> None:
    slow, grid = [True], steps(100)
    server = Server(product)

    def answer(handler: Handler, request: Request) -> None:
        wanted = (int(request.params["end"]) - int(request.params["start"])) // 60 + 1
        if wanted > 60 and slow[0]:
            time.sleep(0.5)
        server(handler, request)

    with FakeServer(answer) as running:
        one = PrometheusSource(Connection(url=running.url, retries=0, timeout=0.25), max_samples=300)
        one.read_range("q", steps(10), series_limit=10)
        with pytest.raises(SourceUnavailable, match=r"must answer within 0\.25 s"):
            one.read_range("q", grid, series_limit=10)
        server.asked.clear()
        np.testing.assert_array_equal(one.read_range("q", grid, series_limit=10).window.values, expected(grid, 3))
        assert server.asked == [50, 50]
        slow[0] = False
        for _ in range(30):
            one.read_range("q", steps(2), series_limit=10)
        server.asked.clear()
        one.read_range("q", grid, series_limit=10)
        assert server.asked == [100]
        one.close()
