"""What a query's detector says, and what that rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exporter.models.groups import GroupsSeen
from series import BoolArray, FloatArray, SeriesKey


@dataclass(frozen=True, eq=False)
class Seen:
    """What the detectors say of the newest steps, before anything holds an alarm back.

    Attributes
    ----------
    keys : tuple of SeriesKey, length n_series
    times : (n_steps,) float64
        The steps that no cycle judged before; at least the last one.
    value, expected, lower, upper : (n_series,) float64
        Of the last step.
    scores, sides : (n_series, n_steps) float64
        Scores, and the sign of the deviation from what was expected; NaN where there is none.
    members : tuple of str
        Names of the detectors.
    votes : (n_members, n_series) float64
        Score of each for the last step.
    agreeing : (n_series,) float64
        How many kinds of detectors are above their threshold.
    warming_up : (n_series,) bool
    groups : GroupsSeen
    """

    keys: tuple[SeriesKey, ...]
    times: FloatArray
    value: FloatArray
    expected: FloatArray
    lower: FloatArray
    upper: FloatArray
    scores: FloatArray
    sides: FloatArray
    members: tuple[str, ...]
    votes: FloatArray
    agreeing: FloatArray
    warming_up: BoolArray
    groups: GroupsSeen


@dataclass(frozen=True)
class Basis:
    """What the expectation of one series rests on.

    Attributes
    ----------
    since, until : float
        First sample and last instant of the history that was learned from, seconds since the epoch.
    season : float
        What time of day and week add to the level, in the unit of the series; NaN where that is not known.
    weights : mapping of str to float
        How much each detector counts beside its default; empty where one judges alone.
    """

    since: float
    until: float
    season: float
    weights: Mapping[str, float]
