"""Results written to a server that takes, refuses, delays or does not answer."""

import socket
import struct
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import structlog

from exporter import metrics
from exporter.remote_write.client import WriteClient
from exporter.remote_write.writer import RemoteWriter, WriteLimits
from exporter.results import Column, Results
from exporter.telemetry import Telemetry
from series import SeriesKey
from sources.connection import Connection
from tests.fakes.http_server import FakeServer, always, header
from tests.fakes.write_reader import read

QUICK = WriteLimits(timeout=2, backoff=0.01, max_backoff=0.05)
KEYS = tuple(SeriesKey({"job": name}) for name in "abc")
STALE = 0x7FF0_0000_0000_0002
TAKEN = always(204, b"")


class Clock:
    """Seconds that stand still until they are moved."""

    def __init__(self, now=1_700_000_000.0):
        self.now = now

    def __call__(self):
        return self.now


def results(values, query="q", keys=KEYS, expires=float("inf")):
    return Results(query, keys[: len(values)], (Column(metrics.VALUE, np.array(values, dtype=float)),), expires)


class Desk:
    """A writer, its clock and what it says of itself."""

    def __init__(self, url, limits=QUICK, clock=None, **connection):
        self.clock = clock or Clock()
        self.telemetry = Telemetry()
        client = WriteClient(Connection(url=url, **connection))
        self.writer = RemoteWriter(client, limits, {}, self.telemetry, self.clock)

    def offer(self, values, seconds=1.0, **more):
        self.clock.now += seconds
        self.writer.offer(results(values, **more))

    def dropped(self):
        return {
            sample.labels["reason"]: sample.value
            for family in self.telemetry.remote_write_dropped.collect()
            for sample in family.samples
        }

    def value(self, gauge):
        return gauge.labels(self.writer.url)._value.get()

    @property
    def taken(self):
        return self.value(self.telemetry.remote_write_samples)


@contextmanager
def desk(url, limits=QUICK, clock=None, **connection):
    it = Desk(url, limits, clock, **connection)
    it.writer.start()
    try:
        yield it
    finally:
        it.writer.stop(1.0)


def wait_for(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def samples(server):
    """Job, value or marker, and seconds of every sample that came."""
    found = []
    for request in server.requests:
        for labels, bits, milliseconds in read(request.body):
            value = "ended" if bits == STALE else struct.unpack("<d", struct.pack("<Q", bits))[0]
            found.append((dict(labels)["job"], value, milliseconds / 1_000))
    return found


def test_results_arrive_with_the_time_they_were_published_at():
    with FakeServer(TAKEN) as server, desk(server.url + "/api/v1/write") as it:
        it.offer([1, np.nan, 3])
        wait_for(lambda: it.taken == 2)
        assert samples(server) == [("a", 1.0, it.clock.now), ("c", 3.0, it.clock.now)]
        (request,) = server.requests
        assert request.path == "/api/v1/write"
        assert header(request, "Content-Encoding") == "snappy"
        assert header(request, "Content-Type") == "application/x-protobuf"
        assert header(request, "X-Prometheus-Remote-Write-Version") == "0.1.0"
        wait_for(lambda: it.value(it.telemetry.remote_write_pending) == 0)
        assert it.value(it.telemetry.remote_write_last_success) == it.clock.now


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_in_trouble_is_asked_again_and_nothing_is_lost(status):
    answers = iter([status, status])

    def answer(handler, _):
        handler.send(next(answers, 204), b"")

    with FakeServer(answer) as server, desk(server.url) as it:
        it.offer([1])
        it.offer([2])
        wait_for(lambda: it.taken == 2)
        assert [value for _, value, _ in samples(server)] == [1, 1, 1, 2]
        assert it.dropped() == {}


def test_a_server_that_wants_a_pause_gets_it():
    came = []

    def answer(handler, _):
        came.append(time.monotonic())
        handler.send(429 if len(came) == 1 else 204, b"", Retry_After="1")

    with FakeServer(answer) as server, desk(server.url) as it:
        it.offer([1])
        wait_for(lambda: it.taken == 1)
    assert came[1] - came[0] >= 1


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (400, "must take samples. Got 400: out of order sample."),
        (404, "must take samples. Got 404: out of order sample."),
        (302, "must take samples itself. Got 302 to http://127.0.0.1:1/elsewhere."),
    ],
)
def test_what_is_refused_is_dropped_and_the_next_goes_on(status, says):
    answers = iter([(status, b"out of order\nsample.\n")])

    def answer(handler, _):
        handler.send(*next(answers, (204, b"")), Location="http://127.0.0.1:1/elsewhere?key=s3cret")

    with FakeServer(answer) as server, structlog.testing.capture_logs() as logs, desk(server.url) as it:
        it.offer([1, 2])
        it.offer([3])
        wait_for(lambda: it.taken == 2)
        assert it.dropped() == {"refused": 2}
        assert len(server.requests) == 2
    (said,) = [entry for entry in logs if entry["log_level"] == "warning"]
    assert said["problem"] == says


def closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_nobody_there_is_said_once_and_without_secrets(tmp_path):
    token = tmp_path / "token"
    token.write_text("s3cret")
    url = f"http://127.0.0.1:{closed_port()}/write?key=s3cret"
    with structlog.testing.capture_logs() as logs, desk(url, bearer_token_file=token) as it:
        it.offer([1])
        it.offer([2])
        wait_for(lambda: it.value(it.telemetry.remote_write_pending) > 0)
        time.sleep(0.2)
    assert it.dropped() == {"shutdown": 2}
    warnings = [entry.get("problem", entry["event"]) for entry in logs if entry["log_level"] == "warning"]
    assert warnings == ["must be reachable. Got Connection refused.", "results dropped; others may follow"]
    assert "s3cret" not in str(logs)
    assert b"s3cret" not in it.telemetry.render()


def test_credentials_are_sent_and_read_anew(tmp_path):
    token = tmp_path / "token"
    with FakeServer(TAKEN) as server, desk(server.url, bearer_token_file=token) as it:
        it.offer([1])
        time.sleep(0.05)
        assert server.requests == []
        token.write_text("one\n")
        wait_for(lambda: it.taken == 1)
        token.write_text("two\n")
        it.offer([1])
        wait_for(lambda: it.taken == 2)
        assert [header(request, "Authorization") for request in server.requests] == ["Bearer one", "Bearer two"]


def test_a_server_that_hangs_stops_no_cycle_and_no_shutdown():
    released = threading.Event()

    def answer(handler, _):
        released.wait(10)
        handler.send(204, b"")

    with FakeServer(answer) as server:
        with desk(server.url, replace(QUICK, timeout=0.1)) as it:
            started = time.monotonic()
            for value in range(20):
                it.offer([value])
            assert time.monotonic() - started < 0.5
            wait_for(lambda: len(server.requests) > 1)
            started = time.monotonic()
            it.writer.stop(0.5)
            assert time.monotonic() - started < 2
            wait_for(lambda: it.dropped() == {"shutdown": 20})
        released.set()


def test_a_full_queue_drops_the_oldest():
    busy = threading.Event()
    busy.set()

    def answer(handler, _):
        handler.send(503 if busy.is_set() else 204, b"")

    with FakeServer(answer) as server, desk(server.url, replace(QUICK, max_pending_bytes=1_000)) as it:
        it.offer([0])
        wait_for(lambda: server.requests)
        for value in range(1, 60):
            it.offer([value])
            assert it.value(it.telemetry.remote_write_pending) <= 1_000
        lost = it.dropped()["queue_full"]
        assert 0 < lost < 59
        server.requests.clear()
        busy.clear()
        wait_for(lambda: it.taken == 60 - lost)
        arrived = sorted({value for _, value, _ in samples(server)} - {0})
        assert arrived == list(range(int(lost) + 1, 60))


def test_what_became_too_old_is_dropped_and_the_new_arrives():
    up = threading.Event()

    def answer(handler, _):
        handler.send(204 if up.is_set() else 500, b"")

    with FakeServer(answer) as server, desk(server.url, replace(QUICK, max_age=600)) as it:
        it.offer([1])
        it.offer([2])
        wait_for(lambda: server.requests)
        it.clock.now += 601
        wait_for(lambda: it.dropped() == {"too_old": 2})
        up.set()
        it.offer([3])
        wait_for(lambda: it.taken == 1)


def test_a_stop_sends_what_waits():
    with FakeServer(TAKEN) as server:
        it = Desk(server.url)
        for value in range(5):
            it.offer([value])
        it.writer.start()
        it.writer.stop(5.0)
        assert [value for _, value, _ in samples(server)] == [0, 1, 2, 3, 4]
        it.offer([6])
        assert it.dropped() == {"shutdown": 1}


def test_a_stop_before_the_start_counts_what_was_not_sent():
    it = Desk("http://127.0.0.1:9")
    it.offer([1, 2])
    it.writer.stop(1.0)
    assert it.dropped() == {"shutdown": 2}


def test_many_cycles_at_once_lose_and_double_nothing():
    with FakeServer(TAKEN) as server, desk(server.url, clock=time.time) as it:

        def cycles(query):
            for value in range(25):
                time.sleep(0.002)
                it.writer.offer(results([value, value], query=query))

        threads = [threading.Thread(target=cycles, args=(f"q{number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait_for(lambda: it.taken == 200)
        came = [
            (dict(labels)["query"], dict(labels)["job"], milliseconds)
            for request in server.requests
            for labels, _, milliseconds in read(request.body)
        ]
        assert len(set(came)) == len(came) == 200
        for series in {(query, job) for query, job, _ in came}:
            times = [at for query, job, at in came if (query, job) == series]
            assert times == sorted(times)


def test_series_that_stop_are_marked_as_ended():
    with FakeServer(TAKEN) as server, desk(server.url) as it:
        it.offer([1, 2])
        it.offer([3, np.nan])
        it.clock.now += 1
        it.writer.withdraw("q")
        it.writer.withdraw("q")
        wait_for(lambda: it.taken == 5)
        start = it.clock.now
        assert samples(server) == [
            ("a", 1, start - 2),
            ("b", 2, start - 2),
            ("b", "ended", start - 1),
            ("a", 3, start - 1),
            ("a", "ended", start),
        ]


def test_results_too_old_to_be_the_present_are_marked_once():
    with FakeServer(TAKEN) as server, desk(server.url) as it:
        it.offer([1], expires=it.clock.now + 300)
        it.offer([2], query="other")
        it.clock.now += 300
        for _ in range(3):
            it.writer.expire()
        wait_for(lambda: it.taken == 3)
        assert samples(server)[-1] == ("a", "ended", it.clock.now)
        it.offer([5], expires=it.clock.now + 300)
        wait_for(lambda: it.taken == 4)
        assert samples(server)[-1] == ("a", 5, it.clock.now)


def test_nothing_is_written_twice_for_one_time_nor_after_the_clock_was_set_back():
    with FakeServer(TAKEN) as server, desk(server.url) as it:
        it.offer([1])
        it.offer([2], seconds=0.0)
        it.offer([3], seconds=-60.0)
        it.offer([4], seconds=61.0)
        wait_for(lambda: it.taken == 2)
        assert [value for _, value, _ in samples(server)] == [1, 4]
        assert it.dropped() == {"not_newer": 2}


def test_large_results_are_divided():
    keys = tuple(SeriesKey({"job": str(number)}) for number in range(250))
    with FakeServer(TAKEN) as server, desk(server.url, replace(QUICK, max_samples=100)) as it:
        it.offer(range(250), keys=keys)
        wait_for(lambda: it.taken == 250)
        assert [len(read(request.body)) for request in server.requests] == [100, 100, 50]
        assert sorted(value for _, value, _ in samples(server)) == list(range(250))
