"""When a limit will be reached: a date, with its own uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.quantiles import QuantileForecast
from series import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class Crossing:
    """When each series reaches its limit for the first time.

    Attributes
    ----------
    time, lower, upper : (n_series,) float64
        Seconds since the epoch: as likely earlier as later; and the ends of the interval. NaN where the limit is not
        reached, with that much certainty, within the forecast.
    probability : (n_horizons, n_series) float64
        Of reaching it within each horizon; NaN without a forecast.
    """

    time: FloatArray
    lower: FloatArray
    upper: FloatArray
    probability: FloatArray


def crossing(
    forecast: QuantileForecast,
    limit: FloatArray,
    horizons: Sequence[float],
    *,
    now: float,
    falling: bool = False,
    coverage: float = 0.95,
) -> Crossing:
    """Distribution of the first time at or beyond a limit.

    Errors of one forecast belong together: a series that runs above its forecast today mostly does tomorrow. So each
    quantile is taken as a path of its own, and the probability to have crossed by a time is the highest so far.
    Independent errors would cross earlier; this never cries wolf for a limit that only noise touches.

    Parameters
    ----------
    forecast : QuantileForecast
    limit : (n_series,) or (n_series, steps) float64
        In the unit of the series; NaN for none.
    horizons : sequence of float
        Seconds from now, within the forecast.
    now : float
        Seconds since the epoch.
    falling : bool
        True where the limit is reached from above, as that of free space.

    Raises
    ------
    ValueError
        For a horizon that the forecast does not hold.
    """
    reach = float(forecast.times[-1] - now)
    if not all(0 < horizon <= reach for horizon in horizons):
        raise ValueError(f"horizons must be above 0 and within the forecast, {reach:g} seconds. Got {list(horizons)}.")
    # Space that is never below 0 is used up at 0 exactly: "at or below" is not "not at or above".
    beyond = forecast.mirrored().exceeds(-limit) if falling else forecast.exceeds(limit)
    by_then = np.maximum.accumulate(beyond, axis=1)
    tail = (1 - coverage) / 2
    time, lower, upper = (_first(forecast.times, by_then >= level) for level in (0.5, tail, 1 - tail))
    columns = np.searchsorted(forecast.times, now + np.array(horizons), side="right") - 1
    probability = np.stack([by_then[:, column] if column >= 0 else by_then[:, 0] for column in columns])
    return Crossing(time, lower, upper, probability)


def _first(times: FloatArray, reached: BoolArray) -> FloatArray:
    return np.where(reached.any(axis=1), times[reached.argmax(axis=1)], np.nan)
