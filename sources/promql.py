"""The one HTTP client: requests over the session of prometheus-api-client, whole bodies, our errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.client import HTTPException

import requests
import urllib3
from prometheus_api_client import PrometheusConnect

from sources.budget import Gate, Pace
from sources.connection import Connection, CredentialsUnreadable, connect, shown_url
from sources.errors import AnswerIncomplete, QueryRefused, QueryTooLarge, SourceUnavailable, shorten
from sources.status import error_of_status

_CHUNK = 1 << 20
# Enough of an error page to find its message.
_ERROR_BYTES = 1 << 16
_LIBRARY_ERRORS = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    HTTPException,
    OSError,
    ValueError,
)


class PromqlClient:
    """Asks one server. Thread-safe.

    Parameters
    ----------
    connection : Connection
    gate : Gate or None
        Says when a request may start; by default up to 4 at once, fewer while the server is slow or busy.
    clock, sleep : callables
        Monotonic seconds, and waiting for some.

    Attributes
    ----------
    api : PrometheusConnect
        The same session, for the calls of prometheus-api-client.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        gate: Gate | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.connection = connection
        self.api: PrometheusConnect = connect(connection)
        self._session: requests.Session = self.api._session
        self._clock = clock
        self._sleep = sleep
        self._gate = gate or Gate(Pace(), clock=clock)

    def fetch(self, query: str, path: str, params: Mapping[str, str], *, method: str | None = None) -> bytearray:
        """Ask, and read the whole body.

        Redirects are refused, so that credentials and tenant headers reach no other host.

        Parameters
        ----------
        query : str
            For messages.
        path : str
            Of the API, such as ``/api/v1/query_range``.
        params : mapping of str to str
            In the form or the URL, by `method`.
        method : str or None
            In place of the connection's.

        Raises
        ------
        SourceUnavailable, QueryRefused, AnswerIncomplete
            See `sources.errors`. Nothing else escapes.
        """
        deadline = self._clock() + self.connection.timeout
        attempt = 0
        while True:
            try:
                return self._attempt(query, path, params, method or self.connection.method, deadline)
            except SourceUnavailable as error:
                pause = self._pause(error, attempt)
                if pause is None or self._clock() + pause >= deadline:
                    raise
            self._sleep(pause)
            attempt += 1

    def close(self) -> None:
        """Give the connections back."""
        self._gate.close()
        self.api.close()

    def _pause(self, error: SourceUnavailable, attempt: int) -> float | None:
        """Seconds before the next attempt, or None where there is none."""
        if attempt == self.connection.retries or not error.repeat:
            return None
        if error.retry_after is not None:
            return error.retry_after if error.retry_after <= self.connection.max_backoff else None
        return min(self.connection.max_backoff, self.connection.backoff * 2.0**attempt)

    def _attempt(self, query: str, path: str, params: Mapping[str, str], method: str, deadline: float) -> bytearray:
        asked = f"query {shorten(query)}: {shown_url(self.connection.url)}"
        with self._gate.turn(query, asked, deadline):
            return self._ask(query, asked, path, params, method, deadline)

    def _ask(
        self, query: str, asked: str, path: str, params: Mapping[str, str], method: str, deadline: float
    ) -> bytearray:
        url = self.connection.address(path)
        everything = {**self.connection.params, **params}
        left = max(deadline - self._clock(), 0.001)
        try:
            response = self._session.request(
                method,
                url,
                data=everything if method == "POST" else None,
                params=everything if method == "GET" else None,
                timeout=(min(self.connection.connect_timeout, left), left),
                stream=True,
                allow_redirects=False,
            )
        except CredentialsUnreadable as error:
            raise SourceUnavailable(query, f"{asked}: {error}") from error
        except requests.ReadTimeout as error:
            raise self._too_slow(query, asked) from error
        except UnicodeError as error:
            raise QueryRefused(query, f"{asked} can only be asked in Unicode. Got half a surrogate pair.") from error
        except _LIBRARY_ERRORS as error:
            repeat = isinstance(error, requests.ConnectionError) and not isinstance(error, requests.exceptions.SSLError)
            raise SourceUnavailable(query, f"{asked} must be reachable. Got {_cause(error)}.", repeat=repeat) from error
        with response:
            if response.status_code != HTTPStatus.OK:
                body = self._start(response, deadline)
                raise error_of_status(query, asked, response.status_code, response.reason, response.headers, body)
            return self._read(query, asked, response, deadline)

    def _read(self, query: str, asked: str, response: requests.Response, deadline: float) -> bytearray:
        body = bytearray()
        most = self.connection.max_body_bytes
        try:
            while chunk := response.raw.read1(_CHUNK, decode_content=True):
                body += chunk
                if len(body) > most:
                    raise QueryTooLarge(
                        query, f"{asked} may answer with at most {most} bytes (max_body_bytes). Got more."
                    )
                if self._clock() > deadline:
                    raise self._too_slow(query, asked)
        except urllib3.exceptions.ReadTimeoutError as error:
            raise self._too_slow(query, asked) from error
        except _LIBRARY_ERRORS as error:
            got = f"{len(body)} bytes, then {_cause(error)}"
            raise AnswerIncomplete(query, f"{asked} must send its whole answer. Got {got}.") from error
        return body

    def _start(self, response: requests.Response, deadline: float) -> bytes:
        """The start of an error page, as much as came."""
        start = b""
        try:
            while len(start) < _ERROR_BYTES and self._clock() < deadline:
                chunk = response.raw.read1(_ERROR_BYTES, decode_content=True)
                if not chunk:
                    break
                start += chunk
        except _LIBRARY_ERRORS:  # the status says enough
            pass
        return start

    def _too_slow(self, query: str, asked: str) -> SourceUnavailable:
        message = f"{asked} must answer within {self.connection.timeout:g} s. It did not."
        return SourceUnavailable(query, message, timed_out=True)


def _cause(error: BaseException) -> str:
    """The innermost reason, in its own words."""
    seen = {id(error)}
    while (inner := _inner(error)) is not None and id(inner) not in seen:
        error = inner
        seen.add(id(error))
    said = getattr(error, "verify_message", None) or getattr(error, "strerror", None) or str(error)
    return shorten(str(said) or type(error).__name__, 160).rstrip(".")


def _inner(error: BaseException) -> BaseException | None:
    candidates = (getattr(error, "reason", None), error.__cause__, error.__context__, *error.args)
    return next((inner for inner in candidates if isinstance(inner, BaseException)), None)
