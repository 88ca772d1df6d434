"""Remote write bodies, read back by a plain decoder."""

import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pyarrow
import pytest

from demo.remote_write import WriteRefused, encode, snappy, write

Series = tuple[dict[str, str], list[tuple[int, float]]]


def varint(body: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (body[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if body[at - 1] < 0x80:
            return number, at


def fields(body: bytes) -> list[tuple[int, bytes | int]]:
    """Fields of one protobuf message: number and content."""
    found: list[tuple[int, bytes | int]] = []
    at = 0
    while at < len(body):
        tag, at = varint(body, at)
        if tag & 7 == 2:
            length, at = varint(body, at)
            found.append((tag >> 3, body[at : at + length]))
            at += length
        elif tag & 7 == 1:
            found.append((tag >> 3, body[at : at + 8]))
            at += 8
        else:
            number, at = varint(body, at)
            found.append((tag >> 3, number))
    return found


def decode(body: bytes) -> list[Series]:
    """A WriteRequest, by the letter of the protocol."""
    series = []
    for _, one in fields(body):
        labels, samples = {}, []
        for number, part in fields(one):
            inner = dict(fields(part))
            if number == 1:
                labels[inner[1].decode()] = inner[2].decode()
            else:
                samples.append((inner[2], struct.unpack("<d", inner[1])[0]))
        series.append((labels, samples))
    return series


class Recorder(ThreadingHTTPServer):
    """A server that keeps the bodies it gets and answers with one status."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.bodies: list[bytes] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/api/v1/write"

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.server.status)
        text = b"" if self.server.status == 204 else b"what I think"
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def test_what_is_written_reads_back_exactly() -> None:
    labels = [{"__name__": "a_total", "job": "x"}, {"__name__": "b", "text": 'Größe "1"'}, {"__name__": "c"}]
    times = 1_795_219_200.0 + 0.25 * np.arange(1_000)
    values = np.random.default_rng(1).normal(size=(3, 1_000)) * 1e9
    values[0, :3] = 0.0, -0.0, np.inf
    with Recorder(204) as server:
        write(server.url, labels, times, values)
        read: dict[str, list[tuple[int, float]]] = {}
        for body in server.bodies:
            for found, samples in decode(pyarrow.decompress(body, _size(body), "snappy", asbytes=True)):
                assert found in labels
                read.setdefault(found["__name__"], []).extend(samples)
    for row, name in enumerate(("a_total", "b", "c")):
        assert [time for time, _ in read[name]] == [round(1_000 * time) for time in times]
        np.testing.assert_array_equal([value for _, value in read[name]], values[row])


def _size(body: bytes) -> int:
    return varint(body, 0)[0]


@pytest.mark.parametrize("length", [0, 1, 60, 70_000, (1 << 24) + 5])
def test_a_snappy_reader_unpacks_every_length(length: int) -> None:
    body = bytes(range(256)) * (length // 256 + 1)
    assert pyarrow.decompress(snappy(body[:length]), length, "snappy", asbytes=True) == body[:length]


def test_labels_stand_in_the_order_of_their_names() -> None:
    with Recorder(200) as server:
        write(server.url, [{"z": "1", "__name__": "m", "a": "2"}], np.array([1.0e9]), np.array([[1.0]]))
        bodies = [pyarrow.decompress(body, _size(body), "snappy", asbytes=True) for body in server.bodies]
    assert [list(labels) for body in bodies for labels, _ in decode(body)] == [["__name__", "a", "z"]]


def test_an_empty_request_is_empty() -> None:
    assert encode([], np.array([1.0]), np.zeros((0, 1))) == b""


def test_a_refusal_says_what_the_server_said() -> None:
    with Recorder(400) as server, pytest.raises(WriteRefused, match="Got 400: what I think"):
        write(server.url, [{"__name__": "m"}], np.array([1.0e9]), np.array([[1.0]]))
