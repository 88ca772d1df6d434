"""One attempt to write to a server, and what its answer means."""

from __future__ import annotations

from http.client import HTTPException

import requests
import urllib3

from sources.connection import Connection, CredentialsUnreadable, connect, shown_url
from sources.errors import shorten

_HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
# Enough of an error page to find its message.
_ERROR_BYTES = 4_096
_LIBRARY_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError)


class WriteRefused(Exception):
    """The server will never take this request."""


class WriteUnavailable(Exception):
    """The server does not take it now.

    Attributes
    ----------
    retry_after : float
        Seconds the server wants to be left alone for.
    """

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class WriteClient:
    """Sends bodies to one server.

    Parameters
    ----------
    connection : Connection
        Its url is the whole address.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.shown_url = shown_url(connection.url)
        self._api = connect(connection)
        self._session: requests.Session = self._api._session

    def send(self, body: bytes, timeout: float) -> None:
        """Send once. Redirects are not followed, so that credentials reach no other host.

        Parameters
        ----------
        body : bytes
        timeout : float
            Seconds to connect, and between two parts of the answer.

        Raises
        ------
        WriteUnavailable
            For 429, 500 and above, and where there is no answer: try again.
        WriteRefused
            For any other answer but success: do not.
        """
        limits = (min(self.connection.connect_timeout, timeout), timeout)
        try:
            with self._session.post(
                self.connection.url, data=body, headers=_HEADERS, timeout=limits, stream=True, allow_redirects=False
            ) as answer:
                start = answer.raw.read(_ERROR_BYTES, decode_content=True)
                _judge(answer, start)
        except CredentialsUnreadable as error:
            raise WriteUnavailable(str(error)) from error
        except _LIBRARY_ERRORS as error:
            raise WriteUnavailable(f"must be reachable. Got {_innermost(error)}.") from error

    def close(self) -> None:
        """Give the connections back."""
        self._api.close()


def _judge(answer: requests.Response, start: bytes) -> None:
    status = answer.status_code
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        target = shown_url(answer.headers.get("Location", ""))
        raise WriteRefused(f"must take samples itself. Got {status} to {target or 'nowhere'}.")
    said = shorten(start.decode("utf-8", "replace"), 200).rstrip(".")
    message = f"must take samples. Got {status}{': ' if said else ''}{said}."
    if status == 429 or status >= 500:
        raise WriteUnavailable(message, _seconds(answer.headers.get("Retry-After")))
    raise WriteRefused(message)


def _seconds(retry_after: str | None) -> float:
    try:
        return urllib3.Retry(0).parse_retry_after(retry_after) if retry_after else 0.0
    except urllib3.exceptions.InvalidHeader:
        return 0.0


def _innermost(error: BaseException) -> str:
    """What the system said: the messages around it hold the whole URL."""
    while error.__context__ is not None:
        error = error.__context__
    return str(getattr(error, "strerror", None) or type(error).__name__)
