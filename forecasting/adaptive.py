"""Intervals that correct themselves: wider after misses, narrower after long success."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from series import FloatArray

# The width is never changed by more than these factors.
_NARROWEST, _WIDEST = 0.5, 8.0


@dataclass(eq=False)
class AdaptiveWidth:
    r"""Factor for the width of each interval, moved by every comparison.

    .. math:: \log s_{t+1} = \log s_t + \gamma (\mathrm{miss}_t - \alpha)

    Whatever the data do, over T comparisons the share of misses differs from :math:`\alpha` by at most
    :math:`\log(s_\mathrm{max} / s_\mathrm{min}) / (\gamma T)`, as long as the factor stays off its bounds.

    Attributes
    ----------
    log_factor : (n_horizons, n_series) float64
        0 at the start.
    coverage : float
        That is promised; alpha is what lies outside.
    rate : float
        Gamma: how far one comparison moves the factor.

    References
    ----------
    Gibbs and Candes (2021), Adaptive conformal inference under distribution shift; Angelopoulos, Candes and
    Tibshirani (2023), Conformal PID control for time series prediction (quantile tracking).
    """

    log_factor: FloatArray
    coverage: float
    rate: float

    @classmethod
    def of(cls, n_horizons: int, n_series: int, *, coverage: float, rate: float = 0.1) -> Self:
        """Begin with the intervals as they are."""
        return cls(np.zeros((n_horizons, n_series)), coverage, rate)

    @property
    def factor(self) -> FloatArray:
        """(n_horizons, n_series): what the next widths are to be multiplied with."""
        factor: FloatArray = np.exp(self.log_factor)
        return factor

    def observe(self, horizon: int, lower: FloatArray, upper: FloatArray, came: FloatArray) -> None:
        """Learn from the intervals of one horizon that were told, and what came; (n_series,) each, NaN unknown."""
        known = np.isfinite(came) & np.isfinite(lower) & np.isfinite(upper)
        missed = ((came < lower) | (came > upper)).astype(np.float64)
        moved = self.log_factor[horizon] + self.rate * (missed - (1 - self.coverage))
        moved = np.clip(moved, np.log(_NARROWEST), np.log(_WIDEST))
        self.log_factor[horizon] = np.where(known, moved, self.log_factor[horizon])

    def applied(self, horizon: int, bounds: FloatArray, floor: float | FloatArray = -np.inf) -> FloatArray:
        """(3, n_series): mean, lower and upper with the corrected width, none below `floor`."""
        mean, lower, upper = bounds
        factor = self.factor[horizon]
        corrected = np.stack([mean, mean - factor * (mean - lower), mean + factor * (upper - mean)])
        above: FloatArray = np.maximum(corrected, floor)
        return above

    def take(self, rows: list[int | None]) -> None:
        """Put series into another order: for each new row its old one, None for a series that is new."""
        kept = np.array([-1 if row is None else row for row in rows], dtype=np.intp)
        old, known = self.log_factor, kept >= 0
        self.log_factor = np.zeros((len(old), len(kept)))
        self.log_factor[:, known] = old[:, kept[known]]
