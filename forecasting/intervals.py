"""Intervals from the errors a forecaster made from earlier origins."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from forecasting.bands import bands
from forecasting.shapes import Steps
from series import BoolArray, FloatArray

# Tail probabilities at which quantiles are kept; between them they are interpolated.
_TAILS = np.array(
    [0.0, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5]
)
# The trials chose the weights too, so the tails they show are too thin: this share of a tail is asked of them.
_TAIL_SHARE = 0.6
# Origins are few, and the errors of one belong together: widths grow by 1 + 2 / origins, about as quantiles of
# Student's t against those of the normal distribution.
_FEW_ORIGINS = 2.0
# How much of a width is that of all leads together.
_POOLED = 0.3
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
        parts = [errors[..., places[max(i - 1, 0)] : places[min(i + 2, last)]] for i in range(last)]
        local = np.stack([_widths(part) * _widening(part) for part in parts], axis=-1)
        pooled = _widths(errors)[..., np.newaxis] * np.stack([_widening(part) for part in parts], axis=-1)
        widths = np.maximum.accumulate(_POOLED * pooled + (1 - _POOLED) * local, axis=-1)
        reaches = np.array([np.sqrt((low + 1.0) * high) for low, high in pairwise(edges)])
        return cls(reaches, widths, np.isfinite(errors).sum(axis=(0, 2)) >= _FEWEST_ERRORS)

    def interval(self, leads: Steps, coverage: float) -> FloatArray:
        """How far below and above the mean the interval reaches.

        Returns
        -------
        (2, n_series, len(leads)) float64
            0 or more; NaN in rows with too few errors.
        """
        widths = _between(_TAILS, self.widths, _TAIL_SHARE * (1 - coverage) / 2, axis=1)
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
    """(n_series,): factor for the few origins that know of these leads."""
    origins = np.isfinite(errors).any(axis=2).sum(axis=0)
    widening: FloatArray = 1 + _FEW_ORIGINS / np.maximum(origins, 1)
    return widening


def _between(grid: FloatArray, values: FloatArray, at: float, axis: int) -> FloatArray:
    place = float(np.interp(at, grid, np.arange(len(grid))))
    low = min(int(place), len(grid) - 2)
    below, above = np.take(values, low, axis=axis), np.take(values, low + 1, axis=axis)
    between: FloatArray = below + (place - low) * (above - below)
    return between
