"""ARIMA and unobserved components, by statsmodels, one series at a time."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from forecasting.plan import Plan
from forecasting.shapes import Basis, Steps
from forecasting.trialed import Continuation, TrialedForecaster
from series import FloatArray

# Of a series' spread: a remainder below it is rounding, and has no parameters.
_ROUNDING = 1e-9
_RIDGE = 1e-3
# Fewest samples that parameters are estimated from.
_FEWEST = 20


@dataclass(kw_only=True, eq=False)
class _StateSpace(TrialedForecaster):
    """Waves of the day by least squares, and a state-space model of what they leave.

    Parameters are estimated once, from what lies before the first trial; from each origin the model is filtered
    anew with them, so no trial knows its own future.

    Parameters
    ----------
    harmonics : int, default 4
        Waves of the day, 0 or more.
    """

    harmonics: int = 4

    most_trials: ClassVar[int] = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.harmonics < 0:
            raise ValueError(f"{type(self).__name__}.harmonics must be 0 or more. Got {self.harmonics!r}.")

    @abstractmethod
    def _model(self, past: FloatArray) -> Any:
        """Make statsmodels' model of (n_steps,) samples."""

    @abstractmethod
    def _parameters(self, past: FloatArray) -> FloatArray:
        """Estimate the parameters of that model."""

    def _continue(self, values: FloatArray, plan: Plan, first: int) -> Continuation:
        shown = plan.seasons.n_daily and first >= 2 * plan.seasons.waves[0]
        waves = plan.seasons.waves[: min(self.harmonics, plan.seasons.n_daily)] if shown else np.empty(0)
        basis = Basis.of(waves, values.shape[1])
        weights = _least_squares(values[:, :first], basis.table[:first])
        # An optimiser makes much of the last bit, which depends on how many series stand in a block.
        rest = np.round(values - weights @ basis.table.T, 9)
        with _quiet():
            parameters = [self._estimated(row[:first]) for row in rest]
        return _Filtered(self, rest, basis, weights, parameters)

    def _estimated(self, past: FloatArray) -> FloatArray | None:
        """None for a row without anything to estimate: it goes on as it is."""
        if len(past) < _FEWEST or past.std() < _ROUNDING:
            return None
        try:
            return self._parameters(past)
        except (np.linalg.LinAlgError, ValueError, IndexError):
            return None

    def rest_ahead(self, past: FloatArray, parameters: FloatArray | None, steps: int) -> FloatArray:
        """(steps,): what the waves do not explain; its last value where the model has no answer."""
        if parameters is None:
            return np.full(steps, past[-1])
        told = np.asarray(self._model(past).filter(parameters).forecast(steps), dtype=np.float64)
        return told if np.isfinite(told).all() else np.full(steps, past[-1])


@dataclass(kw_only=True, eq=False)
class Arima(_StateSpace):
    """ARIMA on what the waves of the day leave: dynamic harmonic regression.

    Parameters
    ----------
    order : (int, int, int), default (2, 0, 1)
        Autoregressive terms, differences, moving averages.
    harmonics : int, default 4
        Waves of the day, 0 or more.

    References
    ----------
    Hyndman and Athanasopoulos, Forecasting: Principles and Practice (3rd ed.), 10.5; Hannan and Rissanen (1982),
    Recursive estimation of mixed autoregressive-moving average order: a hundredth of the time of maximum likelihood.
    """

    order: tuple[int, int, int] = (2, 0, 1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not all(0 <= terms <= 5 for terms in self.order):
            raise ValueError(f"Arima.order must be three numbers from 0 to 5. Got {self.order!r}.")

    def _model(self, past: FloatArray) -> Any:
        arima = import_module("statsmodels.tsa.arima.model").ARIMA
        return arima(past, order=self.order, trend="n" if self.order[1] else "c", enforce_stationarity=False)

    def _parameters(self, past: FloatArray) -> FloatArray:
        fitted: FloatArray = self._model(past).fit(method="hannan_rissanen", low_memory=True).params
        return fitted


@dataclass(kw_only=True, eq=False)
class UnobservedComponents(_StateSpace):
    """Local linear trend and noise on what the waves of the day leave.

    References
    ----------
    Harvey (1989), Forecasting, Structural Time Series Models and the Kalman Filter.
    """

    def _model(self, past: FloatArray) -> Any:
        components = import_module("statsmodels.tsa.statespace.structural").UnobservedComponents
        return components(past, level="lltrend")

    def _parameters(self, past: FloatArray) -> FloatArray:
        fitted: FloatArray = self._model(past).fit(disp=0, maxiter=30, low_memory=True).params
        return fitted


@dataclass(frozen=True, eq=False)
class _Filtered(Continuation):
    forecaster: _StateSpace
    rest: FloatArray
    basis: Basis
    weights: FloatArray
    parameters: list[FloatArray | None]

    def ahead(self, origin: int, leads: Steps) -> FloatArray:
        season: FloatArray = self.weights @ self.basis(origin - 1 + leads, len(self.basis.periods)).T
        with _quiet():
            told = [
                self.forecaster.rest_ahead(row[:origin], parameters, int(leads[-1]))[leads - 1]
                for row, parameters in zip(self.rest, self.parameters, strict=True)
            ]
        return season + np.stack(told)


@contextmanager
def _quiet() -> Iterator[None]:
    """Statsmodels warns of every series it finds hard, which tells an operator nothing."""
    import_module("statsmodels.tools.sm_exceptions")  # sets filters of its own when first imported
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _least_squares(values: FloatArray, table: FloatArray) -> FloatArray:
    """(n_series, n_columns): weights of the columns beside a constant, which is left to the model."""
    design = np.column_stack([np.ones(len(table)), table])
    gram = design.T @ design + np.diag(np.full(design.shape[1], _RIDGE))
    weights: FloatArray = np.linalg.solve(gram, design.T @ values.T)[1:].T
    return weights
