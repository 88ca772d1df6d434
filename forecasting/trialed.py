"""What forecasters have in common that continue series by one method: trials, intervals, gaps, local time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

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


class Continuation(ABC):
    """A method that was fitted to a block of series, able to go on from any instant of their history."""

    @abstractmethod
    def ahead(self, origin: int, leads: Steps) -> FloatArray:
        """(n_series, n_leads): forecast from the columns before `origin`, 1 being the column of the origin itself."""


@dataclass(frozen=True, eq=False)
class _Block:
    """Some series of equal length."""

    center: FloatArray
    scale: FloatArray
    floor: FloatArray
    n_steps: int
    method: Continuation
    errors: ErrorQuantiles

    def forecast(self, leads: Steps, coverage: float) -> FloatArray:
        below, above = self.errors.interval(leads, coverage)
        mean = np.where(np.isnan(below), np.nan, self.method.ahead(self.n_steps, leads))
        return np.maximum(np.stack([mean, mean - below, mean + above]) * self.scale + self.center, self.floor)


@dataclass(kw_only=True, eq=False)
class TrialedForecaster(ABC):
    """Fits a method to blocks of series, tries it from earlier origins, and takes its intervals from the errors.

    A series needs 12 samples; with fewer, mean and interval are NaN. A history that never falls below 0 is never
    forecast below 0.

    Parameters
    ----------
    timezone : str, default "UTC"
        IANA name: where the day begins and when the clocks change.
    """

    timezone: str = "UTC"

    # Trials cost as much as forecasts: costly methods have few.
    most_trials: ClassVar[int] = 28
    # Whether the middle of a series is taken off, and its size divided out: not where zero means something, and not
    # where values are repeated to the last bit.
    centered: ClassVar[bool] = True
    scaled: ClassVar[bool] = True

    def __post_init__(self) -> None:
        Calendar(self.timezone)

    @abstractmethod
    def _continue(self, values: FloatArray, plan: Plan, first: int) -> Continuation:
        """Fit to (n_series, n_steps) values without NaN; what is estimated sees the columns before `first` alone."""

    def fit(self, history: Window) -> Self:
        """Learn from samples that are known now."""
        self.n_series_ = history.n_series
        self.history_times_ = history.times[-2:].copy()
        self.clock_ = WallClock.of(Calendar(self.timezone), history)
        values = self.clock_.local(history.values)
        self.blocks_ = [
            (rows, self._block(values[rows, -length:], history.step)) for rows, length in alike_rows(values)
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

    def _block(self, values: FloatArray, step: float) -> _Block:
        plan = Plan.of(step, values.shape[1])
        whole = filled(values, plan.seasons.periods[0] if plan.seasons.periods else plan.n_steps)
        floor = np.where(whole.min(axis=1, keepdims=True) >= 0, 0.0, -np.inf)
        center = np.median(whole, axis=1, keepdims=True) if self.centered else np.zeros((len(whole), 1))
        spread = np.abs(whole - center).mean(axis=1, keepdims=True)
        scale = np.where((spread > 0) & self.scaled, spread, 1.0)
        apart = max(len(plan.origins) // (2 * self.most_trials), 1)  # few trials look back as far as half of all
        origins = plan.origins[::-1][::apart][: self.most_trials][::-1]
        method = self._continue((whole - center) / scale, plan, origins[0])
        told = trials(method.ahead, plan.n_steps, origins, plan.leads)
        errors = came((values - center) / scale, origins, plan.leads) - told
        return _Block(center, scale, floor, plan.n_steps, method, ErrorQuantiles.of(errors, plan.leads))
