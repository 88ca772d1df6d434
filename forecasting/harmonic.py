"""Seasonal regression and its simpler relatives, blended by their own errors, for all series at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from forecasting.base import Forecast, steps_ahead
from forecasting.blended_block import BlendedBlock
from forecasting.choice import Choice
from forecasting.occasion_effects import OccasionCalendar, OccasionEffects
from forecasting.rows import alike_rows
from forecasting.wall_clock import WallClock
from series import Calendar, FloatArray, Window
from series.calendar import DAY


@dataclass(kw_only=True, eq=False)
class HarmonicRegression:
    """Trend and Fourier terms beside day and week profiles, each at several levels, weighted by past errors.

    All series of a block share one factorisation. Every candidate is tried from up to 28 origins inside the history;
    the better it did, the more it counts, for each series and each range of leads. The same trials give the
    intervals. Seasons need no hint: a candidate with a season that is not there errs more and loses its weight.

    A series needs 12 samples for a forecast; with fewer, mean and interval are NaN. A history that never falls
    below 0 is never forecast below 0.

    Parameters
    ----------
    timezone : str, default "UTC"
        IANA name: where the day begins and when the clocks change.
    occasions : OccasionCalendar or None, default None
        Holidays and planned events, such as `series.occasions.Occasions`: what they did to a series in the past they
        will do again.

    Attributes
    ----------
    choice_ : Choice
        What weighs most in the forecast of each series; its error in the trials beside that of the naive forecast.

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
    occasions: OccasionCalendar | None = None

    def __post_init__(self) -> None:
        Calendar(self.timezone)

    def fit(self, history: Window) -> Self:
        """Try the candidates from earlier origins and weigh them by their errors."""
        self.n_series_ = history.n_series
        self.history_times_ = history.times[-2:].copy()
        self.never_negative_ = np.logical_not((history.values < 0).any(axis=1, keepdims=True))
        self.clock_ = WallClock.of(Calendar(self.timezone), history)
        values = self._without_effects(history)
        self.n_local_ = values.shape[1]
        self.blocks_ = [
            (rows, BlendedBlock.fit(values[rows, -length:], history.step)) for rows, length in alike_rows(values)
        ]
        self.choice_ = Choice.nothing(self.n_series_)
        for rows, block in self.blocks_:
            self.choice_.put(rows, block.choice)
        return self

    def forecast(self, steps: int, *, coverage: float = 0.95) -> Forecast:
        """Continue every series by `steps` steps."""
        times = steps_ahead(self.history_times_, steps, coverage)
        bounds = np.full((3, self.n_series_, steps), np.nan)
        leads = self.clock_.leads(times)
        for rows, block in self.blocks_:
            bounds[:, rows] = block.forecast(leads, coverage)
        if self.occasions is not None:
            bounds += np.stack(self.effects_.at(self.occasions.features(times), self.n_local_ - 1 + leads))
            bounds = np.where(self.never_negative_, np.maximum(bounds, 0.0), bounds)
        return Forecast(times, bounds[0], bounds[1], bounds[2], coverage)

    def _without_effects(self, history: Window) -> FloatArray:
        """(n_series, n_local): samples in local columns, less what is expected of occasions there."""
        values = self.clock_.local(history.values)
        if self.occasions is None:
            return values
        on = np.nan_to_num(self.clock_.local(self.occasions.features(history.times)))
        day = max(round(DAY / history.step), 1)
        self.effects_ = OccasionEffects.of(values, on, day if 2 * day <= history.n_steps else 1)
        return values - self.effects_.past
