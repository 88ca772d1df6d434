"""What holidays and planned events do to a series."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np

from forecasting.shapes import Steps
from series import BoolArray, FloatArray

# A day is unlike others, and an effect clear, from so many of an ordinary day's deviations on.
_CLEAR = 2.5
# Fewer ordinary samples than this have no rhythm to compare with.
_FEWEST = 24
_WEEK = 7
# A normal deviation in median absolute ones.
_NORMAL = 1.4826
# What is on for a larger share of two weeks or more belongs to the rhythm of the week, which the shapes know better.
_RHYTHM = 0.2


class OccasionCalendar(Protocol):
    """Says which occasions an instant belongs to: `series.occasions.Occasions` does."""

    def features(self, times: FloatArray) -> FloatArray:
        """(n_kinds, n_steps) float64: 1 while an occasion is on, else 0; of past and future."""


class Added(NamedTuple):
    """What is added to an ordinary day: as expected, at least, and at most; of equal shapes, in the series' unit."""

    mean: FloatArray
    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True, eq=False)
class OccasionEffects:
    """Deviation from an ordinary day at each step of the day, for each kind of occasion.

    Days of one kind differ, as holidays do: expected is what all of them had in common, and the interval holds what any
    of them did. Of one that was seen once nothing is expected, but that it may do the same again. What past occasions
    do not show clearly is 0, as is what was never seen.

    Attributes
    ----------
    added : Added
        (n_series, n_kinds, period) each; phase 0 belongs to column 0.
    past : (n_series, n_steps) float64
        What is expected of the occasions in the history.
    """

    added: Added
    past: FloatArray

    @classmethod
    def of(cls, history: FloatArray, occasions: FloatArray, period: int) -> Self:
        """Learn from the past.

        Parameters
        ----------
        history : (n_series, n_steps) float64
            NaN where there is no sample.
        occasions : (n_kinds, n_steps) float64
            1 while on, else 0.
        period : int
            Steps of a day, or 1 where the history knows no day.
        """
        on = occasions > 0
        if on.shape[1] >= 2 * _WEEK * period:
            on = on & (on.mean(axis=1, keepdims=True) < _RHYTHM)
        ordinary = np.where(on.any(axis=0), np.nan, history)
        rows = np.flatnonzero(np.isfinite(ordinary).sum(axis=1) >= _FEWEST)
        added = Added(*np.zeros((3, len(history), len(on), period)))
        past = np.zeros(history.shape)
        rest = history[rows] - _beside(ordinary[rows], period)
        usual = _daily_deviation(np.where(on.any(axis=0), np.nan, rest), period)
        for kind in np.flatnonzero(on.any(axis=1)) if len(rows) else ():
            columns = np.flatnonzero(on[kind])
            for part, shown in zip(added, _shown(*_by_day(rest, columns, period), usual), strict=True):
                part[rows, kind] = shown
            expected = added.mean[rows, kind][:, columns % period]
            past[np.ix_(rows, columns)] += expected
            rest[:, columns] -= expected
        return cls(added, past)

    def at(self, occasions: FloatArray, columns: Steps) -> Added:
        """(n_series, n_steps) each: sum of the effects of what is on.

        Parameters
        ----------
        occasions : (n_kinds, n_steps) float64
        columns : (n_steps,) int
            Columns of the history, or beyond its end.
        """
        phase = columns % self.added.mean.shape[2]
        return Added(*(np.einsum("nks,ks->ns", part[:, :, phase], occasions) for part in self.added))


def _by_day(rest: FloatArray, columns: Steps, period: int) -> tuple[FloatArray, FloatArray]:
    """`rest` (n_series, n_steps) of each day that an occasion is on, and how often it was on, by time of day.

    Returns
    -------
    days : (n_series, n_days, period) float64
    times : (n_series, period) float64
        Two days in a row are one time: Christmas shows what Christmas does.
    """
    begins = np.diff(columns, prepend=-2) > 1
    since = columns - columns[begins][np.cumsum(begins) - 1]
    place = np.cumsum(begins | (since % period == 0)) - 1
    days = np.full((len(rest), place[-1] + 1, period), np.nan)
    days[:, place, columns % period] = rest[:, columns]
    runs = np.add.reduceat(np.isfinite(days), place[begins], axis=1) > 0
    return days, runs.sum(axis=1).astype(np.float64)


def _clear(days: FloatArray, usual: FloatArray) -> BoolArray:
    """(n_series, n_days): whether a day was unlike ordinary ones."""
    known = np.isfinite(days)
    level = np.where(known, days, 0.0).sum(axis=2) / np.maximum(known.sum(axis=2), 1)
    return np.asarray(np.abs(level) > _CLEAR * usual[:, None])


def _shown(days: FloatArray, times: FloatArray, usual: FloatArray) -> Added:
    """(n_series, period) each: what days (n_series, n_days, period) show of the next one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no sample at some time of the day
        least, most = np.nanmin(days, axis=1), np.nanmax(days, axis=1)
    common = np.where(least * most > 0, np.where(np.abs(least) < np.abs(most), least, most), 0.0)
    mean = np.where(times > 1, common, np.nan)
    certain = _clear(mean[:, None] * np.sqrt(times.max(axis=1))[:, None, None], usual)
    mean = np.where(certain, np.nan_to_num(mean), 0.0)
    apart = np.where(_clear(days, usual)[:, :, None], days, np.nan)
    lower = np.fmin(mean, np.fmin.reduce(apart, axis=1))
    upper = np.fmax(mean, np.fmax.reduce(apart, axis=1))
    return Added(mean, lower, upper)


def _beside(ordinary: FloatArray, period: int) -> FloatArray:
    """(n_series, n_steps): what an ordinary day would have been: the mean of a week before and after, at the same time.

    Where those were not ordinary either, of two weeks before and after, or else of the three days on either side, or
    the median of all days. What is near shares season, weather and level: without that a cold month that holds the
    holidays would be their doing.
    """
    beside = _typical(ordinary, period)[:, np.arange(ordinary.shape[1]) % period]
    for days in ((1, 2, 3), (2 * _WEEK,), (_WEEK,)):
        near = [_moved(ordinary, sign * day * period) for day in days for sign in (-1, 1)]
        known = np.sum([np.isfinite(one) for one in near], axis=0)
        mean = np.sum([np.nan_to_num(one) for one in near], axis=0) / np.maximum(known, 1)
        beside = np.where(known > 0, mean, beside)
    return beside


def _moved(values: FloatArray, steps: int) -> FloatArray:
    """`values` (n_series, n_steps) `steps` columns later, or earlier where below 0; NaN where nothing was."""
    moved = np.full_like(values, np.nan)
    kept = max(0, values.shape[1] - abs(steps))
    if steps > 0:
        moved[:, values.shape[1] - kept :] = values[:, :kept]
    else:
        moved[:, :kept] = values[:, values.shape[1] - kept :]
    return moved


def _typical(ordinary: FloatArray, period: int) -> FloatArray:
    """(n_series, period): median at each step of the day; of all samples where a step was never ordinary."""
    days = -(-ordinary.shape[1] // period)
    padded = np.full((len(ordinary), days * period), np.nan)
    padded[:, : ordinary.shape[1]] = ordinary
    parts = padded.reshape(len(ordinary), days, period)
    whole = np.broadcast_to(np.nanmedian(ordinary, axis=1)[:, np.newaxis, np.newaxis], (len(ordinary), 1, period))
    never = np.isnan(parts).all(axis=1, keepdims=True)
    typical: FloatArray = np.nanmedian(np.concatenate([parts, np.where(never, whole, np.nan)], axis=1), axis=1)
    return typical


def _daily_deviation(rest: FloatArray, period: int) -> FloatArray:
    """(n_series,): deviation of the mean of an ordinary day: the median one, so that no single day decides."""
    days = rest.shape[1] // period
    parts = rest[:, : days * period].reshape(len(rest), days, period)
    known = np.isfinite(parts)
    count = known.sum(axis=2)
    mean = np.where(count > 0, np.where(known, parts, 0.0).sum(axis=2) / np.maximum(count, 1), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no whole day at all
        deviation: FloatArray = np.nan_to_num(_NORMAL * np.nanmedian(np.abs(mean), axis=1))
    return deviation
