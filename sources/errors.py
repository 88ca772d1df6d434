"""What can stop a pull.

    SourceError
     +-- SourceUnavailable   try again: no connection, time-out, 429, 5xx
     +-- QueryRefused        do not: 400, 401, 403, 404, 422, a scalar, too many series
     +-- AnswerIncomplete    the answer ended early, is not what the API promises, or misses parts

Messages say what must be, then what was got; the facts are attributes too.
"""

from __future__ import annotations


class SourceError(Exception):
    """A pull that gave no usable answer.

    Attributes
    ----------
    query : str
        The PromQL expression, or the path of a file.
    reason : str
        A short, closed word for metrics: ``unavailable``, ``refused`` or ``incomplete``.
    """

    reason = "failed"

    def __init__(self, query: str, message: str) -> None:
        super().__init__(message)
        self.query = query


class SourceUnavailable(SourceError):
    """The server cannot answer now; a later try may succeed."""

    reason = "unavailable"


class QueryRefused(SourceError):
    """The server, or a limit of ours, refuses this query; asking again changes nothing."""

    reason = "refused"


class AnswerIncomplete(SourceError):
    """An answer came, but not a whole one; none of it is used."""

    reason = "incomplete"
