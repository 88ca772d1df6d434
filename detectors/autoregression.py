"""What the last samples let expect of the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.checks import above, at_least
from detectors.windowed import Rows, Single, Windowed
from series import FloatArray


@dataclass(kw_only=True, eq=False)
class Autoregression(Windowed):
    """Error of the forecast of a sample from those before it, by ridge regression.

    See `Windowed` for the other arguments.

    Parameters
    ----------
    lags : int, default 12
        Samples a forecast is made from.
    ridge : float, default 0.001
        Penalty on the coefficients, per sample of the history.

    References
    ----------
    Box and Jenkins (1970), Time Series Analysis: Forecasting and Control; Hoerl and Kennard (1970), Ridge Regression.
    """

    lags: int = 12
    ridge: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, lags=1)
        above(self, ridge=0)

    def _span(self) -> int:
        return self.lags + 1

    def _allocate(self, n_series: int) -> None:
        self.coefficients_ = np.zeros((n_series, self.lags, 1))

    def _learn_shape(self, rows: Rows, windows: Single) -> FloatArray:
        past = windows[..., :-1].astype(np.float64)
        transposed = past.transpose(0, 2, 1)
        penalty = self.ridge * past.shape[1] * np.eye(self.lags)
        target = windows[..., -1:].astype(np.float64)
        self.coefficients_[rows] = np.linalg.solve(transposed @ past + penalty, transposed @ target)
        return self._errors(rows, windows)

    def _errors(self, rows: Rows, windows: Single) -> FloatArray:
        expected = windows[..., :-1] @ self.coefficients_[rows]
        return np.asarray(np.abs(windows[..., -1] - expected[..., 0]))
