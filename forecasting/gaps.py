"""Missing samples, filled with what was known before them."""

from __future__ import annotations

import numpy as np

from series import BoolArray, FloatArray


def filled(values: FloatArray, period: int) -> FloatArray:
    """Put the value one period earlier, or else the last one known, where there is none.

    Nothing looks ahead, except before the first sample of a row, where that sample stands.

    Parameters
    ----------
    values : (n_series, n_steps) float64
        NaN where there is no sample.
    period : int
        Steps of a season; at least `n_steps` where there is none.

    Returns
    -------
    (n_series, n_steps) float64
        NaN only in rows without any sample.

    Examples
    --------
    >>> filled(np.array([[np.nan, 2.0, 3.0, np.nan, np.nan]]), period=3)
    array([[2., 2., 3., 3., 2.]])
    """
    known = np.isfinite(values)
    if known.all():
        return values.copy()
    whole = np.where(known, values, np.nan)
    for start in range(period, whole.shape[1], period):
        part = whole[:, start : start + period]
        before = whole[:, start - period : start - period + part.shape[1]]
        np.copyto(part, before, where=np.isnan(part))
    return _from_the_left(whole, np.isfinite(whole))


def _from_the_left(values: FloatArray, known: BoolArray) -> FloatArray:
    first = known.argmax(axis=1)[:, np.newaxis]
    last_known = np.maximum.accumulate(np.where(known, np.arange(values.shape[1]), first), axis=1)
    return np.take_along_axis(values, last_known, axis=1)
