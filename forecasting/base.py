"""What every forecaster promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from series import FloatArray, Window


@dataclass(frozen=True, eq=False)
class Forecast:
    """What comes next.

    Attributes
    ----------
    times : (steps,) float64
        Seconds since the epoch: the instants after the history's last.
    mean, lower, upper : (n_series, steps) float64
        In the unit of the series; NaN throughout a series with too little history.
    coverage : float
        Share of actual values that shall fall between `lower` and `upper`.
    """

    times: FloatArray
    mean: FloatArray
    lower: FloatArray
    upper: FloatArray
    coverage: float


class Forecaster(Protocol):
    """What comes next?

    Promises, each checked for every entry of `FORECASTERS` by the contract tests:

    - Arguments are keyword-only, stored unchanged, and refused in the constructor where they are bad.
    - `fit` returns `self`; what was learned ends in an underscore.
    - ``lower <= mean <= upper``; more coverage never narrows an interval.
    - The same history gives the same forecast to the last bit; no row sees another, unless the class declares
      ``cross_series = True``.
    """

    def fit(self, history: Window) -> Self:
        """Learn from samples that are known now."""

    def forecast(self, steps: int, *, coverage: float = 0.95) -> Forecast:
        """Continue every series of the history by `steps` steps.

        Parameters
        ----------
        steps : int
            1 or more, each as long as a step of the history.
        coverage : float
            Above 0 and below 1.
        """


def steps_ahead(history_times: FloatArray, steps: int, coverage: float) -> FloatArray:
    """Instants of a forecast, for arguments that make sense.

    Parameters
    ----------
    history_times : (2 or more,) float64
        Seconds since the epoch.

    Returns
    -------
    (steps,) float64
        Seconds since the epoch.

    Raises
    ------
    ValueError
        Where `steps` or `coverage` cannot be.
    """
    if steps < 1:
        raise ValueError(f"steps must be 1 or more. Got {steps}.")
    if not 0 < coverage < 1:
        raise ValueError(f"coverage must be above 0 and below 1. Got {coverage}.")
    before, last = history_times[-2:]
    ahead: FloatArray = last + (last - before) * np.arange(1, steps + 1, dtype=np.float64)
    return ahead
