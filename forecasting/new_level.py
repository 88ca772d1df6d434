"""A level that was never seen before: what was learned of the past holds no longer."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Self

import numpy as np

from forecasting.shapes import Steps
from series import BoolArray, FloatArray

# A forecast is checked this part of a day back, but some steps at least.
_PART, _FEWEST = 24, 6
# How many of the samples since then, of their later half, are looked at.
_LOOKED_AT = 8
# Of the range of everything before: ordinary records do not go this far beyond it.
_BEYOND = 0.25
# The old level returns about this often: intervals that promise more hold it too.
_RETURNS = 0.1
# Mean distance from the middle of a normal distribution, in standard deviations.
_MEAN_DISTANCE = 0.7979


def check_steps(unit: int, n_steps: int) -> int:
    """How many steps before the end of the history the check forecasts."""
    back = max(unit // _PART, _FEWEST)
    return min(back, max(n_steps // 4, 1))


def checked_leads(back: int) -> Steps:
    """Leads, from `back` steps before the end, at which forecast and samples are compared: of the later half.

    Examples
    --------
    >>> checked_leads(6)
    array([4, 5, 6])
    """
    return np.unique(np.linspace(back // 2 + 1, back, _LOOKED_AT).astype(np.intp))


@dataclass(frozen=True, eq=False)
class NewLevel:
    """Series whose last samples all lie outside their interval and far from everything before.

    Attributes
    ----------
    found : (n_series,) bool
    offset : (n_series,) float64
        How far the samples lie from what was forecast: their median.
    spread : (n_series,) float64
        Mean distance from the offset.
    back : int
        How many steps before the end of the history that forecast was made.
    """

    found: BoolArray
    offset: FloatArray
    spread: FloatArray
    back: int

    @classmethod
    def of(cls, recent: FloatArray, earlier: FloatArray, told: FloatArray, back: int) -> Self:
        """Compare the last samples with their forecast.

        Parameters
        ----------
        recent : (n_series, n_checked) float64
            Samples; NaN where there was none.
        earlier : (n_series, n) float64
            All samples before the check; NaN where there was none.
        told : (n_series, n_checked) float64
            What was forecast for these samples.
        """
        least, most = np.nanmin(earlier, axis=1), np.nanmax(earlier, axis=1)
        least, most = least - _BEYOND * (most - least), most + _BEYOND * (most - least)
        above = (recent > most[:, np.newaxis]).all(axis=1)
        below = (recent < least[:, np.newaxis]).all(axis=1)
        missed = np.where((above | below)[:, np.newaxis], recent - told, 0.0)
        offset = np.median(missed, axis=1)
        return cls(above | below, offset, np.abs(missed - offset[:, np.newaxis]).mean(axis=1), back)

    def applied(self, told: FloatArray, checked: FloatArray, leads: Steps, coverage: float) -> FloatArray:
        """The forecast goes on from the new level; its interval grows as that of a random walk.

        Parameters
        ----------
        told : (3, n_series, n_leads) float64
            Mean, lower and upper as they would be.
        checked : (n_series, n_leads) float64
            For the same instants, the mean that is told from where the check was made: the old level.

        Returns
        -------
        (3, n_series, n_leads) float64
        """
        mean = checked + self.offset[:, np.newaxis]
        deviation = self.spread[:, np.newaxis] / _MEAN_DISTANCE * np.sqrt(1 + leads / self.back)
        reach = NormalDist().inv_cdf((1 + coverage) / 2) * deviation
        moved = np.stack([mean, mean - reach, mean + reach])
        if coverage >= 1 - _RETURNS:
            moved[1] = np.minimum(moved[1], np.minimum(told[1], checked))
            moved[2] = np.maximum(moved[2], np.maximum(told[2], checked))
        return np.where(self.found[:, np.newaxis], moved, told)
