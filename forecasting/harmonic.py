"""Seasonal regression and its simpler relatives, blended by their own errors, for all series at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from forecasting.base import Forecast, steps_ahead
from forecasting.blended_block import BlendedBlock
from forecasting.rows import alike_rows
from forecasting.wall_clock import WallClock
from series import Calendar, Window


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
