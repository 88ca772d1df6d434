"""Trend and waves by least squares: one factorisation for all series, for every beginning of the history."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from forecasting.plan import Plan
from forecasting.shapes import Waves
from series import FloatArray

# Keeps waves small that the history hardly shows; of the number of steps.
_RIDGE = 0.01
# Keeps the trend solvable in a history of one step; of a step.
_JITTER = 1e-3


@dataclass(frozen=True, eq=False)
class Regression:
    """Waves beside a trend, fitted to every beginning of the history that a forecast is tried from.

    The sums that least squares needs are added up along the history once, so one more origin costs one small
    solve for all series together.

    Attributes
    ----------
    fits : dict of int to Waves
        By origin, each fitted to the columns before it; without the trend.
    """

    fits: dict[int, Waves]

    @classmethod
    def fit(cls, values: FloatArray, plan: Plan) -> Self:
        """Solve for each origin of the plan, for its check and for the end of the history.

        Parameters
        ----------
        values : (n_series, n_steps) float64
            No NaN.
        """
        origins = sorted({*plan.origins, plan.n_steps - plan.check, plan.n_steps})
        trend = np.column_stack([np.ones(plan.n_steps), np.arange(plan.n_steps) / plan.n_steps])
        design = np.hstack([trend, plan.basis.table])
        penalty = np.repeat([0.0, _RIDGE], [2, design.shape[1] - 2])
        gram, moments, fits = np.zeros((design.shape[1],) * 2), np.zeros((design.shape[1], len(values))), {}
        for start, stop in pairwise([0, *origins]):
            part = design[start:stop]
            gram, moments = gram + part.T @ part, moments + part.T @ values[:, start:stop].T
            used = slice(2 + 2 * plan.seasons.n_waves(stop))
            solution = np.linalg.solve((gram + np.diag(stop * penalty + _JITTER))[used, used], moments[used])
            fits[stop] = Waves(np.ascontiguousarray(solution[2:].T), plan.basis)
        return cls(fits)
