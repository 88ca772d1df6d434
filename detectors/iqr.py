"""Fences around the values of the last while."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.checks import at_least
from detectors.windowed import Rows, Single, Windowed
from series import FloatArray

# Smallest distance of the two quartiles, in usual deviations of the series.
LEAST_RANGE = 0.05


@dataclass(kw_only=True, eq=False)
class Iqr(Windowed):
    """How far a sample lies outside of the quartiles of the samples just before it, in interquartile ranges.

    `detectors.quantile_band` has the quartiles of the whole history; these move along, so that a level that lasts is
    soon ordinary and a spike on a slow wave stands out. See `Windowed` for the other arguments.

    Parameters
    ----------
    width : int, default 48
        Samples of a window, the newest included.

    References
    ----------
    Tukey (1977), Exploratory Data Analysis.
    """

    width: int = 48

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, width=5)

    def _span(self) -> int:
        return self.width

    def _errors(self, rows: Rows, windows: Single) -> FloatArray:
        before, newest = windows[..., :-1], windows[..., -1]
        # Some dozens of numbers are sorted ten times faster than partitioned.
        ordered = np.sort(before, axis=-1)
        low, high = (ordered[..., round(share * (self.width - 2))] for share in (0.25, 0.75))
        outside = np.maximum(np.maximum(newest - high, low - newest), 0.0)
        return np.asarray(outside / np.maximum(high - low, LEAST_RANGE), dtype=np.float64)
