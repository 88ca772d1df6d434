"""Repeating the last season: what every forecast must beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from forecasting.base import Forecast, steps_ahead
from forecasting.gaps import filled
from forecasting.intervals import ErrorQuantiles
from forecasting.origins import came, trials
from forecasting.plan import Plan
from forecasting.rows import alike_rows
from forecasting.shapes import Steps
from forecasting.wall_clock import WallClock
from series import Calendar, FloatArray, Window


@dataclass(kw_only=True, eq=False)
class SeasonalNaive:
    r"""The value one day earlier; the last value where the history is shorter than two days.

    .. math:: \hat x_{t+h} = x_{t+h-mk}, \quad k = \lceil h / m \rceil

    The interval comes from the errors this would have made inside the history. A series needs 12 samples; with
    fewer, mean and interval are NaN. A history that never falls below 0 is never forecast below 0.

    Parameters
    ----------
    timezone : str, default "UTC"
        IANA name: a day earlier is at the same time on this clock.

    References
    ----------
    Hyndman and Athanasopoulos, Forecasting: Principles and Practice (3rd ed.), 5.2.

    Examples
    --------
    >>> history = Window.of([np.tile(np.arange(24.0), 3)], step=3600)
    >>> SeasonalNaive().fit(history).forecast(3).mean
    array([[0., 1., 2.]])
    """

    timezone: str = "UTC"

    def __post_init__(self) -> None:
        Calendar(self.timezone)

    def fit(self, history: Window) -> Self:
        """Keep the last day, and the errors of repeating a day."""
        self.history_times_ = history.times[-2:].copy()
        self.n_series_ = history.n_series
        self.clock_ = WallClock.of(Calendar(self.timezone), history)
        values = self.clock_.local(history.values)
        self.blocks_ = [
            (rows, _Repeated.fit(values[rows, -length:], history.step)) for rows, length in alike_rows(values)
        ]
        return self

    def forecast(self, steps: int, *, coverage: float = 0.95) -> Forecast:
        """Continue every series by `steps` steps."""
        times = steps_ahead(self.history_times_, steps, coverage)
        bounds = np.full((3, self.n_series_, steps), np.nan)
        leads = self.clock_.leads(times)
        for rows, block in self.blocks_:
            bounds[:, rows] = block.forecast(leads, coverage)
        return Forecast(times, bounds[0], bounds[1], bounds[2], coverage)


@dataclass(frozen=True, eq=False)
class _Repeated:
    """The last season of some series of equal length, with the errors of repeating it."""

    season: FloatArray
    floor: FloatArray
    errors: ErrorQuantiles

    @classmethod
    def fit(cls, values: FloatArray, step: float) -> Self:
        plan = Plan.of(step, values.shape[1])
        period = plan.seasons.periods[0] if plan.seasons.periods else 1
        whole = filled(values, period if plan.seasons.periods else plan.n_steps)
        floor = np.where(whole.min(axis=1, keepdims=True) >= 0, 0.0, -np.inf)

        def repeat(origin: int, ahead: Steps) -> FloatArray:
            repeated: FloatArray = whole[:, origin - period + (ahead - 1) % period]
            return repeated

        errors = came(values, plan.origins, plan.leads) - trials(repeat, plan.n_steps, plan.origins, plan.leads)
        return cls(whole[:, -period:], floor, ErrorQuantiles.of(errors, plan.leads))

    def forecast(self, leads: Steps, coverage: float) -> FloatArray:
        below, above = self.errors.interval(leads, coverage)
        mean = np.where(np.isnan(below), np.nan, self.season[:, (leads - 1) % self.season.shape[1]])
        bounds: FloatArray = np.maximum(np.stack([mean, mean - below, mean + above]), self.floor)
        return bounds
