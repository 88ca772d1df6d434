"""Distance from what a forecaster expected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from detectors.base import Band
from detectors.calibrate import exceeded
from detectors.checks import above, at_least, share
from detectors.decomposition import residual_score
from detectors.robust import median
from detectors.samples import ROUNDING, finite, warming_up
from series import FloatArray, Window
from series.calendar import DAY

Expect = Callable[[Window, int], FloatArray]
"""History and a number of steps in, the mean expected of each (n_series, n_steps) out; NaN where nothing is."""

# Days a series repeats itself over, as the median over them forgets an incident on one.
REMEMBERED = 5


def usual_day(history: Window, steps: int) -> FloatArray:
    """Median of the same time on the last five days, or of the whole history where it is shorter than a day.

    Parameters
    ----------
    history : Window
    steps : int
        That follow it.

    Returns
    -------
    (n_series, steps) float64
        NaN where no day has a sample at that time.
    """
    values = finite(history.values)
    a_day = max(1, round(DAY / history.step)) if history.n_steps > 1 else 1
    days = min(REMEMBERED, history.n_steps // a_day)
    if days == 0:
        return np.repeat(median(values)[:, None], steps, axis=1)
    last = values[:, history.n_steps - days * a_day :].reshape(history.n_series, days, a_day)
    return median(last.swapaxes(1, 2))[:, np.arange(steps) % a_day]


@dataclass(kw_only=True, eq=False)
class ForecastResidual:
    """How far a sample lies from what was forecast before it, over the error that forecasts of the past had.

    At a fit the forecaster looks a day ahead from several days of the history, and two days from its end; after these
    the second is repeated. The threshold is what the errors of the past exceed `rate` times a day
    (`detectors.calibrate`). The later a step lies after the fit, the older its forecast: refit about once a day.

    Any forecaster fits in: `forecaster` is a function of a history and a number of steps. With one of
    `forecasting.FORECASTERS` it is ``lambda history, steps: Arima().fit(history).forecast(steps).mean``.

    Parameters
    ----------
    forecaster : callable, default `usual_day`
        (history, steps) to the expected mean (n_series, steps).
    origins : int, default 7
        Days of the history, its last ones, whose forecasts are compared with what came; fewer where it is shorter.
    rate : float, default 0.1
        How often a day an ordinary sample may score above 1.
    warm_up : float, default 172800
        Seconds a history must span.
    fewest : int, default 60
        Samples a history must hold.
    most_missing : float, default 0.8
        Share of the history's steps, from its first sample on, that may be missing.

    Examples
    --------
    >>> hours = np.arange(14 * 24)
    >>> busy = 100 + 50 * np.sin(2 * np.pi * hours / 24) + hours % 5
    >>> morning = Window.of([[101.0, 300.0]], step=3600, start=14 * 86400)
    >>> ForecastResidual().fit(Window.of([busy], step=3600)).score(morning) > 1
    array([[False,  True]])
    """

    snapshots: ClassVar[bool] = False
    """A function is not kept over a restart: it is fitted again."""

    forecaster: Expect = usual_day
    origins: int = 7
    rate: float = 0.1
    warm_up: float = 172_800.0
    fewest: int = 60
    most_missing: float = 0.8

    def __post_init__(self) -> None:
        if not callable(self.forecaster):
            raise TypeError(f"ForecastResidual.forecaster must be callable. Got {self.forecaster!r}.")
        at_least(self, origins=1, warm_up=0, fewest=2)
        above(self, rate=0)
        share(self, "most_missing")

    def fit(self, history: Window) -> Self:
        """Learn from `history`, up to now."""
        self.warming_up_ = warming_up(history, span=self.warm_up, fewest=self.fewest, most_missing=self.most_missing)
        self.a_day_ = max(1, round(DAY / history.step)) if history.n_steps > 1 else 1
        self.ahead_, self.passed_ = self._forecast(history, 2 * self.a_day_), 0
        self.limit_ = self._limit(history)
        return self

    def advance(self, window: Window) -> None:
        """Take note of steps that will not change any more; what is judged from now on begins right after them."""
        self.passed_ += window.n_steps

    def expect(self, window: Window) -> Band:
        """Expected value and band for each step of `window`, from what was known at the fit."""
        steps = self.passed_ + np.arange(window.n_steps)
        again = self.a_day_ + steps % self.a_day_
        expected = self.ahead_[:, np.where(steps < 2 * self.a_day_, steps, again)]
        half = np.maximum(self.limit_[:, None], ROUNDING * np.abs(expected))
        return Band(expected, expected - half, expected + half)

    def score(self, window: Window) -> FloatArray:
        """Judge the steps of `window`, which begin right after the last that is known."""
        return self.score_against(self.expect(window), window)

    def score_against(self, band: Band, window: Window) -> FloatArray:
        """Scores of `window` against its own band, for callers that need both: the same as `score`."""
        return residual_score(band, window.values, self.warming_up_)

    def _limit(self, history: Window) -> FloatArray:
        """(n_series,): error that forecasts of up to a day ahead exceed `rate` times a day."""
        a_day = self.a_day_
        days = max(0, min(self.origins, history.n_steps // a_day - 1))
        errors = np.full((history.n_series, days * a_day), np.nan)
        for ago in range(days, 0, -1):
            start, place = history.n_steps - ago * a_day, (days - ago) * a_day
            expected = self._forecast(history.until(start), a_day)
            came = finite(history.values[:, start : start + a_day])
            with np.errstate(over="ignore", invalid="ignore"):
                errors[:, place : place + a_day] = np.abs(came - expected)
        return exceeded(errors, history.step, self.rate) if days else np.zeros(history.n_series)

    def _forecast(self, history: Window, steps: int) -> FloatArray:
        expected = np.full((history.n_series, steps), np.nan)
        rows = np.flatnonzero(~self.warming_up_)
        if len(rows):
            expected[rows] = self.forecaster(history.rows(rows), steps)
        return expected
