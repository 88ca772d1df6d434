"""What a request for a forecast may say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self, cast

from exporter.duration import Duration
from series.matcher import Matcher, parse_matchers

MOST_STEPS = 10_000
Per = Literal["second", "step"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request for a forecast.

    Attributes
    ----------
    query : str
        Name of a query.
    matchers : tuple of Matcher
        Of the labels as published.
    steps : int or None
        How many; None for as many as `horizon` holds.
    horizon : Duration or None
        How far; None for the longest that is configured.
    coverage : float or None
        Of the intervals; None for what is configured.
    per : "second" or "step"
        What a value adds to a total: itself for each second, as a rate does, or for each step, as a count does.
    """

    query: str
    matchers: tuple[Matcher, ...] = ()
    steps: int | None = None
    horizon: Duration | None = None
    coverage: float | None = None
    per: Per = "second"

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Self:
        """Read the parameters of an address.

        Raises
        ------
        ValueError
            For a parameter that is not known, or cannot be.
        """
        if unknown := sorted(set(given) - {"query", "series", "steps", "horizon", "coverage", "per"}):
            raise ValueError(
                f"parameters must be query, series, steps, horizon, coverage or per. Got {unknown[0]!r:.50}."
            )
        if "steps" in given and "horizon" in given:
            raise ValueError("steps and horizon must not be given together.")
        if (per := given.get("per", "second")) not in ("second", "step"):
            raise ValueError(f"per must be second or step. Got {per!r:.50}.")
        return cls(
            query=query_of(given),
            matchers=parse_matchers(given.get("series", "")),
            steps=_steps(given["steps"]) if "steps" in given else None,
            horizon=_horizon(given["horizon"]) if "horizon" in given else None,
            coverage=_coverage(given["coverage"]) if "coverage" in given else None,
            per=cast(Per, per),
        )

    def steps_of(self, step: float, horizons: tuple[Duration, ...]) -> int:
        """How many steps of `step` seconds are wanted, of a query with these horizons.

        Raises
        ------
        ValueError
            For more than `MOST_STEPS`.
        """
        if self.steps is not None:
            return self.steps
        horizon = self.horizon or max((*horizons, Duration(86_400)))
        steps = math.ceil(horizon / step)
        if steps > MOST_STEPS:
            raise ValueError(f"horizon must be at most {MOST_STEPS} steps of {Duration(int(step))}. Got {horizon}.")
        return steps


def query_of(given: Mapping[str, str]) -> str:
    """Name of the query that is asked for; raises ValueError where none is."""
    if not (query := given.get("query", "")):
        raise ValueError("query must be the name of a query. Got nothing.")
    return query


def _steps(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:9]) <= MOST_STEPS:
        raise ValueError(f"steps must be a number from 1 to {MOST_STEPS}. Got {text!r:.50}.")
    return int(text[:9])


def _horizon(text: str) -> Duration:
    try:
        horizon = Duration.parse(text)
    except ValueError as error:
        raise ValueError(f"horizon {error}") from error
    if not horizon:
        raise ValueError("horizon must be above 0s.")
    return horizon


def _coverage(text: str) -> float:
    try:
        coverage = float(text)
    except ValueError:
        coverage = math.nan
    if not 0 < coverage < 1:
        raise ValueError(f"coverage must be a ratio above 0 and below 1, such as 0.95. Got {text!r:.50}.")
    return coverage
