"""How good the past forecasts were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from exporter.backtests.report import LeadError
from forecasting.base import Forecast
from series import BoolArray, FloatArray, Window
from series.calendar import DAY

# A change this small beside the values is their rounding: an error measured in it would say nothing.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class ForecastErrors:
    """Errors of the forecasts of one block of series.

    Attributes
    ----------
    scaled : (n_origins, n_series, steps) float64
        Absolute error over the series' scale; NaN where it cannot be told.
    inside, compared : (n_origins, n_series, steps) bool
        The sample lay inside the interval; there were a sample and an interval.
    """

    scaled: FloatArray
    inside: BoolArray
    compared: BoolArray

    @classmethod
    def of(cls, block: Window, origins: Sequence[int], past: Sequence[Forecast]) -> ForecastErrors:
        """Compare forecasts with what came.

        Parameters
        ----------
        block : Window
        origins : sequence of int
            First column each forecast speaks of.
        past : sequence of Forecast
            One for each origin, all of the same number of steps.
        """
        if not past:
            nothing = np.empty((0, block.n_series, 0))
            return cls(nothing, nothing.astype(bool), nothing.astype(bool))
        steps = past[0].mean.shape[1]
        actual = np.stack([block.values[:, origin : origin + steps] for origin in origins])
        mean, lower, upper = (
            np.stack(parts) for parts in zip(*((p.mean, p.lower, p.upper) for p in past), strict=True)
        )
        compared = np.isfinite(actual) & np.isfinite(lower) & np.isfinite(upper)
        scale = naive_scale(block.until(origins[0]))
        scaled = np.where(compared, np.abs(actual - mean), np.nan) / scale[:, None]
        return cls(scaled, compared & (actual >= lower) & (actual <= upper), compared)

    @property
    def mase(self) -> FloatArray:
        """(n_series,) mean absolute scaled error, NaN where it cannot be told."""
        known = np.isfinite(self.scaled)
        return _ratio(np.where(known, self.scaled, 0.0).sum((0, 2)), known.sum((0, 2)))

    @property
    def coverage(self) -> FloatArray:
        """(n_series,) share of samples inside the interval, NaN where there was none."""
        return _ratio(self.inside.sum((0, 2)), self.compared.sum((0, 2)))


class LeadSums:
    """Sums over all blocks, by how far ahead the forecast spoke.

    Parameters
    ----------
    horizons : sequence of int
        Ascending, steps.
    """

    def __init__(self, horizons: Sequence[int]) -> None:
        self.edges = (0, *horizons)
        self.sums = np.zeros((len(horizons), 5))

    @property
    def steps(self) -> int:
        """The longest horizon."""
        return self.edges[-1]

    def add(self, errors: ForecastErrors, yardstick: ForecastErrors) -> None:
        """Take a block of series in, with the errors of the yardstick on the same samples."""
        known = np.isfinite(errors.scaled) & np.isfinite(yardstick.scaled)
        scaled, plain = np.where(known, errors.scaled, 0.0), np.where(known, yardstick.scaled, 0.0)
        for lead, (above, horizon) in enumerate(pairwise(self.edges)):
            part = (slice(None), slice(None), slice(above, horizon))
            counted = (scaled, plain, known, errors.inside, errors.compared)
            self.sums[lead] += [array[part].sum() for array in counted]

    def errors(self, step: float) -> tuple[LeadError, ...]:
        """One figure for each horizon, in seconds of `step` each."""
        scaled, plain, known, inside, compared = self.sums.T
        mase, yardstick, coverage = _ratio(scaled, known), _ratio(plain, known), _ratio(inside, compared)
        return tuple(
            LeadError(
                above=above * step,
                horizon=horizon * step,
                points=int(compared[lead]),
                mase=float(mase[lead]),
                yardstick=float(yardstick[lead]),
                coverage=float(coverage[lead]),
            )
            for lead, (above, horizon) in enumerate(pairwise(self.edges))
        )


def naive_scale(history: Window) -> FloatArray:
    """Mean absolute error of repeating the day before; of repeating the last sample for less than two days.

    Parameters
    ----------
    history : Window

    Returns
    -------
    (n_series,) float64
        In the unit of the series; NaN where it is 0 (but for rounding) or cannot be told.

    References
    ----------
    Hyndman and Koehler (2006), Another look at measures of forecast accuracy.
    """
    season = round(DAY / history.step) if history.n_steps > 1 and history.step < DAY else 1
    season = season if history.n_steps >= 2 * season else 1
    change = np.abs(history.values[:, season:] - history.values[:, :-season])
    known = np.isfinite(change)
    scale = _ratio(np.where(known, change, 0.0).sum(1), known.sum(1))
    largest = np.where(np.isfinite(history.values), np.abs(history.values), 0.0).max(1, initial=0.0)
    scale[scale <= ROUNDING * largest] = np.nan
    return scale


def _ratio(above: npt.NDArray[Any], below: npt.NDArray[Any]) -> FloatArray:
    ratio: FloatArray = np.full(above.shape, np.nan)
    np.divide(above, below, out=ratio, where=below > 0)
    return ratio
