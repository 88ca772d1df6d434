"""An HTTP server that answers as a test wants."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    port: int
    body: bytes


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def log_message(self, *_: object) -> None:
        pass

    def send(self, status: int, body: bytes, content_type: str = "application/json", **headers: str) -> None:
        """Send a whole answer."""
        self.send_response(status)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Type": content_type, "Content-Length": str(len(body)), **named}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _serve(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        form = body.decode() if self.headers.get_content_type() == "application/x-www-form-urlencoded" else ""
        params = dict(parse_qsl(form or parts.query, keep_blank_values=True))
        request = Request(self.command, parts.path, params, dict(self.headers), self.client_address[1], body)
        self.server.requests.append(request)
        self.server.answer(self, request)


Answer = Callable[[Handler, Request], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    requests: list[Request]
    answer: Answer

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is part of the tests."""


class FakeServer:
    """Serves on a free port until the block ends.

    Parameters
    ----------
    answer : callable
        Sends the answer to each request.
    tls : ssl.SSLContext or None
    """

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None) -> None:
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.requests, self._server.answer = [], answer
        self._scheme = "http"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def requests(self) -> list[Request]:
        """What came, in order."""
        return self._server.requests

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def always(status: int, body: bytes, content_type: str = "application/json", **headers: str) -> Answer:
    """The same answer to every request."""
    return lambda handler, _: handler.send(status, body, content_type, **headers)


def header(request: Request, name: str) -> str | None:
    """A header of a request, without regard to case."""
    lower: Mapping[str, str] = {key.lower(): value for key, value in request.headers.items()}
    return lower.get(name.lower())
