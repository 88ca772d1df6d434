"""How far back and ahead the page of a series looks, and what its curve is made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from exporter.cycle import QueryCycle
from exporter.duration import Duration
from exporter.forecast_api.asked import MOST_STEPS
from exporter.series_page.api import read_range
from exporter.series_page.desk import DEFAULT_RANGE
from forecasting.resample import Summary

_RANGES = tuple(map(Duration.parse, ("6h", "1d", "2d", "7d")))
_AHEADS = tuple(map(Duration.parse, ("6h", "1d", "7d", "30d")))
# Values of a curve: more are not seen, and take long.
_VALUES = 1_500
_STEPS = tuple(map(Duration.parse, ("1m", "5m", "1h", "1d")))


@dataclass(frozen=True)
class Choices:
    """What is looked at.

    Attributes
    ----------
    span, ahead : Duration
    spans, aheads : tuple of Duration
        What else there is.
    step : Duration
        Of the curve past now.
    summary : "mean", "highest" or "lowest"
        What of the samples of a longer step is forecast.
    """

    span: Duration
    ahead: Duration
    spans: tuple[Duration, ...]
    aheads: tuple[Duration, ...]
    step: Duration
    summary: Summary

    @classmethod
    def of(cls, cycle: QueryCycle, limits: Sequence[float], *, span: str, ahead: str, now: float) -> Self:
        """Read what is asked for; without it, show so much that a date of a limit is in the picture.

        Parameters
        ----------
        cycle : QueryCycle
        limits : sequence of float
            Dates of limits that are known, seconds since the epoch.
        span, ahead : str
            As asked for; empty for nothing.
        now : float
            Seconds since the epoch.
        """
        query = cycle.query
        dated = [date - now for date in limits if math.isfinite(date) and date > now]
        farthest = max(query.capacity.horizons) if query.limits else _AHEADS[-1]
        aheads = tuple(sorted({*_AHEADS, farthest}))
        wanted = 1.25 * min(dated) if dated else max((*query.forecast.horizons, Duration(86_400)))
        usual = next((one for one in aheads if one >= wanted), aheads[-1])
        far = read_range(ahead) if ahead else usual
        usual_span = query.history if dated else min(DEFAULT_RANGE, query.history)
        falling = any(limit.direction == "falling" for limit in query.limits)
        return cls(
            span=read_range(span) if span else usual_span,
            ahead=far,
            spans=(*(one for one in _RANGES if one < query.history), query.history),
            aheads=aheads,
            step=_step(int(query.step), far),
            summary="mean" if not query.limits else "lowest" if falling else "highest",
        )


def _step(own: int, ahead: Duration) -> Duration:
    coarser = [step for step in _STEPS if step > own and not step % own]
    for step in (Duration(own), *coarser):
        if ahead / step <= _VALUES:
            return step
    if ahead / own > MOST_STEPS:
        raise ValueError(f"ahead must be at most {MOST_STEPS} steps of {Duration(own)}. Got {ahead}.")
    return Duration(own)
