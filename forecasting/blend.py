"""Weights of the candidates: who was right from earlier origins counts more."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from forecasting.bands import bands
from forecasting.shapes import Steps
from series import FloatArray

# Weights fall with this power of a candidate's error.
_SHARPNESS = 8.0
# How much of a candidate's error at one lead is taken from its errors at all leads.
_SHRINK = 0.3
# Of the typical error: differences below it do not count, so that perfect candidates share.
_FLOOR = 1e-3
# Of a series' own spread: errors below it are rounding.
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Blend:
    """Weighted mean of the candidates.

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
    def of(cls, errors: FloatArray, leads: Steps) -> Blend:
        """Learn the weights.

        Parameters
        ----------
        errors : (n_origins, n_candidates, n_series, n_leads) float64
            Actual minus forecast; NaN where there was no forecast or no sample.
        leads : (n_leads,) int
            Ascending.
        """
        edges = bands(int(leads[-1]))
        parts = np.searchsorted(leads, edges, side="right")
        by_band = np.stack([_error(errors[..., a:b]) for a, b in pairwise(parts)])
        return cls(edges, _weights(by_band))

    def __call__(self, candidates: FloatArray, leads: Steps) -> FloatArray:
        """(n_series, n_leads): weighted mean of the (n_candidates, n_series, n_leads) forecasts."""
        band = np.clip(np.searchsorted(self.edges, leads) - 1, 0, len(self.weights) - 1)
        total = np.empty(candidates.shape[1:])
        for number in np.unique(band):
            part = band == number
            weights, forecasts = self.weights[number], candidates[..., part]
            usable = np.isfinite(forecasts[:, :1, :1])
            total[:, part] = np.einsum("cn,cnl->nl", weights, np.where(usable, forecasts, 0.0))
        return total


def _error(errors: FloatArray) -> FloatArray:
    """(n_candidates, n_series): geometric mean over the origins of the error against the typical candidate's."""
    by_origin = _mean(np.abs(errors), axis=-1)
    typical = _mean(by_origin, axis=1)[:, np.newaxis]
    ratio = (by_origin + _FLOOR * typical + _TINY) / (typical + _TINY)
    return _geometric_mean(ratio, axis=0)


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
