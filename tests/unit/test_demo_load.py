"""The load generator: history first, then the present, then incidents."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from flask.testing import FlaskClient

from demo.exposition import PLATFORM
from demo.incidents import GATEWAY
from demo.load import LoadGenerator, create_app
from demo.remote_write import WriteRefused


class Store(ThreadingHTTPServer):
    """Counts the bytes written to it, and answers with one status."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.received = 0
        self.counting = threading.Lock()  # two connections write at once
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/api/v1/write"

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Store

    def do_POST(self) -> None:
        size = len(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.counting:
            self.server.received += size
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def generator() -> LoadGenerator:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return LoadGenerator("127.0.0.1", {PLATFORM: "127.0.0.1:1", GATEWAY: f"127.0.0.1:{port}"})


@pytest.fixture
def running() -> Iterator[tuple[LoadGenerator, Store]]:
    """A generator that has written an hour of history."""
    made, stop = generator(), threading.Event()
    with Store(204) as store:
        thread = threading.Thread(target=made.run, args=(store.url, 1 / 24, 7, stop))
        thread.start()
        deadline = time.monotonic() + 30
        while made.live is None and time.monotonic() < deadline:
            time.sleep(0.02)
        yield made, store
        stop.set()
        thread.join()


def client(made: LoadGenerator) -> FlaskClient:
    return create_app(made).test_client()


def test_before_the_history_is_written_nothing_can_be_scraped_or_started() -> None:
    pages = client(generator())
    assert pages.get("/targets").json == []
    assert pages.get("/metrics").status_code == 503
    assert pages.post("/-/start").status_code == 503
    answer = pages.get("/-/ready")
    assert (answer.status_code, answer.json) == (503, {"progress": 0.0})


def test_after_it_the_targets_are_named_and_the_metrics_served(running: tuple[LoadGenerator, Store]) -> None:
    made, store = running
    pages = client(made)
    assert store.received > 60 * 1_000 * 18  # an hour of samples, 18 bytes each
    assert pages.get("/-/ready").json == {"progress": 1.0}
    assert [group["labels"] for group in pages.get("/targets").json or []] == [
        {"job": job, "instance": job} for job in (PLATFORM, GATEWAY)
    ]
    assert 'pipeline_executions_total{pipeline_id="billing-invoice-export"' in pages.get("/metrics").text


def test_incidents_begin_once(running: tuple[LoadGenerator, Store]) -> None:
    pages = client(running[0])
    first = pages.post("/-/start").json
    assert first is not None
    assert abs(first["started"] - time.time()) < 10
    assert pages.post("/-/start").json == first


def test_a_server_that_refuses_the_history_ends_the_generator() -> None:
    with Store(400) as store, pytest.raises(WriteRefused, match=r"must take samples\. Got 400"):
        generator().run(store.url, 1 / 24, 7, threading.Event())
