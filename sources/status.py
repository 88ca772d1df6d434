"""From an HTTP answer other than 200 to the error it stands for."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import urllib3

from sources.connection import shown_url
from sources.errors import QueryRefused, SourceError, SourceUnavailable, shorten
from sources.frame import Envelope, read_envelope
from sources.refusal import refusal

# A proxy or a busy server says these; the next try may meet another one.
_REPEAT = frozenset({429, 502, 503, 504})
_HINTS = {
    401: "Check the credentials of the source",
    403: "Check the credentials of the source, and what they allow",
    404: "The url must be that of the server, with its path prefix (Mimir: /prometheus) and without /api/v1",
    405: "Try the other method, POST or GET",
    413: "Try method GET, or a shorter query",
    414: "Try method POST",
}


def error_of_status(
    query: str, asked: str, status: int, reason: str | None, headers: Mapping[str, str], body: bytes
) -> SourceError:
    """Choose the error class by the server's own words where it has some, else by the status.

    Parameters
    ----------
    query : str
    asked : str
        Who was asked what, as the start of the message.
    status : int
    reason : str or None
        The status in words.
    headers : mapping of str to str
        Of the answer; looked up without regard to case.
    body : bytes
        The start of the answer.
    """
    got = f"Got {status} {shorten(reason or '', 40)}".rstrip()
    if 300 <= status < 400:
        target = shown_url(headers.get("Location", ""))
        return QueryRefused(query, f"{asked} must answer itself. {got} to {target or 'nowhere'}.", status=status)
    said = _said(body)
    if said and status not in _HINTS:
        error = refusal(query, said.error_type, said.error, status)
    else:
        message = f"{asked} must answer with 200. {got}{_text(said, body, headers)}.{_hint(status)}"
        passing = status in (408, 425, 429) or status >= 500
        error = (SourceUnavailable if passing else QueryRefused)(query, message, status=status)
    if isinstance(error, SourceUnavailable):
        error.repeat = status in _REPEAT
        error.retry_after = _seconds(headers.get("Retry-After"))
    return error


def _said(body: bytes) -> Envelope | None:
    try:
        envelope = read_envelope(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return envelope if envelope.status == "error" else None


def _text(said: Envelope | None, body: bytes, headers: Mapping[str, str]) -> str:
    if said:
        return f": {shorten(said.error, 200)}"
    text = body[:1000].decode("utf-8", "replace").strip()
    if text.startswith("<") or "html" in headers.get("Content-Type", ""):
        return ", a web page"
    return f": {shorten(text, 200).rstrip('.')}" if text else ""


def _hint(status: int) -> str:
    return f" {_HINTS[status]}." if status in _HINTS else ""


def _seconds(retry_after: str | None) -> float | None:
    if retry_after is None:
        return None
    try:
        return urllib3.Retry(0).parse_retry_after(retry_after)
    except urllib3.exceptions.InvalidHeader:
        return None
