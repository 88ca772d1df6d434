"""Why a step was judged as it was: in one line for an alert, and at length."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np

from detectors.phase import IntArray
from series import FloatArray
from series.calendar import DAY

# Deviations are compared up to this many half widths: how far beyond says nothing of the kind of incident.
_CLIP = 5.0


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What was found of one step of one series.

    Attributes
    ----------
    time : float
        Seconds since the epoch.
    value, expected, lower, upper : float
        In the unit of the series; NaN for what is not known.
    score : float
        1 is the threshold.
    level : float
        Where the series stands without its season; NaN where it has none.
    timezone : str
        Of the series' days and weeks.
    votes : mapping of str to float
        Score of each detector.
    suppressed : str
        What held an alarm back, such as a verdict, a maintenance window or a silence; empty for nothing.
    occasions : sequence of str
        What kind of day it was, such as a holiday.
    earlier : sequence of float
        Beginnings of earlier alarms of the series, seconds since the epoch.
    """

    time: float
    value: float
    expected: float
    lower: float
    upper: float
    score: float
    level: float = float("nan")
    timezone: str = "UTC"
    votes: Mapping[str, float] = field(default_factory=dict)
    suppressed: str = ""
    occasions: Sequence[str] = ()
    earlier: Sequence[float] = ()


@dataclass(frozen=True, eq=False)
class Example:
    """An earlier alarm that looked alike.

    Attributes
    ----------
    time : float
        When it began.
    distance : float
        Mean difference of the deviations, in half widths of the band; 0 for the same course.
    """

    time: float
    distance: float


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """All that is known of why.

    Attributes
    ----------
    line : str
        See `why`.
    expected : str
        What was expected and from what.
    votes : tuple of (str, float, bool)
        Detector, its score, whether it calls this an anomaly; the highest first.
    suppressed : str
    times_before : int
        Alarms of the series in `days` days before.
    days : int
    examples : tuple of Example
        The nearest first.
    """

    line: str
    expected: str
    votes: tuple[tuple[str, float, bool], ...]
    suppressed: str
    times_before: int
    days: int
    examples: tuple[Example, ...] = ()


def explain(judged: Judged, examples: Sequence[Example] = (), *, days: int = 14) -> Explanation:
    """Put together what is known of one judged step.

    Parameters
    ----------
    judged : Judged
    examples : sequence of Example
        See `nearest`.
    days : int, default 14
        How far back earlier alarms are counted.
    """
    return Explanation(
        line=why(judged, days=days),
        expected=_expected(judged),
        votes=tuple((name, score, score > 1) for name, score in _ranked(judged)),
        suppressed=judged.suppressed,
        times_before=_before(judged, days),
        days=days,
        examples=tuple(examples),
    )


def why(judged: Judged, *, days: int = 14) -> str:
    """One line for an alert's annotation.

    Examples
    --------
    >>> step = Judged(time=1782788400.0, value=412, expected=150, lower=120, upper=180, score=8.7, level=150,
    ...               votes={"seasonal": 8.7, "shift": 2.0, "rank": 1.2, "spectral": 0.4},
    ...               earlier=(1782000000.0, 1782400000.0))
    >>> why(step)
    '412 where 120..180 was expected (Tue 03:00, level 150); 3 of 4 detectors agree; 3rd time in 14 days'
    """
    parts = [_expected(judged)]
    if judged.votes and judged.score > 1 and judged.lower <= judged.value <= judged.upper:
        parts.append(f"within that, but strange to {_ranked(judged)[0][0]}")  # its course is strange, not its size
    votes = [score for score in judged.votes.values() if not np.isnan(score)]  # others do not take part
    if len(votes) > 1:
        parts.append(f"{sum(score > 1 for score in votes)} of {len(votes)} detectors agree")
    if before := _before(judged, days):
        parts.append(f"{_ordinal(before + 1)} time in {days} days")
    if judged.suppressed:
        parts.append(f"held back: {judged.suppressed}")
    return "; ".join(parts)


def beside(value: float, count: int, low: float, high: float) -> str:
    """One line for a series that differs from `count` peers, which are between `low` and `high`.

    Examples
    --------
    >>> beside(0.9, 7, 0.2, 0.3)
    '0.9 where its 7 peers are at 0.2..0.3'
    """
    peers = f"its {count} peers are" if count < 10 else f"most of its {count} peers are"
    return f"{_number(value)} where {peers} at {_number(low)}..{_number(high)}"


def nearest(deviation: FloatArray, past: FloatArray, begun: FloatArray, *, most: int = 3) -> tuple[Example, ...]:
    """Earlier alarms whose course was most like the present one.

    Parameters
    ----------
    deviation : (n_steps,) float64
        The last steps up to now, in half widths of the band, negative below what was expected; NaN for no sample.
    past : (n_alarms, n_steps) float64
        The same up to the same moment of each earlier alarm.
    begun : (n_alarms,) float64
        When each began, seconds since the epoch.
    most : int, default 3

    Examples
    --------
    >>> past = np.array([[0.0, 4.0], [0.0, -3.0], [0.1, 3.5]])
    >>> [(example.time, round(example.distance, 2)) for example in nearest(past[0], past[1:], np.array([7.0, 8.0]))]
    [(8.0, 0.3), (7.0, 3.5)]
    """
    difference = np.abs(_clipped(past) - _clipped(deviation))
    known = ~np.isnan(difference)
    distance = np.where(known, difference, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    # Of an alarm of which less than half can be compared nothing is said.
    comparable = np.flatnonzero(2 * known.sum(axis=1) > len(deviation))
    order: IntArray = comparable[np.argsort(distance[comparable], kind="stable")][:most]
    return tuple(Example(float(begun[place]), float(distance[place])) for place in order)


def _clipped(deviation: FloatArray) -> FloatArray:
    return np.clip(deviation, -_CLIP, _CLIP)


def _expected(judged: Judged) -> str:
    value = "no sample" if np.isnan(judged.value) else _number(judged.value)
    if np.isnan(judged.lower) or np.isnan(judged.upper):
        return f"{value} where nothing is expected yet"
    moment = dt.datetime.fromtimestamp(judged.time, ZoneInfo(judged.timezone)).strftime("%a %H:%M")
    around = [moment, *judged.occasions]
    if not np.isnan(judged.level):
        around.append(f"level {_number(judged.level)}")
    band = f"{_number(judged.lower)}..{_number(judged.upper)}"
    return f"{value} where {band} was expected ({', '.join(around)})"


def _ranked(judged: Judged) -> list[tuple[str, float]]:
    return sorted(judged.votes.items(), key=lambda vote: (-np.nan_to_num(vote[1]), vote[0]))


def _before(judged: Judged, days: int) -> int:
    return sum(judged.time - days * DAY <= begun < judged.time for begun in judged.earlier)


def _number(value: float) -> str:
    """Four digits at least, as a person writes them."""
    if not np.isfinite(value):
        return "infinite" if value > 0 else "-infinite"
    if 1e4 <= abs(value) < 1e12:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
