"""The distribution of what comes, as curves of equal probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from forecasting.base import Forecaster
from series import FloatArray

COVERAGES = (0.1, 0.3, 0.5, 0.68, 0.8, 0.9, 0.95, 0.98, 0.99)


@dataclass(frozen=True, eq=False)
class QuantileForecast:
    """Quantiles of every step to come.

    Attributes
    ----------
    times : (steps,) float64
        Seconds since the epoch.
    levels : (n_levels,) float64
        Probabilities, ascending, 0.5 in the middle.
    values : (n_levels, n_series, steps) float64
        Never falling along the levels; NaN throughout a series without a forecast.
    """

    times: FloatArray
    levels: FloatArray
    values: FloatArray

    @classmethod
    def of(cls, forecaster: Forecaster, steps: int, coverages: tuple[float, ...] = COVERAGES) -> Self:
        """Ask a fitted forecaster for intervals of several coverages."""
        told = [forecaster.forecast(steps, coverage=coverage) for coverage in coverages]
        tails = np.array([(1 - coverage) / 2 for coverage in coverages])
        values = [one.lower for one in reversed(told)] + [told[0].mean] + [one.upper for one in told]
        return cls(told[0].times, np.concatenate([tails[::-1], [0.5], 1 - tails]), np.stack(values))

    def mirrored(self) -> Self:
        """The distribution of what comes with its sign turned."""
        return type(self)(self.times, 1 - self.levels[::-1], -self.values[::-1])

    def exceeds(self, limit: FloatArray) -> FloatArray:
        """(n_series, steps): probability to lie at or above a limit; linear between the levels, 0 or 1 beyond them.

        Parameters
        ----------
        limit : (n_series,) or (n_series, steps) float64
        """
        bound = np.asarray(limit, dtype=np.float64)
        bound = np.broadcast_to(bound[:, np.newaxis] if bound.ndim == 1 else bound, self.values.shape[1:])
        under = (self.values < bound).sum(axis=0)  # quantiles that lie below the limit
        low, high = np.clip(under - 1, 0, len(self.levels) - 1), np.clip(under, 0, len(self.levels) - 1)
        at_low, at_high = (np.take_along_axis(self.values, place[np.newaxis], axis=0)[0] for place in (low, high))
        gap = at_high - at_low
        share = np.divide(bound - at_low, gap, out=np.zeros_like(gap), where=gap > 0)
        below = self.levels[low] + share * (self.levels[high] - self.levels[low])
        below = np.where(under == 0, 0.0, np.where(under == len(self.levels), 1.0, below))
        return np.where(np.isfinite(self.values).all(axis=0) & np.isfinite(bound), 1 - below, np.nan)
