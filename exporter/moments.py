"""Instants as people and Prometheus' API write them."""

from __future__ import annotations

import datetime as dt
import math


def read_moment(text: str) -> float:
    """Seconds since the epoch from a number of them or an ISO 8601 time, UTC where it names no zone.

    Raises
    ------
    ValueError
        For anything else.

    Examples
    --------
    >>> read_moment("1782788400.5"), read_moment("2026-06-30T03:00:00Z"), read_moment("2026-06-30 05:00+02:00")
    (1782788400.5, 1782788400.0, 1782788400.0)
    """
    try:
        seconds = float(text)
    except ValueError:
        return _of_iso(text)
    if not math.isfinite(seconds):
        raise ValueError(f"must be a time such as 2026-11-20T03:00:00Z or seconds since 1970. Got {text!r:.50}.")
    return seconds


def written_moment(time: float) -> str:
    """ISO 8601 in UTC, to the second.

    Examples
    --------
    >>> written_moment(1782788400.9)
    '2026-06-30T03:00:00Z'
    """
    return dt.datetime.fromtimestamp(int(time), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _of_iso(text: str) -> float:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(
            f"must be a time such as 2026-11-20T03:00:00Z or seconds since 1970. Got {text!r:.50}."
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
