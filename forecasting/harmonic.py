"""Seasonal regression and its simpler relatives, blended by their own errors, for all series at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from forecasting.base import Forecast, steps_ahead
from forecasting.blend import Blend
from forecasting.candidates import Candidates
from forecasting.gaps import filled
from forecasting.intervals import ErrorQuantiles
from forecasting.origins import came, trials
from forecasting.plan import Plan
from forecasting.rows import alike_rows
from forecasting.shapes import Steps
from forecasting.wall_clock import WallClock
from series import Calendar, FloatArray, Window


@dataclass(kw_only=True, eq=False)
class HarmonicRegression:
    """Trend and Fourier terms beside day and week profiles, each at several levels, weighted by past errors.

    All series of a block share one factorisation. Every candidate is tried from up to 14 origins inside the history;
    the better it did, the more it counts, for each series and each range of leads. The same trials give the
    intervals. Seasons need no hint: a candidate with a season that is not there errs more and loses its weight.

    A series needs 12 samples for a forecast; with fewer, mean and interval are NaN. A history that never falls
    below 0 is never forecast below 0.

    Parameters
    ----------
    timezone : str, default "UTC"
        IANA name: where the day begins and when the clocks change.

    References
    ----------
    Hyndman and Athanasopoulos, Forecasting: Principles and Practice (3rd ed.), 7.4 and 13.4: Fourier terms,
    combinations.

    Examples
    --------
    >>> hours = np.arange(24.0 * 7)
    >>> history = Window.of([10 + np.sin(2 * np.pi * hours / 24)], step=3600)
    >>> HarmonicRegression().fit(history).forecast(6).mean.round(2)
    array([[10.  , 10.26, 10.5 , 10.71, 10.87, 10.97]])
    """

    timezone: str = "UTC"

    def __post_init__(self) -> None:
        Calendar(self.timezone)

    def fit(self, history: Window) -> Self:
        """Try the candidates from earlier origins and weigh them by their errors."""
        self.n_series_ = history.n_series
        self.history_times_ = history.times[-2:].copy()
        self.clock_ = WallClock.of(Calendar(self.timezone), history)
        values = self.clock_.local(history.values)
        self.blocks_ = [
            (rows, BlendedBlock.fit(values[rows, -length:], history.step)) for rows, length in alike_rows(values)
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
class BlendedBlock:
    """What was learned of some series of equal length."""

    center: FloatArray
    scale: FloatArray
    floor: FloatArray
    candidates: Candidates
    blend: Blend
    errors: ErrorQuantiles

    @classmethod
    def fit(cls, values: FloatArray, step: float) -> Self:
        """Learn from (n_series, n_steps) values that begin with samples; NaN where there is none."""
        plan = Plan.of(step, values.shape[1])
        whole = filled(values, plan.seasons.periods[0] if plan.seasons.periods else plan.n_steps)
        floor = np.where(whole.min(axis=1, keepdims=True) >= 0, 0.0, -np.inf)
        center, scale = _center(whole), _scale(whole)
        candidates = Candidates.of((whole - center) / scale, plan)
        told = trials(candidates.ahead, plan.n_steps, plan.origins, plan.leads)
        actual = came((values - center) / scale, plan.origins, plan.leads)
        blend = Blend.of(told, actual, plan.leads)
        own = actual - np.stack([blend(one, plan.leads) for one in told])
        return cls(center, scale, floor, candidates, blend, ErrorQuantiles.of(own, plan.leads))

    def forecast(self, leads: Steps, coverage: float) -> FloatArray:
        """(3, n_series, len(leads)): mean, lower and upper."""
        mean = self.blend(self.candidates.ahead(self.candidates.values.shape[1], leads), leads)
        below, above = self.errors.interval(leads, coverage)
        mean = np.where(np.isnan(below), np.nan, mean)
        return np.maximum(np.stack([mean, mean - below, mean + above]) * self.scale + self.center, self.floor)


def _center(whole: FloatArray) -> FloatArray:
    return np.median(whole, axis=1, keepdims=True)


def _scale(whole: FloatArray) -> FloatArray:
    spread = np.abs(whole - _center(whole)).mean(axis=1, keepdims=True)
    return np.where(spread > 0, spread, 1.0)
