"""Fences around the usual values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.robust import quantile
from detectors.windowed import Rows, Single, Windowed
from series import FloatArray

# Smallest distance of the two quantiles, in usual deviations of the series.
LEAST_RANGE = 0.01


@dataclass(kw_only=True, eq=False)
class QuantileBand(Windowed):
    """How far a sample lies outside of two quantiles of the history, in distances of the two.

    With the quartiles these are Tukey's fences. The season is not known to it. See `Windowed` for the other arguments.

    Parameters
    ----------
    lower, upper : float, default 0.25 and 0.75
        Shares of the history, from 0 to 1.

    References
    ----------
    Tukey (1977), Exploratory Data Analysis.
    """

    lower: float = 0.25
    upper: float = 0.75

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.lower < self.upper <= 1:
            raise ValueError(f"QuantileBand.lower must be from 0 to below upper ({self.upper}). Got {self.lower!r}.")

    def _span(self) -> int:
        return 1

    def _allocate(self, n_series: int) -> None:
        self.edges_ = np.zeros((n_series, 2))

    def _learn_shape(self, rows: Rows, windows: Single) -> FloatArray:
        values = windows[..., 0].astype(np.float64)
        self.edges_[rows] = np.stack([quantile(values, share) for share in (self.lower, self.upper)], axis=1)
        return self._errors(rows, windows)

    def _errors(self, rows: Rows, windows: Single) -> FloatArray:
        low, high = self.edges_[rows, :1], self.edges_[rows, 1:]
        outside = np.maximum(np.maximum(windows[..., 0] - high, low - windows[..., 0]), 0.0)
        return np.asarray(outside / np.maximum(high - low, LEAST_RANGE))
