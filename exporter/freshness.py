"""Whether what a query found last is still the present."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Freshness:
    """How old the results of a query are, and why.

    Attributes
    ----------
    withdrawn : float or None
        When its results left /metrics, seconds since the epoch; None while they are there, and before the first.
    failing_since : float or None
        When the first of the cycles failed that have failed since the last success; None where the last one did not.
    problem : str
        Why it fails, in one line; may be empty.
    """

    withdrawn: float | None = None
    failing_since: float | None = None
    problem: str = ""


FRESH = Freshness()
"""Of a query whose results are the present, as far as there are some."""
