"""What can stop a pull.

    SourceError
     +-- SourceUnavailable   try again: no connection, time-out, 429, 5xx
     +-- QueryRefused        do not: 400, 401, 403, 404, 422, a scalar, too many series
     |    +-- QueryTooLarge  a shorter range may pass: too many samples, too many points, too large a body
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
    status : int or None
        HTTP status of the answer, where one came.
    reason : str
        A short, closed word for metrics: ``unavailable``, ``refused`` or ``incomplete``.
    """

    reason = "failed"

    def __init__(self, query: str, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.query = query
        self.status = status


class SourceUnavailable(SourceError):
    """The server cannot answer now; a later try may succeed.

    Attributes
    ----------
    repeat : bool
        True where the very next try may succeed, so that it is made at once.
    retry_after : float or None
        Seconds the server asks to wait.
    timed_out : bool
        True where an answer did not come in time.
    """

    reason = "unavailable"

    def __init__(
        self,
        query: str,
        message: str,
        *,
        status: int | None = None,
        repeat: bool = False,
        retry_after: float | None = None,
        timed_out: bool = False,
    ) -> None:
        super().__init__(query, message, status=status)
        self.repeat = repeat
        self.retry_after = retry_after
        self.timed_out = timed_out


class QueryRefused(SourceError):
    """The server, or a limit of ours, refuses this query; asking again changes nothing."""

    reason = "refused"


class QueryTooLarge(QueryRefused):
    """The answer would be larger than the server, or a limit of ours, allows; a shorter range may pass."""


class AnswerIncomplete(SourceError):
    """An answer came, but not a whole one; none of it is used."""

    reason = "incomplete"


def shorten(text: str, most: int = 120) -> str:
    """One line of at most `most` characters, for a message."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
