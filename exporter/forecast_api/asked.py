"""What a request for a forecast may say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self, cast, get_args

from exporter.duration import Duration
from exporter.lookup import query_of
from forecasting.resample import Summary
from series.matcher import Matcher, parse_matchers

MOST_STEPS = 10_000
Per = Literal["second", "step", "none"]
_KNOWN = ("query", "series", "steps", "horizon", "coverage", "per", "step", "summary")


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
    per : "second", "step" or "none"
        What a value adds to a total: itself for each second, as a rate does, or for each step, as a count does. Of
        "none" no total of the month is told.
    step : Duration or None
        Of the curve; None for the query's own. A month ahead needs no minutes.
    summary : "mean", "highest" or "lowest"
        What of the samples of a longer step is forecast: a limit is reached by a peak.
    """

    query: str
    matchers: tuple[Matcher, ...] = ()
    steps: int | None = None
    horizon: Duration | None = None
    coverage: float | None = None
    per: Per = "second"
    step: Duration | None = None
    summary: Summary = "mean"

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Self:
        """Read the parameters of an address.

        Raises
        ------
        ValueError
            For a parameter that is not known, or cannot be.
        """
        if unknown := sorted(set(given) - {*_KNOWN}):
            raise ValueError(f"parameters must be {', '.join(_KNOWN[:-1])} or {_KNOWN[-1]}. Got {unknown[0]!r:.50}.")
        if "steps" in given and "horizon" in given:
            raise ValueError("steps and horizon must not be given together.")
        if (per := given.get("per", "second")) not in get_args(Per):
            raise ValueError(f"per must be second, step or none. Got {per!r:.50}.")
        return cls(
            query=query_of(given),
            matchers=parse_matchers(given.get("series", "")),
            steps=_steps(given["steps"]) if "steps" in given else None,
            horizon=_duration("horizon", given["horizon"]) if "horizon" in given else None,
            coverage=_coverage(given["coverage"]) if "coverage" in given else None,
            per=cast(Per, per),
            step=_duration("step", given["step"]) if "step" in given else None,
            summary=_summary(given.get("summary", "mean")),
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
        step = self.step_of(step)
        steps = math.ceil(horizon / step)
        if steps > MOST_STEPS:
            raise ValueError(f"horizon must be at most {MOST_STEPS} steps of {Duration(int(step))}. Got {horizon}.")
        return steps

    def step_of(self, step: float) -> float:
        """Seconds between two values of the curve, of a query with this step.

        Raises
        ------
        ValueError
            For one that is no multiple of the query's.
        """
        if self.step is not None and self.step % step:
            raise ValueError(f"step must be a multiple of {Duration(int(step))}, the query's own. Got {self.step}.")
        return float(self.step or step)


def _steps(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:9]) <= MOST_STEPS:
        raise ValueError(f"steps must be a number from 1 to {MOST_STEPS}. Got {text!r:.50}.")
    return int(text[:9])


def _duration(name: str, text: str) -> Duration:
    try:
        duration = Duration.parse(text)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from error
    if not duration:
        raise ValueError(f"{name} must be above 0s.")
    return duration


def _summary(text: str) -> Summary:
    if text not in get_args(Summary):
        raise ValueError(f"summary must be mean, highest or lowest. Got {text!r:.50}.")
    return cast(Summary, text)


def _coverage(text: str) -> float:
    try:
        coverage = float(text)
    except ValueError:
        coverage = math.nan
    if not 0 < coverage < 1:
        raise ValueError(f"coverage must be a ratio above 0 and below 1, such as 0.95. Got {text!r:.50}.")
    return coverage
