"""Where a series is now and where it is going: weighted means and slopes of its last samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from forecasting.shapes import Shape, Steps
from series import FloatArray

# A weighted mean reaches back this many times its own time constant; what lies before weighs less than 1 %.
_REACH = 5


@dataclass(frozen=True, eq=False)
class Average:
    """Mean with exponentially falling weights: the level of simple exponential smoothing.

    Attributes
    ----------
    steps : (n,) int
        Columns of the history that it looks at, up to the last one.
    weights : (n,) float64
        Sum 1.
    """

    steps: Steps
    weights: FloatArray

    @classmethod
    def of(cls, tau: float, origin: int) -> Self:
        """Time constant `tau` in steps, for what is known before the column `origin`."""
        back = np.arange(min(origin, int(np.ceil(_REACH * tau))), 0, -1)
        weights = np.exp(-back / tau + 1 / tau)
        return cls(origin - back, weights / weights.sum())

    @cached_property
    def center(self) -> float:
        """Column that the mean stands for; it lies in the past."""
        return float(self.steps @ self.weights)

    @cached_property
    def slope_weights(self) -> FloatArray:
        """(n,): the weighted sum with these is the slope of the weighted least-squares line, a step."""
        away = self.steps - self.center
        spread = float(away**2 @ self.weights)
        weights: FloatArray = self.weights * away / spread if spread > 0 else np.zeros(len(self.steps))
        return weights

    def level(self, past: FloatArray, shape: Shape) -> FloatArray:
        """(n_series,): mean of what is left of the series without its shape."""
        level: FloatArray = past[:, self.steps[0] :] @ self.weights - shape.mean(self.steps, self.weights)
        return level

    def slope(self, past: FloatArray, shape: Shape) -> FloatArray:
        """(n_series,): its slope a step."""
        weights = self.slope_weights
        slope: FloatArray = past[:, self.steps[0] :] @ weights - shape.mean(self.steps, weights)
        return slope


def raised(shape: Shape, level: FloatArray, steps: Steps) -> FloatArray:
    """Shape, lifted to a level."""
    return level[:, np.newaxis] + shape.at(steps)


def sloped(shape: Shape, past: FloatArray, level: Average, slope: Average, leads: Steps) -> FloatArray:
    """Shape on a straight line: from the level, along the slope.

    The level is that of a while ago, where its average lies; the line makes up for it.
    """
    origin = past.shape[1]
    line = origin - 1 - level.center + leads
    rise: FloatArray = slope.slope(past, shape)[:, np.newaxis] * line
    return raised(shape, level.level(past, shape), origin - 1 + leads) + rise
