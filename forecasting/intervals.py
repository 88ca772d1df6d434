"""Intervals from the errors a forecaster made from earlier origins."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from forecasting.bands import bands
from forecasting.error_shape import at_tail, error_shape
from forecasting.shapes import Steps
from series import BoolArray, FloatArray

# How much of the size of errors at a lead is told by many bands together, and how many on either side these are.
_POOLED, _WIDE = 0.4, 3
# An origin counts this much of what the next one counts for the size: how large errors are changes with the series.
_FADING = 0.85
# How much of Student's factor is left to add, as shapes told by few origins are drawn to one with tails: measured on
# series of many kinds.
_FEW = 0.6
# Weight of a band without errors, of one error.
_UNSEEN = 1e-6
# Smallest tail probability that a widening is told for.
_FARTHEST = 0.0025
# A row with fewer known errors has no interval.
_FEWEST_ERRORS = 5


@dataclass(frozen=True, eq=False)
class ErrorQuantiles:
    """How far samples fell below and above their forecasts, by lead.

    Split conformal prediction, held steady where origins are few. The size of errors is told by the leads near by,
    newer origins foremost, the shape of their distribution by all leads together, then widened for the small number
    of origins. Widths never shrink with the lead; beyond the last lead that was tried they grow with its square
    root, as those of a random walk.

    Attributes
    ----------
    reaches : (n_bands,) float64
        Lead that the middle of each band stands for.
    sizes : (n_series, n_bands) float64
        Mean absolute error, never falling along the bands.
    shape : (2, n_tails, n_series) float64
        Quantiles of the errors below and above the mean, in sizes, 0 or more.
    origins : (n_series, n_bands) float64
        How many origins tell, never rising along the bands.
    known : (n_series,) bool
        Enough errors to tell.
    share : float
        Of the widths: below 1 where trials err more than the forecast does.

    References
    ----------
    Vovk, Gammerman and Shafer (2005), Algorithmic Learning in a Random World; Stankeviciute, Alaa and van der Schaar
    (2021), Conformal time-series forecasting; Lei et al. (2018), Distribution-free predictive inference for
    regression, section 5.2 (locally weighted).
    """

    reaches: FloatArray
    sizes: FloatArray
    shape: FloatArray
    origins: FloatArray
    known: BoolArray
    share: float

    @classmethod
    def of(cls, errors: FloatArray, leads: Steps, share: float = 1.0) -> Self:
        """Learn from errors of shape (n_origins, n_series, n_leads), NaN where unknown."""
        edges = bands(int(leads[-1]))
        places = np.searchsorted(leads, edges, side="right")
        known = np.isfinite(errors)
        count = np.add.reduceat(known, places[:-1], axis=-1, dtype=np.float64)
        total = np.add.reduceat(np.where(known, np.abs(errors), 0.0), places[:-1], axis=-1)
        newest = (_FADING ** np.arange(len(errors) - 1, -1, -1.0))[:, np.newaxis, np.newaxis]
        sizes = _sizes((newest * total).sum(axis=0), (newest * count).sum(axis=0))
        unit = np.repeat(np.where(sizes > 0, sizes, 1.0), np.diff(places), axis=1)
        origins = np.minimum.accumulate(np.maximum((count > 0).sum(axis=0), 1), axis=1).astype(np.float64)
        reaches = np.array([np.sqrt((low + 1.0) * high) for low, high in pairwise(edges)])
        shape = error_shape(errors / unit, np.maximum((count > 0).any(axis=-1).sum(axis=0), 1).astype(np.float64))
        return cls(reaches, sizes, shape, origins, known.sum(axis=(0, 2)) >= _FEWEST_ERRORS, share)

    def interval(self, leads: Steps, coverage: float) -> FloatArray:
        """How far below and above the mean the interval reaches.

        Returns
        -------
        (2, n_series, len(leads)) float64
            0 or more; NaN in rows with too few errors.
        """
        tail = (1 - coverage) / 2
        widening = self.share * _widening(tail, self.origins)
        widths = at_tail(self.shape, tail)[..., np.newaxis] * (self.sizes * widening)
        place = np.interp(np.log(leads), np.log(self.reaches), np.arange(len(self.reaches)))
        low = np.minimum(place.astype(np.intp), max(len(self.reaches) - 2, 0))
        high = np.minimum(low + 1, len(self.reaches) - 1)
        share = place - low
        reach: FloatArray = widths[..., low] * (1 - share) + widths[..., high] * share
        reach *= np.sqrt(np.maximum(leads / self.reaches[-1], 1.0))
        reach[:, ~self.known] = np.nan
        return reach


def _sizes(total: FloatArray, count: FloatArray) -> FloatArray:
    """(n_series, n_bands): mean absolute error of each band and its neighbours, never falling with the lead."""

    def smoothed(reach: int) -> FloatArray:
        padded = [np.pad(part, ((0, 0), (reach, reach))) for part in (total, count)]
        summed, counted = (sliding_window_view(part, 2 * reach + 1, axis=1).sum(axis=-1) for part in padded)
        mean: FloatArray = summed / np.where(counted > 0, counted, 1.0)
        return mean

    return _rising((1 - _POOLED) * smoothed(0) + _POOLED * smoothed(_WIDE), count)


def _widening(tail: float, origins: FloatArray) -> FloatArray:
    """Part of the quantile of Student's t over that of the normal distribution, for the origins that know.

    Errors of one origin belong together, so it is the origins that count. First terms of the expansions of the
    quantile of t (Abramowitz and Stegun, 26.7.5) and of the uncertainty of the middle, sqrt(1 + 1 / n).
    """
    z = NormalDist().inv_cdf(1 - max(tail, _FARTHEST))
    return 1 + _FEW * ((z**2 + 1) / 4 + 0.5) / origins


def _rising(values: FloatArray, counts: FloatArray) -> FloatArray:
    """Closest values that never fall along the last axis: isotonic regression, by its max-min formula.

    A running maximum would keep every chance peak of a short lead; this averages it with what follows.

    Parameters
    ----------
    values : (n_series, n_bands) float64
    counts : (n_series, n_bands) float64
        Errors that each value rests on.

    References
    ----------
    Barlow, Bartholomew, Bremner and Brunk (1972), Statistical Inference under Order Restrictions, section 1.2.
    """
    weights = counts + _UNSEEN
    summed, total = np.cumsum(values * weights, axis=-1), np.cumsum(weights, axis=-1)
    before, lead_up = summed - values * weights, total - weights
    rising = np.zeros_like(values)
    for start in range(values.shape[-1]):
        gained = total[..., start:] - lead_up[..., start, np.newaxis]
        mean = (summed[..., start:] - before[..., start, np.newaxis]) / gained
        least = np.minimum.accumulate(mean[..., ::-1], axis=-1)[..., ::-1]
        rising[..., start:] = np.maximum(rising[..., start:], least)
    return rising
