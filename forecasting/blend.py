"""Weights of the candidates: who was right from earlier origins counts more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasting.shapes import Steps
from forecasting.weighted_median import weighted_median
from series import FloatArray

# Weights fall with this power of a candidate's error.
_SHARPNESS = 3.0
# How much of a candidate's error at one lead is taken from its errors at all leads.
_SHRINK = 0.2


@dataclass(frozen=True, eq=False)
class Blend:
    """Weighted median of the candidates that did best.

    Attributes
    ----------
    edges : (n_bands + 1,) int
        Leads of band i are above edge i and up to edge i + 1; the last band holds for all leads beyond.
    kept : (n_series, n_kept) int
        Which candidates take part.
    weights : (n_series, n_bands, n_kept) float64
        Sum 1 over the candidates.
    """

    edges: Steps
    kept: Steps
    weights: FloatArray

    def __call__(self, candidates: FloatArray, leads: Steps) -> FloatArray:
        """Weighted median of the candidates.

        Parameters
        ----------
        candidates : (n_candidates, n_series, n_leads) float64
            NaN throughout a candidate that has no forecast.

        Returns
        -------
        (n_series, n_leads) float64
            NaN where no candidate of any weight has a forecast.
        """
        part = candidates[self.kept, np.arange(len(self.kept))[:, np.newaxis]]  # (n_series, n_kept, n_leads)
        usable = np.isfinite(part[..., 0])
        values = np.ascontiguousarray(part.swapaxes(1, 2))
        if not usable.all():
            values[np.isnan(values)] = 0.0  # their weight is 0 as well
        band = np.clip(np.searchsorted(self.edges, leads) - 1, 0, self.weights.shape[1] - 1)
        return weighted_median(values, self.weights * usable[:, np.newaxis], band)


def weights_of(errors: FloatArray) -> FloatArray:
    """Weights that fall with the error; all alike where nothing is known of a series, or of a band of leads.

    Parameters
    ----------
    errors : (n_bands, n_candidates, n_series) float64
        Logarithms; NaN where a candidate was not tried.

    Returns
    -------
    (n_bands, n_candidates, n_series) float64
        Sum 1 over the candidates.
    """
    known = np.isfinite(errors)
    count = known.sum(axis=0)
    total = np.where(known, errors, 0.0).sum(axis=0)
    overall = np.divide(total, count, out=np.full(total.shape, np.inf), where=count > 0)
    shrunk = np.where(known, (1 - _SHRINK) * errors + _SHRINK * overall, overall)
    best = shrunk.min(axis=1, keepdims=True)
    weights = np.exp(_SHARPNESS * (np.where(np.isfinite(best), best, 0.0) - shrunk))
    weights[np.broadcast_to(np.isinf(best), weights.shape)] = 1.0
    share: FloatArray = weights / weights.sum(axis=1, keepdims=True)
    return share
