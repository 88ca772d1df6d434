"""The HTTP client against a server that misbehaves in every way."""

from __future__ import annotations

import base64
import gzip
import logging
import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sources.connection import Connection
from sources.errors import AnswerIncomplete, QueryRefused, QueryTooLarge, SourceError, SourceUnavailable
from sources.promql import PromqlClient
from tests.fakes.http_server import Answer, FakeServer, Handler, Request, always, header

OK = b'{"status":"success","data":{"resultType":"matrix","result":[]}}'
PATH = "/api/v1/query_range"


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@contextmanager
def client(url: str, clock: Clock | None = None, **settings: Any) -> Iterator[PromqlClient]:
    connection = Connection(url=url, **settings)
    one = PromqlClient(connection, clock=clock, sleep=clock.sleep) if clock else PromqlClient(connection)
    try:
        yield one
    finally:
        one.close()


def error(kind: str, text: str) -> bytes:
    return f'{{"status":"error","errorType":"{kind}","error":"{text}"}}'.encode()


def reset(handler: Handler, _: Request) -> None:
    """Half an answer, then a connection reset."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(OK)
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())


def hang_up(handler: Handler, _: Request) -> None:
    handler.close_connection = True


def chunks(handler: Handler, *parts: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for part in parts:
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
    handler.close_connection = True


def broken_gzip(handler: Handler, _: Request) -> None:
    handler.send(200, b"not packed", Content_Encoding="gzip")


def half_a_page(handler: Handler, _: Request) -> None:
    handler.send(503, b"we are do", Content_Length="99")
    handler.close_connection = True


HTML = b"<html><head><title>502 Bad Gateway</title></head></html>"

CASES: dict[str, tuple[Answer, type[SourceError], str]] = {
    "bad query": (always(400, error("bad_data", "1:3: parse error")), QueryRefused, "Got bad_data: 1:3: parse error."),
    "text 400": (always(400, b"nonsense\n", "text/plain"), QueryRefused, "200. Got 400 Bad Request: nonsense."),
    "resolution": (
        always(400, error("bad_data", "exceeded maximum resolution of 11,000 points per timeseries")),
        QueryTooLarge,
        "11,000 points",
    ),
    "no credentials": (
        always(401, b"Unauthorized\n", "text/plain"),
        QueryRefused,
        "401 Unauthorized: Unauthorized. Check",
    ),
    "forbidden": (always(403, error("forbidden", "no")), QueryRefused, "403 Forbidden: no. Check the credentials"),
    "no such page": (always(404, b"404 page not found\n", "text/plain"), QueryRefused, "without /api/v1"),
    "execution": (always(422, error("execution", "multiple matches")), QueryRefused, "execution: multiple matches"),
    "too many samples": (
        always(422, error("execution", "would load too many samples")),
        QueryTooLarge,
        "too many samples",
    ),
    "too many requests": (
        always(429, b"slow down", "text/plain"),
        SourceUnavailable,
        "429 Too Many Requests: slow down",
    ),
    "internal": (always(500, error("internal", "boom")), SourceUnavailable, "internal: boom"),
    "bad gateway": (always(502, HTML, "text/html"), SourceUnavailable, "Got 502 Bad Gateway, a web page."),
    "busy": (always(503, error("unavailable", "TSDB not ready")), SourceUnavailable, "TSDB not ready"),
    "nothing but 503": (always(503, b""), SourceUnavailable, "Got 503 Service Unavailable."),
    "half a page": (half_a_page, SourceUnavailable, "Got 503 Service Unavailable: we are do."),
    "odd pause": (always(503, b"", Retry_After="soon"), SourceUnavailable, "Got 503 Service Unavailable."),
    "teapot": (always(418, b""), QueryRefused, "Got 418"),
    "redirect": (always(302, b"", Location="https://u:p@sso/log?in=1"), QueryRefused, "302 Found to https://sso/log."),
    "not modified": (always(304, b""), QueryRefused, "304 Not Modified to nowhere."),
    "reset": (reset, AnswerIncomplete, "must send its whole answer. Got "),
    "cut chunks": (lambda handler, _: chunks(handler, OK[:20]), AnswerIncomplete, "whole answer. Got 20 bytes, then"),
    "broken gzip": (broken_gzip, AnswerIncomplete, "whole answer"),
    "too long": (always(200, OK * 100), QueryTooLarge, "at most 2000 bytes (max_body_bytes)"),
    "bomb": (
        lambda handler, _: handler.send(200, gzip.compress(b" " * 10_000_000), Content_Encoding="gzip"),
        QueryTooLarge,
        "max_body_bytes",
    ),
    "not HTTP": (lambda handler, _: handler.wfile.write(b"220 smtp ready\r\n") and None, SourceUnavailable, "220 smtp"),
    "hung up": (hang_up, SourceUnavailable, "must be reachable. Got Remote end closed connection"),
}


@pytest.mark.parametrize("case", CASES)
def test_every_failure_is_one_of_ours_in_one_line(case: str) -> None:
    answer, kind, says = CASES[case]
    with (
        FakeServer(answer) as server,
        client(server.url, retries=0, max_body_bytes=2000) as one,
        pytest.raises(SourceError) as caught,
    ):
        one.fetch('sum(rate(x{a="b"}[5m]))', PATH, {})
    assert type(caught.value) is kind
    assert says in str(caught.value)
    assert str(caught.value).startswith('query sum(rate(x{a="b"}[5m]))')
    assert "\n" not in str(caught.value)


def test_a_closed_port_and_an_unknown_name_are_unavailable() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    refused = rf"query up: http://127.0.0.1:{port}/prom must be reachable. Got Connection refused\.$"
    with client(f"http://127.0.0.1:{port}/prom", retries=0) as one, pytest.raises(SourceUnavailable, match=refused):
        one.fetch("up", PATH, {})
    with client("http://no-such-host.invalid", retries=0) as one, pytest.raises(SourceUnavailable, match="reachable"):
        one.fetch("up", PATH, {})


def test_a_server_that_says_nothing_is_too_slow() -> None:
    with FakeServer(lambda *_: time.sleep(1)) as server, client(server.url, timeout=0.2) as one:
        with pytest.raises(SourceUnavailable, match=r"must answer within 0\.2 s"):
            one.fetch("up", PATH, {})
        assert len(server.requests) == 1  # a slow query is not asked again


def test_a_server_that_drips_is_too_slow_as_a_whole() -> None:
    def drip(handler: Handler, _: Request) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(50):
            handler.wfile.write(b" ")
            time.sleep(0.05)

    with FakeServer(drip) as server, client(server.url, timeout=0.3) as one:
        started = time.monotonic()
        with pytest.raises(SourceUnavailable, match="within"):
            one.fetch("up", PATH, {})
        assert time.monotonic() - started < 2


def failing(times: int, status: int, **headers: str) -> Answer:
    left = [times]

    def answer(handler: Handler, _: Request) -> None:
        left[0] -= 1
        if left[0] >= 0:
            handler.send(status, b"", **headers)
        else:
            handler.send(200, OK)

    return answer


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_passes_is_tried_again_with_growing_pauses(status: int) -> None:
    clock = Clock()
    with FakeServer(failing(2, status)) as server, client(server.url, clock) as one:
        assert one.fetch("up", PATH, {}) == OK
    assert clock.pauses == [0.5, 1.0]


def test_a_dropped_connection_is_tried_again() -> None:
    clock, answers = Clock(), iter([hang_up, always(200, OK)])
    with FakeServer(lambda *given: next(answers)(*given)) as server, client(server.url, clock) as one:
        assert one.fetch("up", PATH, {}) == OK


@pytest.mark.parametrize("status", [400, 401, 404, 422, 500])
def test_what_stays_is_not_tried_again(status: int) -> None:
    clock = Clock()
    with FakeServer(failing(1, status)) as server, client(server.url, clock) as one, pytest.raises(SourceError):
        one.fetch("up", PATH, {})
    assert not clock.pauses


def test_the_server_may_ask_for_a_pause_but_not_for_a_long_one() -> None:
    clock = Clock()
    with FakeServer(failing(1, 429, Retry_After="7")) as server, client(server.url, clock) as one:
        one.fetch("up", PATH, {})
    assert clock.pauses == [7]
    with (
        FakeServer(failing(1, 503, Retry_After="3600")) as server,
        client(server.url, clock) as one,
        pytest.raises(SourceUnavailable) as caught,
    ):
        one.fetch("up", PATH, {})
    assert caught.value.retry_after == 3600
    assert clock.pauses == [7]


def test_pauses_end_with_the_time_out() -> None:
    clock = Clock()
    with (
        FakeServer(failing(99, 503)) as server,
        client(server.url, clock, timeout=5, retries=9) as one,
        pytest.raises(SourceUnavailable),
    ):
        one.fetch("up", PATH, {})
    assert clock.pauses == [0.5, 1.0, 2.0]


def test_a_form_is_posted_and_plain_bytes_are_asked_for() -> None:
    with FakeServer(always(200, OK)) as server, client(server.url, params={"dedup": "true"}) as one:
        assert one.fetch("up", PATH, {"query": 'up{a="ü&="}'}) == OK
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", PATH)
    assert request.params == {"query": 'up{a="ü&="}', "dedup": "true"}
    assert header(request, "Accept-Encoding") == "identity"
    assert header(request, "User-Agent") == "forethought"


def test_get_and_gzip_are_used_where_asked_for() -> None:
    answer = always(200, gzip.compress(OK), Content_Encoding="gzip")
    with FakeServer(answer) as server, client(server.url + "/prefix/", method="GET", compression=True) as one:
        assert one.fetch("up", PATH, {"query": "up"}) == OK
    (request,) = server.requests
    assert (request.method, request.path, request.params) == ("GET", "/prefix" + PATH, {"query": "up"})
    assert header(request, "Accept-Encoding") == "gzip"


def test_a_connection_is_kept_and_a_chunked_body_is_whole() -> None:
    def answer(handler: Handler, _: Request) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for part in (OK[:7], OK[7:], b""):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))

    with FakeServer(answer) as server, client(server.url) as one:
        assert [one.fetch("up", PATH, {}) for _ in range(3)] == [OK] * 3
    assert len({request.port for request in server.requests}) == 1


def test_credentials_are_read_for_every_request(tmp_path: Path) -> None:
    token, password = tmp_path / "token", tmp_path / "password"
    token.write_text("one\n")
    password.write_text("pässword\n")
    with FakeServer(always(200, OK)) as server:
        with client(server.url, bearer_token_file=token, headers={"X-Scope-OrgID": "acme"}) as one:
            one.fetch("up", PATH, {})
            token.write_text("two")
            one.fetch("up", PATH, {})
        with client(server.url, username="me", password_file=password) as one:
            one.fetch("up", PATH, {})
    basic = "Basic " + base64.b64encode("me:pässword".encode()).decode()
    assert [header(request, "Authorization") for request in server.requests] == ["Bearer one", "Bearer two", basic]
    assert header(server.requests[0], "X-Scope-OrgID") == "acme"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "must be readable. Got No such file or directory."),
        (b"", "must not be empty"),
        (b"secret\nsecond secret", "must hold one token"),
        ("sécret".encode(), "must hold one token"),
        (b"secret\xff", "must be text in UTF-8"),
    ],
)
def test_unreadable_credentials_are_told_without_showing_them(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with (
        FakeServer(always(200, OK)) as server,
        client(server.url, bearer_token_file=path) as one,
        pytest.raises(SourceUnavailable) as caught,
    ):
        one.fetch("up", PATH, {})
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert "cret" not in str(caught.value)


def test_the_environment_has_no_say_unless_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login thief password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with FakeServer(always(200, OK)) as server:
        with client(server.url) as one:
            one.fetch("up", PATH, {})
        with client(server.url, trust_env=True, retries=0) as one, pytest.raises(SourceUnavailable):
            one.fetch("up", PATH, {})
    assert header(server.requests[0], "Authorization") is None


def test_a_query_that_is_no_unicode_is_refused() -> None:
    with client("http://127.0.0.1:1") as one, pytest.raises(QueryRefused, match="Unicode"):
        one.fetch("up", PATH, {"query": "up\ud800"})


def test_nothing_secret_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    token = tmp_path / "token"
    token.write_text("hush")
    caplog.set_level(logging.DEBUG)
    settings = {"bearer_token_file": token, "headers": {"X-Key": "hush"}}
    with (
        FakeServer(always(503, b"")) as server,
        client(server.url, Clock(), **settings) as one,
        pytest.raises(SourceUnavailable) as caught,
    ):
        one.fetch("up", PATH, {})
    assert "hush" not in repr(one.connection)
    assert "hush" not in caplog.text + str(caught.value)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"url": "prometheus:9090"}, "url must be http://... or https://..."),
        ({"url": "ftp://host"}, "Got 'ftp://host'"),
        ({"url": "http://u:secret@host"}, "url must not hold credentials. Got some in 'http://host'"),
        ({"method": "PUT"}, "method must be GET or POST. Got 'PUT'"),
        ({"timeout": 0}, "timeout must be above 0. Got 0"),
        ({"retries": -1}, "retries must be 0 or more. Got -1"),
        ({"username": "me"}, "username and password_file"),
        ({"cert_file": Path("c")}, "cert_file and key_file"),
        ({"username": "a", "password_file": Path("p"), "bearer_token_file": Path("t")}, "not be given together"),
        ({"headers": {"X-A": "secret\r\nX-B: 1"}}, "headers must be of printable ASCII"),
    ],
)
def test_a_bad_setting_is_refused_by_name(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError) as caught:
        Connection(**{"url": "http://host", **settings})
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)
