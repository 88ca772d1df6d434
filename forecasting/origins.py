"""Where in a history a forecaster is tried out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from forecasting.seasons import Seasons
from forecasting.shapes import Steps
from series import FloatArray

_FEWEST_ORIGINS, _MOST_ORIGINS = 4, 28
_LEADS = 40


def backtest_origins(seasons: Seasons, n_steps: int) -> list[int]:
    """Columns that forecasts are tried from: at the same time of day as the end of the history.

    A job that runs at night makes other errors when it is forecast from the morning, so only origins like the
    present one tell what to expect of it. Nothing is tried before two cycles, or a third of the history, are known;
    a long history, whose last half holds origins enough, is tried there alone, where candidates know as much as now.

    Returns
    -------
    list of int
        Ascending, each at least 1 and below `n_steps`; at most 28.

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
    if n_steps - first > _MOST_ORIGINS * unit:
        first = max(first, min(n_steps // 2, n_steps - _MOST_ORIGINS * unit))
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


def trials(
    forecast: Callable[[int, Steps], FloatArray], n_steps: int, origins: Sequence[int], leads: Steps
) -> FloatArray:
    """Forecasts from each origin.

    Parameters
    ----------
    forecast : callable
        From an origin, for some leads: (..., n_series, n_leads), made of the columns before the origin alone.

    Returns
    -------
    (n_origins, ..., n_series, n_leads) float64
        NaN beyond the end of the history.
    """
    told = []
    for origin in origins:
        inside = forecast(origin, leads[leads <= n_steps - origin])
        beyond = np.full((*inside.shape[:-1], len(leads) - inside.shape[-1]), np.nan)
        told.append(np.concatenate([inside, beyond], axis=-1))
    return np.stack(told)


def came(values: FloatArray, origins: Sequence[int], leads: Steps) -> FloatArray:
    """(n_origins, n_series, n_leads): what was there, NaN for no sample and beyond the end of the history."""
    steps = np.array(origins)[:, np.newaxis] - 1 + leads
    inside = steps < values.shape[1]
    return np.where(inside, values[:, np.where(inside, steps, 0)], np.nan).swapaxes(0, 1)
