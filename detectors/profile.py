"""The shape of a day and of a week, as far as the history supports it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from detectors.phase import Between, Phase, day_bins
from detectors.shape import daily_shape, fold, weekly_shape
from series import BoolArray, FloatArray
from series.calendar import DAY


@dataclass(frozen=True, eq=False)
class Profile:
    """Seasonal part of each series, added to its level.

    The daily shape is the median over the days, less the day's level; the weekly one the median over the weeks of
    what the daily one leaves, hour by hour. Each comes in parts, coarse ones first (daily: smoothed over an hour,
    then the detail; weekly), and each part is shrunk by what two disjoint halves of the history say of it: with
    halves a and b, ``cov(a, b)`` estimates the variance of the true part and ``mean((a - b)^2) / 4`` that of the
    noise in their average, whence the weight ``cov / (cov + noise)`` of empirical Bayes. A series without a season
    gets a profile of zeros.

    Attributes
    ----------
    daily : (n_series, bins) float64
    weekly : (n_series, 7 * hours) float64, or None
        None where the history is too short to tell.
    fine : bool
        True where samples are closer than the bins, so that a profile is read between them.

    References
    ----------
    Efron and Morris (1975), Data Analysis Using Stein's Estimator and its Generalizations.
    """

    daily: FloatArray
    weekly: FloatArray | None
    fine: bool

    def at(self, phase: Phase) -> FloatArray:
        """(n_series, n_steps): seasonal part at each instant."""
        daily = self._in_day(phase)
        return daily if self.weekly is None else daily + self._in_week(phase, self.weekly)

    def _in_day(self, phase: Phase) -> FloatArray:
        bins = self.daily.shape[1]
        if not self.fine:
            return self.daily[:, phase.of_day(bins)]
        return Between.of(phase.second * (bins / DAY), bins).read(self.daily)

    def _in_week(self, phase: Phase, weekly: FloatArray) -> FloatArray:
        bins = weekly.shape[1]
        if bins == 7 * self.daily.shape[1]:
            return weekly[:, phase.of_week(bins // 7)]
        return Between.of((phase.weekday + phase.second / DAY) * (bins // 7), bins).read(weekly)


def cross_fit(values: FloatArray, phase: Phase, step: float) -> tuple[Profile, FloatArray]:
    """Learn a profile, and what profiles that have not seen a sample would have said of it.

    Residuals against the profile itself are narrower than those of samples to come, as it has seen them; so each
    step of the history is also given the seasonal part that was learned from the half it does not belong to.

    Parameters
    ----------
    values : (n_series, n_steps) float64
    phase : Phase
        Of the n_steps.
    step : float
        Seconds.

    Returns
    -------
    profile : Profile
    seasonal : (n_series, n_steps) float64
    """
    bins, days = day_bins(step), int(phase.day[-1] - phase.day[0]) + 1
    fine = step * bins < 0.75 * DAY
    day = phase.day - phase.day[0]
    cells = fold(values, day * bins + phase.of_day(bins), days * bins, most=math.ceil(DAY / bins / step))
    folded = cells.reshape(len(values), days, bins)
    daily = daily_shape(folded)
    seasonal = _by_half([Profile(half, None, fine) for half in daily[1:]], phase, day % 2 == 1)
    weekly = weekly_shape(folded - daily[0][:, None], phase)
    if weekly is None:
        return Profile(daily[0], None, fine), seasonal
    flat = np.zeros_like(daily[0])
    seasonal += _by_half([Profile(flat, half, fine) for half in weekly[1:]], phase, phase.weeks_back(phase) % 2 == 1)
    return Profile(daily[0], weekly[0], fine), seasonal


def _by_half(halves: list[Profile], phase: Phase, odd: BoolArray) -> FloatArray:
    """What even days (or weeks) taught, read in odd ones, and the other way round."""
    seasonal = np.empty((len(halves[0].daily), len(odd)))
    seasonal[:, odd] = halves[0].at(phase.where(odd))
    seasonal[:, ~odd] = halves[1].at(phase.where(~odd))
    return seasonal
