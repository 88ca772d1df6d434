"""How good a forecaster would have been: forecasts from the past, compared with what came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.base import Forecaster
from forecasting.seasons import Seasons
from forecasting.shapes import Steps
from series import FloatArray, Window


@dataclass(frozen=True, eq=False)
class Backtest:
    """Forecasts from some origins, beside what came.

    Attributes
    ----------
    origins : (n_origins,) int
        Columns of the window; each forecast knows the columns before its origin.
    actual, mean, lower, upper : (n_origins, n_series, steps) float64
        NaN where there is no sample, or no forecast.
    scale : (n_series,) float64
        Mean absolute error of repeating the last season before the first origin; NaN for a constant series.
    """

    origins: Steps
    actual: FloatArray
    mean: FloatArray
    lower: FloatArray
    upper: FloatArray
    scale: FloatArray

    @property
    def mase(self) -> FloatArray:
        """(n_series, steps) mean absolute scaled error at each lead; NaN where nothing can be compared.

        References
        ----------
        Hyndman and Koehler (2006), Another look at measures of forecast accuracy.
        """
        return _mean(np.abs(self.actual - self.mean)) / self.scale[:, np.newaxis]

    @property
    def coverage(self) -> FloatArray:
        """(n_series, steps) share of samples inside the interval at each lead; NaN where there were none."""
        inside = ((self.lower <= self.actual) & (self.actual <= self.upper)).astype(np.float64)
        return _mean(np.where(np.isfinite(self.actual) & np.isfinite(self.mean), inside, np.nan))


def backtest(
    forecaster: Callable[[], Forecaster], window: Window, *, origins: Sequence[int], steps: int, coverage: float = 0.95
) -> Backtest:
    """Forecast `steps` steps from each origin, knowing only what came before it.

    Parameters
    ----------
    forecaster : callable without arguments
        Makes an unfitted forecaster.
    origins : sequence of int
        Ascending columns of the window, at least 2 and at most ``n_steps - steps``.

    Raises
    ------
    ValueError
        Where an origin leaves too little before or after it.
    """
    if not origins or min(origins) < 2 or max(origins) > window.n_steps - steps:
        raise ValueError(f"origins must lie from 2 to {window.n_steps - steps}. Got {list(origins)}.")
    told = [forecaster().fit(window.until(origin)).forecast(steps, coverage=coverage) for origin in origins]
    return Backtest(
        np.array(origins, dtype=np.intp),
        np.stack([window.values[:, origin : origin + steps] for origin in origins]),
        np.stack([forecast.mean for forecast in told]),
        np.stack([forecast.lower for forecast in told]),
        np.stack([forecast.upper for forecast in told]),
        _naive_error(window.until(origins[0])),
    )


def _naive_error(history: Window) -> FloatArray:
    periods = Seasons.of(history.step, history.n_steps).periods
    lag = periods[0] if periods else 1
    error = _mean(np.abs(history.values[:, lag:] - history.values[:, :-lag]).T)
    error[error == 0] = np.nan
    return error


def _mean(values: FloatArray) -> FloatArray:
    """Mean over the first axis of what is known."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    mean: FloatArray = np.full(values.shape[1:], np.nan)
    np.divide(np.where(known, values, 0.0).sum(axis=0), count, out=mean, where=count > 0)
    return mean
