"""Where in a history a forecaster is tried out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from forecasting.seasons import Seasons
from forecasting.shapes import Steps
from series import FloatArray

_FEWEST_ORIGINS, _MOST_ORIGINS = 4, 14
_LEADS = 64


def backtest_origins(seasons: Seasons, n_steps: int) -> list[int]:
    """Columns that forecasts are tried from: at the same time of day as the end of the history.

    A job that runs at night makes other errors when it is forecast from the morning, so only origins like the
    present one tell what to expect of it. Nothing is tried before two cycles, or a third of the history, are known.

    Returns
    -------
    list of int
        Ascending, each at least 1 and below `n_steps`; at most 14.

    Examples
    --------
    >>> backtest_origins(Seasons.of(3_600.0, 24 * 7), 24 * 7)
    [72, 96, 120, 144]
    """
    period = seasons.periods[0] if seasons.periods else 0
    cycles = 2 if n_steps >= 3 * period else 1
    first = max(cycles * period, n_steps // 3) if period else max(n_steps // 2, 1)
    unit = seasons.unit
    while unit > 8 and (n_steps - first) // unit < _FEWEST_ORIGINS:
        unit //= 2
    most = max((n_steps - first) // unit, 1)
    stride = -(-most // _MOST_ORIGINS)
    back = unit * np.arange(1, most + 1, stride)
    return [int(origin) for origin in (n_steps - back)[::-1] if origin >= 1]


def sampled_leads(last: int) -> Steps:
    """Leads up to `last` that stand for all: every short one, ever fewer of the long ones.

    Errors at neighbouring leads are alike, so that a sample of them tells as much at a fraction of the cost.
    """
    dense, even = np.geomspace(1, last, _LEADS), np.linspace(1, last, _LEADS)
    return np.unique(np.concatenate([dense, even]).astype(np.intp))


def trial_errors(
    forecast: Callable[[int, Steps], FloatArray], actual: FloatArray, origins: Sequence[int], leads: Steps
) -> FloatArray:
    """Actual minus forecast from each origin.

    Parameters
    ----------
    forecast : callable
        From an origin, for some leads: (..., n_series, n_leads), made of the columns before the origin alone.
    actual : (n_series, n_steps) float64

    Returns
    -------
    (n_origins, ..., n_series, n_leads) float64
        NaN where there is no sample or no forecast, and beyond the end.
    """
    errors = []
    for origin in origins:
        use = leads[leads <= actual.shape[1] - origin]
        missed = actual[:, origin - 1 + use] - forecast(origin, use)
        beyond = np.full((*missed.shape[:-1], len(leads) - len(use)), np.nan)
        errors.append(np.concatenate([missed, beyond], axis=-1))
    return np.stack(errors)
