"""Repeating what was: what every forecast must beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from forecasting.plan import Plan
from forecasting.shapes import Steps, median_profile
from forecasting.trialed import Continuation, TrialedForecaster
from series import FloatArray


@dataclass(kw_only=True, eq=False)
class SeasonalNaive(TrialedForecaster):
    r"""The value one day earlier; the last value where the history is shorter than two days.

    .. math:: \hat x_{t+h} = x_{t+h-mk}, \quad k = \lceil h / m \rceil

    References
    ----------
    Hyndman and Athanasopoulos, Forecasting: Principles and Practice (3rd ed.), 5.2.

    Examples
    --------
    >>> history = Window.of([np.tile(np.arange(24.0), 3)], step=3600)
    >>> SeasonalNaive().fit(history).forecast(3).mean
    array([[0., 1., 2.]])
    """

    centered: ClassVar[bool] = False
    scaled: ClassVar[bool] = False

    def _continue(self, values: FloatArray, plan: Plan, first: int) -> Continuation:
        return _Repeated(values, plan.seasons.periods[0] if plan.seasons.periods else 1)


@dataclass(kw_only=True, eq=False)
class SeasonalMedian(TrialedForecaster):
    """The median of the last seven days at the same time; of the last eighth of a history without days.

    One odd day does not show. Not for series that grow.
    """

    def _continue(self, values: FloatArray, plan: Plan, first: int) -> Continuation:
        return _Typical(values, plan.seasons.periods[0] if plan.seasons.periods else 0)


@dataclass(kw_only=True, eq=False)
class Drift(TrialedForecaster):
    r"""The last value, on the line from the first value to the last: a random walk that drifts.

    .. math:: \hat x_{t+h} = x_t + h (x_t - x_1) / (t - 1)

    References
    ----------
    Hyndman and Athanasopoulos, Forecasting: Principles and Practice (3rd ed.), 5.2.
    """

    def _continue(self, values: FloatArray, plan: Plan, first: int) -> Continuation:
        return _Line(values)


@dataclass(frozen=True, eq=False)
class _Repeated(Continuation):
    values: FloatArray
    period: int

    def ahead(self, origin: int, leads: Steps) -> FloatArray:
        repeated: FloatArray = self.values[:, origin - self.period + (leads - 1) % self.period]
        return repeated


@dataclass(frozen=True, eq=False)
class _Typical(Continuation):
    values: FloatArray
    period: int

    def ahead(self, origin: int, leads: Steps) -> FloatArray:
        past = self.values[:, :origin]
        if self.period and origin >= self.period:
            return median_profile(past, self.period, 7, leveled=False).at(origin - 1 + leads)
        middle = np.median(past[:, -max(origin // 8, 1) :], axis=1, keepdims=True)
        return np.repeat(middle, len(leads), axis=1)


@dataclass(frozen=True, eq=False)
class _Line(Continuation):
    values: FloatArray

    def ahead(self, origin: int, leads: Steps) -> FloatArray:
        last = self.values[:, origin - 1 : origin]
        slope = (last - self.values[:, :1]) / max(origin - 1, 1)
        line: FloatArray = last + slope * leads
        return line
