"""The models of one query: fitted now and then, asked every cycle."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from detectors.base import Baseline
from detectors.suppress import Alarms, Suppression
from exporter.duration import Duration
from forecasting.base import Forecaster
from series import BoolArray, FloatArray, Reason, SeriesKey, Window

# Series whose forecast is computed at a time: a dense forecast is larger than the few columns kept of it.
_BLOCK = 512


@dataclass(frozen=True, eq=False)
class Interval:
    """Forecast for one instant: three arrays of shape (n_series,), NaN where there is none."""

    mean: FloatArray
    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True, eq=False)
class Judgement:
    """What is said of the last complete step of every series.

    Attributes
    ----------
    value, expected, lower, upper, score, alarm : (n_series,) float64
        NaN where there is nothing to say.
    skipped : mapping of Reason to int
        How many series were not judged, and why.
    """

    value: FloatArray
    expected: FloatArray
    lower: FloatArray
    upper: FloatArray
    score: FloatArray
    alarm: FloatArray
    skipped: Mapping[Reason, int]


@dataclass(frozen=True)
class ModelPlan:
    """How the models of a query are made and how often they learn.

    Attributes
    ----------
    detector, forecaster : callable
        Each gives a new, unfitted model.
    suppression : Suppression
        When scores become an alarm.
    step : float
        Seconds between two samples.
    horizons : tuple of Duration
        How far ahead is forecast; empty for not at all.
    coverage : float
        Of the forecast's intervals.
    refit : Duration
        Longest time between two fits.
    """

    detector: Callable[[], Baseline]
    forecaster: Callable[[], Forecaster]
    suppression: Suppression
    step: float
    horizons: tuple[Duration, ...]
    coverage: float
    refit: Duration

    @property
    def forecast_refit(self) -> float:
        """Seconds between two fits of the forecaster: a forecast 15 minutes ahead cannot be an hour old."""
        return min([float(self.refit), *(horizon / 4 for horizon in self.horizons)])


@dataclass
class _Fitted:
    """When, on what and for which rows a model was fitted; NaN and -1 for never."""

    at: float = math.nan
    end: float = math.nan
    generation: int = -1
    n_rows: int = 0

    def steps_since(self, window: Window) -> int:
        return round(float(window.times[-1] - self.end) / window.step)

    def is_due(self, window: Window, generation: int, every: float) -> bool:
        if self.generation != generation or self.n_rows == 0:
            return window.n_series > 0
        return not 0 <= window.times[-1] - self.at < every


class AlarmSlot:
    """Alarm state of a query's series; it outlives fits, and rows that move."""

    def __init__(self, rule: Suppression, step: float) -> None:
        self._rule = rule
        self._step = step
        self._keys: tuple[SeriesKey, ...] = ()
        self._state: Alarms | None = None
        self._until = -math.inf

    def update(self, recent: Window, scores: FloatArray) -> BoolArray:
        """Take in the steps of `recent` that are new.

        Parameters
        ----------
        recent : Window
            The steps since the last fit.
        scores : (n_series, n_steps) float64
            Of these steps.

        Returns
        -------
        (n_series,) bool
            Whether each series is in alarm after the last step.
        """
        if recent.times[-1] < self._until:  # the clock was set back
            self._state, self._until = None, -math.inf
        if self._state is None or recent.keys != self._keys:
            self._state = self._carried_over(recent)
            self._keys = recent.keys
        for column in np.flatnonzero(recent.times > self._until).tolist():
            self._state.update(scores[:, column])
        self._until = float(recent.times[-1])
        return self._state.firing

    def _carried_over(self, recent: Window) -> Alarms:
        fresh = self._rule.start(recent.n_series, self._step)
        if self._state is not None:
            place = {key: row for row, key in enumerate(self._keys)}
            known = [(row, place[key]) for row, key in enumerate(recent.keys) if key in place]
            for new, old in known:
                fresh.firing[new], fresh.recent[new] = self._state.firing[old], self._state.recent[old]
                fresh.calm[new] = self._state.calm[old]
        return fresh


class DetectorSlot:
    """The detector of a query and what it knows."""

    def __init__(self, plan: ModelPlan) -> None:
        self._plan = plan
        self._fitted = _Fitted()
        self._model = plan.detector()
        self._alarms = AlarmSlot(plan.suppression, plan.step)

    def fit_if_due(self, window: Window, generation: int) -> float | None:
        """Learn from all but the last step, which is judged by what was known before it.

        Returns
        -------
        Seconds the fit took, or None where the last one still holds.
        """
        if window.n_steps < 2 or not self._fitted.is_due(window, generation, self._plan.refit):
            return None
        started = time.perf_counter()
        self._model = self._plan.detector().fit(window.until(-1))
        self._fitted = _Fitted(float(window.times[-1]), float(window.times[-2]), generation, window.n_series)
        return time.perf_counter() - started

    def judge(self, window: Window) -> Judgement:
        """Compare the last step of `window` with what was expected of it."""
        n_rows, n_series = self._fitted.n_rows, window.n_series
        value = window.values[:, -1].copy()
        expected, lower, upper = (np.full(n_series, np.nan) for _ in range(3))
        score, alarm = np.zeros(n_series), np.zeros(n_series)
        warming_up = np.ones(n_series, dtype=bool)
        if n_rows:
            since = max(1, self._fitted.steps_since(window))
            recent = Window(window.keys[:n_rows], window.times[-since:], window.values[:n_rows, -since:])
            band = self._model.expect(recent)
            scores = self._model.score_against(band, recent)
            expected[:n_rows], lower[:n_rows], upper[:n_rows] = (
                side[:, -1] for side in (band.expected, band.lower, band.upper)
            )
            score[:n_rows] = scores[:, -1]
            alarm[:n_rows] = self._alarms.update(recent, scores)
            warming_up[:n_rows] = self._model.warming_up_
        infinite = np.isinf(value)
        missing = np.isnan(value)
        warming_up &= ~(infinite | missing)
        score[warming_up] = 0.0
        for side in (value, expected, lower, upper, score, alarm):
            side[infinite | missing] = np.nan
        return Judgement(value, expected, lower, upper, score, alarm, _count(missing, infinite, warming_up))


def _count(missing: BoolArray, infinite: BoolArray, warming_up: BoolArray) -> dict[Reason, int]:
    return {
        Reason.NO_SAMPLE: int(missing.sum()),
        Reason.NOT_FINITE: int(infinite.sum()),
        Reason.WARMING_UP: int(warming_up.sum()),
    }


class ForecasterSlot:
    """The forecasts of a query: computed when fitted, looked up until the next fit."""

    def __init__(self, plan: ModelPlan) -> None:
        self._plan = plan
        self._fitted = _Fitted()
        self._kept: dict[Duration, Interval] = {}

    def fit_if_due(self, window: Window, generation: int) -> float | None:
        """Learn from the whole window and keep the forecasts that will be asked for before the next fit.

        Returns
        -------
        Seconds the fit took, or None where the last one still holds, or nothing is forecast.
        """
        every = self._plan.forecast_refit
        if not self._plan.horizons or window.n_steps < 2 or not self._fitted.is_due(window, generation, every):
            return None
        started = time.perf_counter()
        # A cycle or two may pass between the time a fit is due and its end.
        self._kept = self._compute(window, ahead=math.ceil(every / window.step) + 3)
        self._fitted = _Fitted(float(window.times[-1]), float(window.times[-1]), generation, window.n_series)
        return time.perf_counter() - started

    def at(self, window: Window, generation: int) -> dict[Duration, Interval]:
        """Forecast for the last step of `window` + each horizon; series without a sample there have none.

        Empty before the first fit, and where the last one no longer holds.
        """
        every = self._plan.forecast_refit + 2 * window.step if window.n_steps > 1 else 0.0
        if not self._kept or self._fitted.is_due(window, generation, every):
            return {}
        column = self._fitted.steps_since(window)
        absent = ~np.isfinite(window.values[:, -1])
        return {horizon: _column(kept, column, absent) for horizon, kept in self._kept.items()}

    def _compute(self, window: Window, ahead: int) -> dict[Duration, Interval]:
        leads = {horizon: math.ceil(horizon / window.step) for horizon in self._plan.horizons}
        steps = max(leads.values()) + ahead
        kept = {horizon: _empty(window.n_series, ahead) for horizon in leads}
        for top in range(0, window.n_series, _BLOCK):
            rows = slice(top, top + _BLOCK)
            block = Window(window.keys[rows], window.times, window.values[rows])
            forecast = self._plan.forecaster().fit(block).forecast(steps, coverage=self._plan.coverage)
            for horizon, lead in leads.items():
                columns = slice(lead - 1, lead - 1 + ahead)
                kept[horizon].mean[rows] = forecast.mean[:, columns]
                kept[horizon].lower[rows] = forecast.lower[:, columns]
                kept[horizon].upper[rows] = forecast.upper[:, columns]
        return kept


def _empty(n_series: int, n_columns: int) -> Interval:
    mean, lower, upper = (np.full((n_series, n_columns), np.nan) for _ in range(3))
    return Interval(mean, lower, upper)


def _column(kept: Interval, column: int, absent: BoolArray) -> Interval:
    def pick(side: FloatArray) -> FloatArray:
        result = np.full(len(absent), np.nan)
        result[: len(side)] = side[:, column]
        result[absent] = np.nan
        return result

    return Interval(pick(kept.mean), pick(kept.lower), pick(kept.upper))
