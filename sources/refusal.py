"""From what a server says to the error it stands for."""

from __future__ import annotations

import re

from sources.errors import AnswerIncomplete, QueryRefused, QueryTooLarge, SourceError, SourceUnavailable, shorten
from sources.frame import Body, Envelope

# Error types of Prometheus' API that tell of the server's state, not of the query (web/api/v1/api.go).
_PASSING = frozenset({"timeout", "canceled", "internal", "unavailable"})
# Limits on the size of an answer, in the words of Prometheus, Thanos, Mimir and VictoriaMetrics.
_TOO_LARGE = re.compile(
    r"too many (samples|points)|maximum (resolution|number of samples)|maxPointsPerTimeseries|max-?samples"
    r"|exceeded (samples|chunks) limit|err-mimir-max-(estimated-)?(chunks|memory|query-length|total-query-length)"
    r"|not enough memory for processing",
    re.IGNORECASE,
)
_HINTS = {
    "scalar": "Wrap it in vector(...)",
    "string": "A string has no samples",
    "vector": "Ask for a range, not for an instant",
    "matrix": "Take the range selector [...] away, or wrap it in a function such as rate(...)",
}


def check_envelope(query: str, envelope: Envelope, wanted: str = "matrix", *, takes_partial: bool = False) -> None:
    """Refuse what is not a successful, whole answer of the wanted type.

    Raises
    ------
    QueryRefused
        Where the server refused the query, or gives another type of result.
    SourceUnavailable
        Where the server could not evaluate the query now.
    AnswerIncomplete
        For a partial answer that may not be taken, and for JSON that is not of this API.
    """
    asked = f"query {shorten(query)}"
    if envelope.status == "error":
        raise refusal(query, envelope.error_type, envelope.error)
    if envelope.status != "success" or envelope.data is None:
        raise AnswerIncomplete(query, f"{asked}: status must be success or error. Got {envelope.status[:40]!r}.")
    if envelope.is_partial and not takes_partial:
        raise AnswerIncomplete(query, f"{asked} must be answered by all storage nodes. Got a partial answer.")
    given = envelope.data.result_type
    if given != wanted:
        hint = _HINTS.get(given, "Is this the address of a Prometheus API?")
        raise QueryRefused(query, f"{asked} must give a {wanted}. Got a {given or 'result without type'}. {hint}.")


def refusal(query: str, error_type: str, error: str, status: int | None = None) -> SourceError:
    """The error that a server's own words stand for."""
    message = f"query {shorten(query)} must succeed. Got {error_type or status}: {shorten(error, 300)}."
    if _TOO_LARGE.search(error):
        return QueryTooLarge(query, message, status=status)
    if error_type in _PASSING or status == 429 or (status or 0) >= 500:
        return SourceUnavailable(query, message, status=status)
    return QueryRefused(query, message, status=status)


def not_an_answer(query: str, body: Body, error: Exception) -> AnswerIncomplete:
    """Say what came in place of an answer."""
    asked = f"query {shorten(query)} must be answered by whole JSON of the Prometheus API"
    start = bytes(body[:200]).lstrip()
    if not start:
        return AnswerIncomplete(query, f"{asked}. Got nothing.")
    if start.startswith(b"<"):
        return AnswerIncomplete(query, f"{asked}. Got a web page: does the URL lead to a log-in or a proxy?")
    if "truncated" in str(error):
        return AnswerIncomplete(query, f"{asked}. Got {len(body)} bytes that end early.")
    excerpt = shorten(start.decode("utf-8", "replace"), 60)
    return AnswerIncomplete(query, f"{asked}. Got {excerpt!r} ({shorten(str(error), 100)}).")
