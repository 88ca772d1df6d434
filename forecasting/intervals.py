"""Intervals from the errors a forecaster made from earlier origins."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import Self

import numpy as np

from forecasting.bands import bands
from forecasting.shapes import Steps
from series import BoolArray, FloatArray

# Tail probabilities at which quantiles are kept; between them they are interpolated.
_TAILS = np.array(
    [0.0, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5]
)
# How far each tail lies from the middle of a normal distribution, in standard deviations.
_Z = np.array([NormalDist().inv_cdf(1 - max(tail, _TAILS[1])) for tail in _TAILS])
# How much of a width is that of many bands together, and how many on either side these are.
_POOLED, _WIDE = 0.3, 3
# Weight of a band without errors, of one error.
_UNSEEN = 1e-6
# A row with fewer known errors has no interval.
_FEWEST_ERRORS = 5


@dataclass(frozen=True, eq=False)
class ErrorQuantiles:
    """How far samples fell below and above their forecasts, by lead.

    Split conformal prediction with errors pooled over neighbouring leads, on each side by itself, then widened for
    the small number of origins. Widths never shrink with the lead; beyond the last lead that was tried they grow
    with its square root, as those of a random walk.

    Attributes
    ----------
    reaches : (n_bands,) float64
        Lead that the middle of each band stands for.
    widths : (2, n_tails, n_series, n_bands) float64
        Below and above the mean, 0 or more, never falling along the bands.
    known : (n_series,) bool
        Enough errors to tell.

    References
    ----------
    Vovk, Gammerman and Shafer (2005), Algorithmic Learning in a Random World; Stankeviciute, Alaa and van der Schaar
    (2021), Conformal time-series forecasting.
    """

    reaches: FloatArray
    widths: FloatArray
    known: BoolArray

    @classmethod
    def of(cls, errors: FloatArray, leads: Steps) -> Self:
        """Learn from errors of shape (n_origins, n_series, n_leads), NaN where unknown."""
        edges = bands(int(leads[-1]))
        places = np.searchsorted(leads, edges, side="right")
        last = len(places) - 1
        near, wide = (
            np.stack(
                [_widths(errors[..., places[max(i - k, 0)] : places[min(i + k + 1, last)]]) for i in range(last)],
                axis=-1,
            )
            for k in (1, _WIDE)
        )
        known = np.add.reduceat(np.isfinite(errors), places[:-1], axis=-1, dtype=np.float64).sum(axis=0)
        few = np.stack([_widening(errors[..., places[i] : places[i + 1]]) for i in range(last)], axis=-1)
        widths = _rising((_POOLED * wide + (1 - _POOLED) * near) * few, known)
        reaches = np.array([np.sqrt((low + 1.0) * high) for low, high in pairwise(edges)])
        return cls(reaches, widths, np.isfinite(errors).sum(axis=(0, 2)) >= _FEWEST_ERRORS)

    def interval(self, leads: Steps, coverage: float) -> FloatArray:
        """How far below and above the mean the interval reaches.

        Returns
        -------
        (2, n_series, len(leads)) float64
            0 or more; NaN in rows with too few errors.
        """
        widths = _between(_TAILS, self.widths, (1 - coverage) / 2, axis=1)
        place = np.interp(np.log(leads), np.log(self.reaches), np.arange(len(self.reaches)))
        low = np.minimum(place.astype(np.intp), max(len(self.reaches) - 2, 0))
        high = np.minimum(low + 1, len(self.reaches) - 1)
        share = place - low
        reach: FloatArray = widths[..., low] * (1 - share) + widths[..., high] * share
        reach *= np.sqrt(np.maximum(leads / self.reaches[-1], 1.0))
        reach[:, ~self.known] = np.nan
        return reach


def _widths(errors: FloatArray) -> FloatArray:
    """(2, n_tails, n_series): quantiles of the errors below and above 0; 0 where no error is known."""
    ranked = np.sort(np.moveaxis(errors, 1, 0).reshape(errors.shape[1], -1), axis=1)  # NaN last
    count = np.isfinite(ranked).sum(axis=1)
    # The k-th smallest of n errors is exceeded downwards with probability k / (n + 1).
    rank = np.clip(_TAILS[:, np.newaxis] * (count + 1) - 1, 0, np.maximum(count - 1, 0))
    low, high = _ranked(ranked, rank), _ranked(ranked, np.maximum(count - 1, 0) - rank)
    widths: FloatArray = np.where(count > 0, np.maximum(np.stack([-low, high]), 0.0), 0.0)
    return widths


def _ranked(ranked: FloatArray, rank: FloatArray) -> FloatArray:
    """(n_tails, n_series): value at a rank, 0 the smallest, linear between two."""
    rows = np.arange(len(ranked))
    under = rank.astype(np.intp)
    over = np.minimum(under + 1, ranked.shape[1] - 1)
    share = rank - under
    upper = np.where(share > 0, ranked[rows, over], 0.0)
    value: FloatArray = ranked[rows, under] * (1 - share) + upper * share
    return value


def _widening(errors: FloatArray) -> FloatArray:
    """(n_tails, n_series): quantile of Student's t over that of the normal distribution, for the origins that know.

    Errors of one origin belong together, so it is the origins that count. First terms of the expansions of the
    quantile of t (Abramowitz and Stegun, 26.7.5) and of the uncertainty of the middle, sqrt(1 + 1 / n).
    """
    origins = np.maximum(np.isfinite(errors).any(axis=2).sum(axis=0), 1)
    widening: FloatArray = 1 + ((_Z[:, np.newaxis] ** 2 + 1) / 4 + 0.5) / origins
    return widening


def _rising(values: FloatArray, counts: FloatArray) -> FloatArray:
    """Closest values that never fall along the last axis: isotonic regression, by its max-min formula.

    A running maximum would keep every chance peak of a short lead; this averages it with what follows.

    Parameters
    ----------
    values : (2, n_tails, n_series, n_bands) float64
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


def _between(grid: FloatArray, values: FloatArray, at: float, axis: int) -> FloatArray:
    place = float(np.interp(at, grid, np.arange(len(grid))))
    low = min(int(place), len(grid) - 2)
    below, above = np.take(values, low, axis=axis), np.take(values, low + 1, axis=axis)
    between: FloatArray = below + (place - low) * (above - below)
    return between
