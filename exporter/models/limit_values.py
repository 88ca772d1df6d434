"""What the limits of a query are now: numbers, or what the source says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import structlog

from forecasting.scaling import ScalingRule
from series import FloatArray, Grid, SeriesKey
from sources.base import MetricSource
from sources.errors import SourceError

log = structlog.get_logger("forethought.limits")

# Seconds for which an answer holds.
_HOLDS = 3_600.0
# Step of the grid that is asked for one instant of.
_STEP = 60
_MOST_SERIES = 100_000


@dataclass(frozen=True, kw_only=True)
class LimitRule:
    """A value that must not be reached.

    Attributes
    ----------
    name : str
    value : float or None
        In the unit of the series; None where `query` gives it.
    query : str or None
    on : tuple of str
        Labels that tell which limit belongs to which series; empty for one limit of all.
    falling : bool
        True where it is reached from above.
    scaling : ScalingRule or None
        What advice is given by.
    """

    name: str
    value: float | None = None
    query: str | None = None
    on: tuple[str, ...] = ()
    falling: bool = False
    scaling: ScalingRule | None = None


class LimitValues:
    """Asks the source for limits, hourly; the last answer holds while there is no new one.

    Parameters
    ----------
    source : MetricSource
    latency : float
        Seconds a sample may come late.
    name : str
        Of the query whose limits they are, for the log.
    """

    def __init__(self, source: MetricSource, latency: float = 0.0, name: str = "") -> None:
        self._source, self._latency, self._name = source, latency, name
        self._asked: dict[str, float] = {}
        self._known: dict[str, Mapping[tuple[str, ...], float]] = {}
        self._problem: dict[str, str] = {}
        self._without: set[str] = set()

    def of(self, rule: LimitRule, keys: tuple[SeriesKey, ...], now: float) -> FloatArray:
        """(n_series,): the limit of each series, NaN where there is none."""
        if rule.query is None:
            return np.full(len(keys), math.nan if rule.value is None else rule.value)
        if not 0 <= now - self._asked.get(rule.name, -math.inf) < _HOLDS:
            self._asked[rule.name] = now
            self._ask(rule, rule.query, now)
        return limits_of(keys, self._known.get(rule.name, {}), rule.on)

    def _ask(self, rule: LimitRule, query: str, now: float) -> None:
        try:
            self._known[rule.name] = ask_limits(self._source, query, rule.on, now - self._latency)
        except (SourceError, ValueError) as error:
            if str(error) != self._problem.get(rule.name):
                log.warning(
                    "a limit cannot be read; the last one holds", query=self._name, limit=rule.name, problem=str(error)
                )
            self._problem[rule.name] = str(error)
        else:
            self._problem.pop(rule.name, None)
            self._note_nothing(rule.name, not any(map(math.isfinite, self._known[rule.name].values())))

    def _note_nothing(self, name: str, nothing: bool) -> None:
        """Say once that a limit is not known any more, and once that it is again."""
        if nothing and name not in self._without:
            self._without.add(name)
            log.warning("the query of a limit gives nothing; no date is forecast for it", limit=name, query=self._name)
        elif not nothing and name in self._without:
            self._without.discard(name)
            log.info("the query of a limit gives values again", limit=name, query=self._name)


def ask_limits(source: MetricSource, query: str, on: tuple[str, ...], now: float) -> Mapping[tuple[str, ...], float]:
    """The limits a query gives, by the values of the labels in `on`.

    Raises
    ------
    SourceError
    ValueError
        Where two limits have the same values of these labels.
    """
    answer = source.read_range(query, Grid.ending(now, step=_STEP, history=_STEP), series_limit=_MOST_SERIES)
    return _by_labels(answer.window.keys, answer.window.values[:, -1], on)


def limits_of(keys: Sequence[SeriesKey], known: Mapping[tuple[str, ...], float], on: tuple[str, ...]) -> FloatArray:
    """(n_series,): the limit of each series, NaN where there is none."""
    return np.array([known.get(_place(key, on), math.nan) for key in keys], dtype=np.float64)


def _place(key: SeriesKey, on: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(key.get(label) for label in on)


def _by_labels(keys: tuple[SeriesKey, ...], values: FloatArray, on: tuple[str, ...]) -> dict[tuple[str, ...], float]:
    found: dict[tuple[str, ...], float] = {}
    for key, value in zip(keys, values.tolist(), strict=True):
        place = _place(key, on)
        if place in found:
            labels = ", ".join(on) or "none"
            raise ValueError(
                f"the query of a limit must give one series for each value of the labels in on ({labels})."
            )
        found[place] = value if math.isfinite(value) else math.nan
    return found
