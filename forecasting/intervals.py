"""Intervals from the errors a forecaster made from earlier origins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from forecasting.shapes import Steps
from series import FloatArray

# Levels at which the errors' quantiles are kept; between them they are interpolated.
_LEVELS = np.concatenate([np.linspace(0, 0.99, 100), [0.995, 1.0]])


@dataclass(frozen=True, eq=False)
class ErrorQuantiles:
    """How far samples fell from their forecasts."""

    errors: FloatArray

    @classmethod
    def of(cls, errors: FloatArray, leads: Steps) -> Self:
        """Learn from errors of shape (n_origins, n_series, n_leads), NaN where unknown."""
        return cls(np.sort(np.moveaxis(errors, 1, 0).reshape(errors.shape[1], -1), axis=1))

    def interval(self, leads: Steps, coverage: float) -> tuple[FloatArray, FloatArray]:
        """How far below and above the mean the interval reaches: (n_series, len(leads)) each, 0 or more."""
        tail = (1 - coverage) / 2
        below, above = np.nanquantile(self.errors, [tail, 1 - tail], axis=1)
        ones = np.ones(len(leads))
        return np.maximum(-below, 0)[:, None] * ones, np.maximum(above, 0)[:, None] * ones
