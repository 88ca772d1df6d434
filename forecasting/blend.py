"""Weights of the candidates: who was right from earlier origins counts more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from forecasting.bands import bands
from forecasting.shapes import Steps
from series import FloatArray

# Weights fall with this power of a candidate's error.
_SHARPNESS = 3.0
# How much of a candidate's error at one lead is taken from its errors at all leads.
_SHRINK = 0.2
# Of the typical error: differences below it do not count, so that perfect candidates share.
_FLOOR = 1e-3
# Of a series' own spread: errors below it are rounding.
_TINY = 1e-12
# Relative: sums of weights this close to one half are one half.
_TIE = 1e-9


@dataclass(frozen=True, eq=False)
class Blend:
    """Weighted median of the candidates.

    Attributes
    ----------
    edges : (n_bands + 1,) int
        Leads of band i are above edge i and up to edge i + 1; the last band holds for all leads beyond.
    weights : (n_bands, n_candidates, n_series) float64
        Sum 1 over the candidates.
    """

    edges: Steps
    weights: FloatArray

    @classmethod
    def of(cls, told: FloatArray, actual: FloatArray, leads: Steps) -> Self:
        """Learn the weights.

        Parameters
        ----------
        told : (n_origins, n_candidates, n_series, n_leads) float64
            Forecasts; NaN throughout a candidate that had none from an origin.
        actual : (n_origins, n_series, n_leads) float64
            NaN where there was no sample, and beyond the end.
        leads : (n_leads,) int
            Ascending.
        """
        edges = bands(int(leads[-1]))
        return cls(edges, _weights(_errors(told, actual, np.searchsorted(leads, edges[:-1], side="right"))))

    def __call__(self, candidates: FloatArray, leads: Steps) -> FloatArray:
        """Weighted median of the candidates.

        Parameters
        ----------
        candidates : (n_candidates, n_series, n_leads) float64
            NaN throughout a candidate that has no forecast.

        Returns
        -------
        (n_series, n_leads) float64
        """
        usable = np.isfinite(candidates[:, :1, :1]).all(axis=(1, 2))
        band = np.clip(np.searchsorted(self.edges, leads) - 1, 0, len(self.weights) - 1)
        weights = np.ascontiguousarray(np.moveaxis(self.weights[:, usable], 2, 0))
        return _weighted_median(np.moveaxis(candidates[usable], 0, 2), weights, band)


def _weighted_median(values: FloatArray, weights: FloatArray, band: Steps) -> FloatArray:
    """Over the last axis: half of the weight lies on either side; the mean of two values where it falls between.

    Parameters
    ----------
    values : (n_series, n_leads, n_candidates) float64
    weights : (n_series, n_bands, n_candidates) float64
    band : (n_leads,) int
        Which weights hold for a lead.
    """
    order = np.argsort(values, axis=-1)
    n_series, n_bands, n_candidates = weights.shape
    first = n_candidates * (n_bands * np.arange(n_series)[:, np.newaxis] + band)
    summed = np.cumsum(weights.ravel().take(order + first[..., np.newaxis]), axis=-1)
    half = summed[..., -1:] / 2
    low = (summed < half * (1 - _TIE)).sum(axis=-1, keepdims=True)
    high = (summed <= half * (1 + _TIE)).sum(axis=-1, keepdims=True)
    pair = np.take_along_axis(order, np.concatenate([low, high], axis=-1), axis=-1)
    median: FloatArray = np.take_along_axis(values, pair, axis=-1).mean(axis=-1)
    return median


def _errors(told: FloatArray, actual: FloatArray, starts: Steps) -> FloatArray:
    """(n_bands, n_candidates, n_series): error against the typical candidate's, geometric mean over the origins."""
    known = np.isfinite(actual)[:, np.newaxis]
    missed = np.where(known, np.abs(told - actual[:, np.newaxis]), 0.0)
    count = np.add.reduceat(known, starts, axis=-1, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        by_origin = np.add.reduceat(missed, starts, axis=-1) / np.where(count > 0, count, np.nan)
    typical = _mean(by_origin, axis=1)[:, np.newaxis]
    ratio = (by_origin + _FLOOR * typical + _TINY) / (typical + _TINY)
    return np.moveaxis(_geometric_mean(ratio, axis=0), -1, 0)


def _weights(errors: FloatArray) -> FloatArray:
    """(n_bands, n_candidates, n_series): all alike where nothing is known of a series, or of a band of leads."""
    overall = _geometric_mean(errors, axis=0)
    shrunk = errors ** (1 - _SHRINK) * overall**_SHRINK
    shrunk = np.where(np.isfinite(shrunk), shrunk, overall)
    shrunk = np.where(np.isfinite(shrunk), shrunk, np.inf)
    best = shrunk.min(axis=1, keepdims=True)
    unknown = np.isinf(best)
    weights = np.where(unknown, 1.0, np.where(unknown, 1.0, best) / shrunk) ** _SHARPNESS
    share: FloatArray = weights / weights.sum(axis=1, keepdims=True)
    return share


def _geometric_mean(values: FloatArray, axis: int) -> FloatArray:
    mean: FloatArray = np.exp(_mean(np.log(values), axis=axis))
    return mean


def _mean(values: FloatArray, axis: int) -> FloatArray:
    """Mean of what is known, NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    mean: FloatArray = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean
