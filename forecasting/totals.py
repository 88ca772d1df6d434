"""What a month, or any stretch of time, will add up to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from forecasting.base import Forecast
from series import FloatArray


@dataclass(frozen=True, eq=False)
class Total:
    """Sums of each series: (n_series,) float64, what is known so far included."""

    mean: FloatArray
    lower: FloatArray
    upper: FloatArray


def month_of(now: float, timezone: str = "UTC") -> tuple[float, float]:
    """First instant of this month and of the next, seconds since the epoch, by a local calendar.

    Examples
    --------
    >>> month_of(1_767_571_200.0)  # 2026-01-05
    (1767225600.0, 1769904000.0)
    """
    zone = ZoneInfo(timezone)
    local = dt.datetime.fromtimestamp(now, tz=zone)
    first = dt.datetime(local.year, local.month, 1, tzinfo=zone)
    following = dt.datetime(local.year + local.month // 12, local.month % 12 + 1, 1, tzinfo=zone)
    return first.timestamp(), following.timestamp()


def total(so_far: FloatArray, forecast: Forecast, end: float, *, per_step: float = 1.0, memory: float = 24.0) -> Total:
    """What will be there at `end`: what is known, and the sum of the forecast up to then.

    Errors of neighbouring steps belong together, those far apart cancel: the width of the sum is that of a sum of
    errors whose correlation falls to a third over `memory` steps.

    Parameters
    ----------
    so_far : (n_series,) float64
        Sum of what came since the beginning.
    end : float
        Seconds since the epoch; steps from there on are left out.
    per_step : float
        What one step at the value 1 adds: for a rate per second the seconds of a step, for counts of a step 1.
    memory : float
        Steps, above 0.

    Raises
    ------
    ValueError
        Where the forecast ends more than a step before `end`.
    """
    step = float(forecast.times[1] - forecast.times[0]) if len(forecast.times) > 1 else 0.0
    if forecast.times[-1] + step < end:
        raise ValueError(f"the forecast must reach {end:.0f}. It ends at {forecast.times[-1]:.0f}.")
    inside = forecast.times < end
    mean = so_far + per_step * forecast.mean[:, inside].sum(axis=1)
    below = _summed(forecast.mean[:, inside] - forecast.lower[:, inside], memory) * per_step
    above = _summed(forecast.upper[:, inside] - forecast.mean[:, inside], memory) * per_step
    return Total(mean, mean - below, mean + above)


def _summed(widths: FloatArray, memory: float) -> FloatArray:
    """(n_series,): width of a sum of errors with these widths: the root of w R w, R falling exponentially."""
    fading, carried = np.exp(-1 / memory), np.zeros(len(widths))
    variance = np.zeros(len(widths))
    for width in widths.T:
        variance += width * (width + 2 * carried)
        carried = fading * (carried + width)
    return np.sqrt(variance)
