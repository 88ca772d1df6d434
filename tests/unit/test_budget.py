"""How much a server is asked: arithmetic with a clock by hand, and real threads at a real (fake) server."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from sources.budget import Gate, Pace
from sources.connection import Connection
from sources.errors import QueryRefused, SourceUnavailable
from sources.promql import PromqlClient
from tests.fakes.http_server import FakeServer, Handler, Request


def answered(pace: Pace, now: float, seconds: float = 0.1) -> None:
    pace.start()
    pace.answered(now, now + seconds)


def refused(pace: Pace, now: float, wish: float | None = None) -> None:
    pace.start()
    pace.refused(now, now + 0.1, wish)


def test_no_more_than_the_limit_run_at_once() -> None:
    pace = Pace(2)
    pace.start()
    assert pace.wait(0.0) == 0
    pace.start()
    assert pace.wait(0.0) == math.inf
    pace.answered(0.0, 1.0)
    assert pace.wait(1.0) == 0


def test_overload_halves_and_a_good_round_adds_one() -> None:
    pace = Pace(8)
    refused(pace, 0.0)
    assert (pace.limit, pace.rest) == (4, 0)
    for _ in range(4):
        answered(pace, 1.0)
    assert pace.limit == 5
    for _ in range(100):
        answered(pace, 2.0)
    assert pace.limit == 8


def test_requests_of_one_round_are_one_sign() -> None:
    pace = Pace(8)
    for _ in range(8):
        pace.start()
    pace.refused(0.0, 1.0)
    for _ in range(7):
        pace.refused(0.0, 1.1)
    assert (pace.limit, pace.running) == (4, 0)


def test_a_server_that_cannot_bear_one_request_gets_longer_and_longer_rests() -> None:
    pace, now, rests = Pace(1, longest_rest=20), 0.0, []
    for _ in range(7):
        refused(pace, now)
        rests.append(pace.rest)
        now += 0.1 + pace.wait(now + 0.1)
    assert rests == [1, 2, 4, 8, 16, 20, 20]
    answered(pace, now)
    assert pace.rest == 0


def test_a_slow_answer_is_followed_by_as_long_a_rest() -> None:
    pace = Pace(1, slow=10, longest_rest=25)
    answered(pace, 0.0, seconds=9.0)
    assert pace.wait(9.0) == 0
    answered(pace, 10.0, seconds=15.0)
    assert pace.wait(25.0) == 15
    answered(pace, 40.0, seconds=50.0)
    assert pace.wait(90.0) == 25


@pytest.mark.parametrize(("wish", "rest"), [(0.5, 0.5), (120.0, 120.0), (1e9, 600.0)])
def test_a_server_that_asks_for_a_rest_gets_it(wish: float, rest: float) -> None:
    pace = Pace(4)
    refused(pace, 0.0, wish)
    assert pace.wait(0.1) == rest


def test_what_says_nothing_of_load_changes_nothing() -> None:
    pace = Pace(4)
    pace.start()
    pace.failed()
    assert (pace.limit, pace.running, pace.wait(0.0)) == (4, 0, 0)


@pytest.mark.parametrize("settings", [{"most": 0}, {"slow": 0}, {"longest_rest": -1}])
def test_limits_that_cannot_be_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Pace(**settings)


def client(url: str, gate: Gate, **settings: Any) -> PromqlClient:
    return PromqlClient(Connection(url=url, retries=0, **settings), gate=gate)


def asked(one: PromqlClient, times: int) -> list[str]:
    """Ask several times at once, and give what came of it."""
    outcomes: list[str] = []

    def ask() -> None:
        try:
            one.fetch("q", "/api/v1/query", {})
            outcomes.append("success")
        except SourceUnavailable as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


class Busy:
    """A server that can be told to be overloaded, and counts how many requests it has at once."""

    def __init__(self) -> None:
        self.status, self.seconds = 200, 0.02
        self.running = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, handler: Handler, _: Request) -> None:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(self.seconds)
        with self._lock:
            self.running -= 1
        handler.send(self.status, b"{}")

    def peak(self) -> int:
        most, self.most = self.most, 0
        return most


def test_a_busy_server_is_asked_less_and_recovers() -> None:
    server, told = Busy(), []
    gate = Gate(Pace(8, longest_rest=0.2), on_change=lambda *state: told.append(state))
    with FakeServer(server) as running:
        one = client(running.url, gate)
        assert asked(one, 24) == ["success"] * 24
        assert 4 < server.peak() <= 8
        server.status = 503
        asked(one, 24)
        server.peak()
        asked(one, 4)
        assert server.peak() == 1
        server.status = 200
        for _ in range(3):
            assert set(asked(one, 24)) == {"success"}
        assert server.peak() > 4
        one.close()
    assert {overload for *_, overload in told} == {None, "busy"}
    assert told[-1][:3] == (8, 0, 0.0)


def test_a_slow_server_is_asked_less() -> None:
    server = Busy()
    gate = Gate(Pace(4, slow=0.15, longest_rest=0.01))
    with FakeServer(server) as running:
        one = client(running.url, gate)
        server.seconds = 0.2
        asked(one, 4)
        assert server.peak() == 4
        asked(one, 2)
        assert server.peak() <= 2
        asked(one, 2)
        assert server.peak() == 1
        one.close()


def test_who_cannot_start_in_time_is_told_why() -> None:
    gate = Gate(Pace(1))
    with gate.turn("q", "query q: server", time.monotonic() + 10):  # noqa: SIM117
        with (
            pytest.raises(SourceUnavailable, match="server must answer other requests first"),
            gate.turn("q", "query q: server", time.monotonic() + 0.05),
        ):
            pytest.fail("two requests run at once")
    with pytest.raises(SourceUnavailable, match="busy"), gate.turn("q", "s", time.monotonic() + 10):
        raise SourceUnavailable("q", "too busy", status=429, retry_after=30)
    with (
        pytest.raises(SourceUnavailable, match="must not be asked for another 30 s"),
        gate.turn("q", "query q: server", time.monotonic() + 10),
    ):
        pytest.fail("the server was given no rest")


def test_turns_are_taken_in_the_order_of_asking() -> None:
    gate, order = Gate(Pace(1)), []

    def ask(number: int) -> None:
        with gate.turn("q", "s", time.monotonic() + 10):
            order.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(5)]
    with gate.turn("q", "s", time.monotonic() + 10):
        for number, thread in enumerate(threads):
            thread.start()
            wait_until(lambda number=number: len(gate._queue) == number + 1)  # type: ignore[misc]
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline, "it did not happen within 5 s"
        time.sleep(0.002)


def test_a_closed_gate_lets_nobody_wait() -> None:
    gate = Gate(Pace(1))
    outcome: list[str] = []

    def ask() -> None:
        try:
            with gate.turn("q", "s", time.monotonic() + 60):
                outcome.append("started")
        except SourceUnavailable:
            outcome.append("refused")

    with gate.turn("q", "s", time.monotonic() + 1):
        waiting = threading.Thread(target=ask)
        waiting.start()
        wait_until(lambda: len(gate._queue) == 1)
        gate.close()
        waiting.join()
    assert outcome == ["refused"]


@pytest.mark.parametrize("error", [QueryRefused("q", "no"), ValueError("a bug")])
def test_other_errors_pass_and_free_their_place(error: Exception) -> None:
    pace = Pace(1)
    gate = Gate(pace)
    with pytest.raises(type(error)), gate.turn("q", "s", time.monotonic() + 1):
        raise error
    assert (pace.running, pace.limit) == (0, 1)
