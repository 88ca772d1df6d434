"""HTTP: metrics, health, reload, and the page for people. No request pulls, fits or waits for a cycle."""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass
from io import BytesIO
from typing import Self

import structlog
import waitress
from flask import Blueprint, Flask, Response, request
from waitress.server import BaseWSGIServer, MultiSocketServer
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.wsgi import wrap_file

from exporter.config_file import ConfigError
from exporter.page import gzip_member
from exporter.service import Service
from exporter.status import status_page

log = structlog.get_logger("forethought.http")

_LAST_WORDS = 1.0
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class AddressError(Exception):
    """The listen address cannot be used."""


@dataclass(frozen=True)
class ListenAddress:
    """Where the HTTP server listens.

    Examples
    --------
    >>> ListenAddress.parse(":9815"), ListenAddress.parse("[::1]:80")
    (ListenAddress(host='0.0.0.0', port=9815), ListenAddress(host='::1', port=80))
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``host:port``; no host means every interface.

        Raises
        ------
        ValueError
            Where the text is no such address.
        """
        host, colon, port = text.rpartition(":")
        if not colon or not port.isdecimal() or int(port) > 65_535:
            raise ValueError(f"must be HOST:PORT, such as 127.0.0.1:9815 or :9815. Got {text!r}.")
        return cls(host.strip("[]") or "0.0.0.0", int(port))  # noqa: S104 - what an empty host means everywhere

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def make_app(service: Service, *rooms: Blueprint) -> Flask:
    """Put the service's answers behind their addresses; `rooms` add theirs."""
    app = Flask(__name__, static_folder=None)

    @app.get("/metrics")
    def metrics() -> Response:
        shard = _shard(request.args.get("shard"), service.page.shards)
        # What the process says of itself is on the first shard only, as no series may be scraped twice.
        own = b"" if shard else service.telemetry.render()
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body = service.page.compressed(shard) + gzip_member([own])
            return _page(body, {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})
        return _page(service.page.body(shard) + own, {})

    @app.get("/-/healthy")
    def healthy() -> Response:
        return _plain("forethought is healthy.")

    @app.get("/-/ready")
    def ready() -> Response:
        if waiting := service.waiting:
            return _plain(f"Not ready: first cycle under way for {', '.join(waiting)}.", status=503)
        return _plain("forethought is ready.")

    @app.route("/-/reload", methods=["POST", "PUT"])
    def reload() -> Response:
        try:
            service.reload()
        except ConfigError as error:
            return _plain(f"Configuration refused; the old one runs on.\n{error}", status=500)
        return _plain("Configuration reloaded.")

    @app.get("/")
    def landing() -> Response:
        return Response(status_page(service), content_type="text/html; charset=utf-8")

    for room in rooms:
        app.register_blueprint(room)
    _answer_errors(app)
    return app


def _shard(text: str | None, count: int) -> int | None:
    if text is None:
        return None
    if text not in map(str, range(count)):
        raise BadRequest(f"shard must be a number from 0 to {count - 1} (output.shards is {count}). Got {text!r:.50}.")
    return int(text)


def _page(body: bytes, headers: dict[str, str]) -> Response:
    # As a file, for waitress copies anything else through a temporary one.
    headers |= {"Content-Length": str(len(body))}
    return Response(
        wrap_file(request.environ, BytesIO(body)), content_type=_TEXT, headers=headers, direct_passthrough=True
    )


def _answer_errors(app: Flask) -> None:
    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        said = error.description if isinstance(error, BadRequest) else f"{request.method} {request.path}"
        return _plain(f"{error.code} {error.name}: {said}", status=error.code or 500)

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Response:
        log.error("request broke", path=request.path, exc_info=error)
        return _plain("500 Internal Server Error: see the log.", status=500)


def _plain(text: str, status: int = 200) -> Response:
    return Response(text + "\n", status=status, content_type="text/plain; charset=utf-8")


class WebServer:
    """Serves an app on an address, in threads of its own.

    Raises
    ------
    AddressError
        Where the address is taken or not ours.
    """

    def __init__(self, app: Flask, address: ListenAddress) -> None:
        listener = _listen(address)
        self._server: BaseWSGIServer | MultiSocketServer = waitress.create_server(
            app, sockets=[listener], threads=8, ident=None, clear_untrusted_proxy_headers=True
        )
        self.port: int = listener.getsockname()[1]
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more; requests under way have `_LAST_WORDS` seconds to end."""
        self._stopping = True
        self._server.task_dispatcher.shutdown(timeout=_LAST_WORDS)
        self._server.close()

    def _serve(self) -> None:
        try:
            self._server.run()
        except OSError:  # the sockets it waits for are closed by another thread
            if not self._stopping:
                raise


def _listen(address: ListenAddress) -> socket.socket:
    try:
        family = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((address.host, address.port), family=family)
    except (OSError, UnicodeError) as error:
        # create_server appends the address to the system's own words.
        number = error.errno if isinstance(error, OSError) else None
        reason = os.strerror(number) if number and number > 0 else str(error)
        raise AddressError(f"--web.listen-address: cannot listen on {address}: {reason}. Name a free one.") from error
