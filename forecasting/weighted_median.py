"""Weighted medians of many small sets at once."""

from __future__ import annotations

import numpy as np

from forecasting.shapes import Steps
from series import FloatArray

# Relative: sums of weights this close to one half are one half.
_TIE = 1e-9


def weighted_median(values: FloatArray, weights: FloatArray, band: Steps) -> FloatArray:
    """Over the last axis: half of the weight lies on either side; the mean of two values where it falls between.

    Parameters
    ----------
    values : (n_series, n_leads, n_values) float64
        No NaN.
    weights : (n_series, n_bands, n_values) float64
        0 or more.
    band : (n_leads,) int
        Which weights hold for a lead.

    Returns
    -------
    (n_series, n_leads) float64
        NaN where all weights are 0.

    Examples
    --------
    >>> weighted_median(np.array([[[3.0, 1.0, 2.0]]]), np.array([[[1.0, 1.0, 5.0]]]), np.array([0]))
    array([[2.]])
    """
    order = np.argsort(values, axis=-1)
    n_series, n_bands, n_values = weights.shape
    first = n_values * (n_bands * np.arange(n_series)[:, np.newaxis] + band)
    summed = np.cumsum(weights.ravel().take(order + first[..., np.newaxis]), axis=-1)
    half = summed[..., -1:] / 2
    low = (summed >= half * (1 - _TIE)).argmax(axis=-1)
    high = (summed > half * (1 + _TIE)).argmax(axis=-1)
    place = n_values * np.arange(low.size).reshape(low.shape)
    two = (values.ravel().take(place + order.ravel().take(place + rank)) for rank in (low, high))
    median: FloatArray = sum(two) / 2
    return np.where(half[..., 0] > 0, median, np.nan)
