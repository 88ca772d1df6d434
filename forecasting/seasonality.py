"""Which rhythms a series has, where it is going, and when its level changed: answers for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forecasting.gaps import filled
from forecasting.own_period import own_periods
from forecasting.rows import FEWEST_SAMPLES
from forecasting.seasons import Seasons
from forecasting.shapes import mean_profile
from series import FloatArray, Window
from series.calendar import WEEK


@dataclass(frozen=True, eq=False)
class Seasonality:
    """Periods and how much of a series each explains.

    Attributes
    ----------
    names : tuple of str
        Calendar periods that samples so far apart can show, of ``day``, ``week``, ``hour``.
    strength : (len(names), n_series) float64
        Share of the variance that returns with the period, 0 to 1, the longer periods beyond the shorter; NaN where
        a series has less than two of it.
    own_period : (n_series,) float64
        Seconds of a period that is not the calendar's; NaN where there is none.
    own_strength : (n_series,) float64
        Autocorrelation at that period, 0 to 1.
    """

    names: tuple[str, ...]
    strength: FloatArray
    own_period: FloatArray
    own_strength: FloatArray


def seasonality(history: Window) -> Seasonality:
    """Measure the rhythms of every series, each from its first sample on.

    Strength is ``max(0, 1 - var(remainder) / var(remainder + season))``, once the straight line of the series is taken
    off. The season is the mean of all cycles; chance alone gives noise a strength of one over their number, which is
    taken off.

    References
    ----------
    Wang, Smith and Hyndman (2006), Characteristic-based clustering for time series data.
    """
    names = tuple(name for name, _ in Seasons.of(history.step, 2 * round(WEEK / history.step)).named)
    found = Seasonality(
        names,
        np.full((len(names), history.n_series), np.nan),
        np.full(history.n_series, np.nan),
        np.zeros(history.n_series),
    )
    for rows, length in _equally_long(history.values):
        seasons = Seasons.of(history.step, length)
        whole = filled(
            history.values[rows, history.n_steps - length :], seasons.periods[0] if seasons.named else length
        )
        for (name, _), strength in zip(seasons.named, _strengths(whole, dict(seasons.named)), strict=True):
            found.strength[names.index(name), rows] = strength
        period, found.own_strength[rows] = own_periods(whole, seasons.periods)
        found.own_period[rows] = period * history.step
    return found


def _equally_long(values: FloatArray) -> Iterator[tuple[npt.NDArray[np.intp], int]]:
    """Rows with enough samples that began at the same step, and how many columns there are from it on."""
    known = np.isfinite(values)
    enough = known.sum(axis=1) >= FEWEST_SAMPLES
    lengths = values.shape[1] - known.argmax(axis=1) if values.shape[1] else np.zeros(len(values), dtype=np.intp)
    for length in np.unique(lengths[enough]):
        yield np.flatnonzero(enough & (lengths == length)), int(length)


def _strengths(whole: FloatArray, named: dict[str, int]) -> FloatArray:
    """(len(named), n_series), in the order of the names; the shortest period is taken off first."""
    strength, rest = {}, _without_line(whole)
    for name, period in sorted(named.items(), key=lambda item: item[1]):
        cycles = rest.shape[1] // period
        season = mean_profile(rest, period, cycles).at(np.arange(rest.shape[1]))
        remainder = rest - season
        before, after = rest.var(axis=1), remainder.var(axis=1)
        explained = np.divide(before - after, before, out=np.zeros(len(rest)), where=before > 0)
        chance = 1 / cycles
        strength[name] = np.clip((explained - chance) / (1 - chance), 0.0, 1.0)
        rest = np.where(strength[name][:, np.newaxis] > 0, remainder, rest)
    return np.stack([strength[name] for name in named]) if named else np.zeros((0, len(whole)))


def _without_line(whole: FloatArray) -> FloatArray:
    """Growth is no season, but it would hide them: take the line of least squares off."""
    steps = np.arange(whole.shape[1]) - (whole.shape[1] - 1) / 2
    level = whole - whole.mean(axis=1, keepdims=True)
    rest = level - (level @ steps / (steps @ steps))[:, np.newaxis] * steps
    rounding = 1e-12 * np.abs(whole).max(axis=1, keepdims=True)
    return np.where(np.abs(rest) > rounding, rest, 0.0)
