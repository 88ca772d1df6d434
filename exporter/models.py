"""The models of one query: fitted now and then, asked every cycle."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from detectors.base import Baseline
from detectors.suppress import Suppression
from exporter.alarm_slot import AlarmSlot
from exporter.duration import Duration
from exporter.fit_schedule import FitSchedule
from forecasting.base import Forecaster
from series import BoolArray, FloatArray, Reason, Window

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
    offset : float
        Seconds past a multiple of it.
    """

    detector: Callable[[], Baseline]
    forecaster: Callable[[], Forecaster]
    suppression: Suppression
    step: float
    horizons: tuple[Duration, ...]
    coverage: float
    refit: Duration
    offset: float = 0.0

    @property
    def forecast_refit(self) -> float:
        """Seconds between two fits of the forecaster: a forecast 15 minutes ahead cannot be an hour old."""
        return min([float(self.refit), *(horizon / 4 for horizon in self.horizons)])


@dataclass(frozen=True)
class _Fitted:
    """Until when, and for which rows, a model learned; NaN and -1 for never."""

    end: float = math.nan
    generation: int = -1
    n_rows: int = 0

    def holds(self, end: float, generation: int) -> bool:
        return (self.end, self.generation) == (end, generation) and self.n_rows > 0

    def steps_since(self, window: Window) -> int:
        return round(float(window.times[-1] - self.end) / window.step)


class DetectorSlot:
    """The detector of a query and what it knows."""

    def __init__(self, plan: ModelPlan) -> None:
        self._plan = plan
        self._schedule = FitSchedule(float(plan.refit), plan.offset)
        self._fitted = _Fitted()
        self._model = plan.detector()
        self._never_negative: BoolArray = np.empty(0, dtype=bool)
        self._alarms = AlarmSlot(plan.suppression, plan.step)

    def fit_if_due(self, window: Window, generation: int) -> float | None:
        """Learn anew where the clock says so; the last step is judged by what was known before it.

        Returns
        -------
        Seconds the fit took, or None where the last one still holds.
        """
        if window.n_steps < 2 or not window.n_series:
            return None
        last = self._schedule.last_fit(window, spare=1)
        end = float(window.times[last])
        if self._fitted.holds(end, generation):
            return None
        started = time.perf_counter()
        history = self._schedule.history(window, last)
        self._model = self._plan.detector().fit(history)
        self._never_negative = np.logical_not((history.values < 0).any(axis=1))
        self._fitted = _Fitted(end, generation, window.n_series)
        return time.perf_counter() - started

    def judge(self, window: Window) -> Judgement:
        """Compare the last step of `window` with what was expected of it."""
        n_series = window.n_series
        n_rows = self._fitted.n_rows if n_series else 0  # where all series went, no fit follows
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
            for side in (expected, lower, upper):
                # A count or a rate below 0 is nothing anybody expects; whether a value is inside does not change.
                side[:n_rows][self._never_negative & (side[:n_rows] < 0)] = 0.0
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


@dataclass
class _Fit:
    """A fit under way: the rows before `done` have their forecasts."""

    target: _Fitted
    kept: dict[Duration, Interval]
    done: int = 0
    seconds: float = 0.0


class ForecasterSlot:
    """The forecasts of a query: computed when fitted, looked up until the next fit."""

    def __init__(self, plan: ModelPlan) -> None:
        self._plan = plan
        self._schedule = FitSchedule(plan.forecast_refit, plan.offset)
        self._fitted = _Fitted()
        self._kept: dict[Duration, Interval] = {}
        self._under_way: _Fit | None = None

    def fit_if_due(self, window: Window, generation: int, within: float = math.inf) -> float | None:
        """Learn anew where the clock says so, and keep the forecasts that will be asked for before the next fit.

        Parameters
        ----------
        within : float
            Seconds after which a fit of many series is left, to go on in the next cycle. What the last fit said
            holds until then.

        Returns
        -------
        Seconds the whole fit took, or None where it is not done, or not due, or nothing is forecast.
        """
        if not self._plan.horizons or window.n_steps < 2 or not window.n_series:
            return None
        fit = self._next_fit(window, generation)
        if fit is None:
            return None
        started = time.perf_counter()
        self._work(fit, window, started + within)
        fit.seconds += time.perf_counter() - started
        if fit.done < fit.target.n_rows:
            return None
        self._kept, self._fitted, self._under_way = fit.kept, fit.target, None
        return fit.seconds

    def _next_fit(self, window: Window, generation: int) -> _Fit | None:
        if self._under_way and self._under_way.target.generation == generation:
            return self._under_way
        end = float(window.times[self._schedule.last_fit(window, spare=0)])
        if self._fitted.holds(end, generation):
            return None
        kept = {horizon: _empty(window.n_series, self._ahead(window)) for horizon in self._plan.horizons}
        self._under_way = _Fit(_Fitted(end, generation, window.n_series), kept)
        return self._under_way

    def _ahead(self, window: Window) -> int:
        """Columns kept of each horizon: the steps until the next fit is done, a few cycles after it is due."""
        return 2 * math.ceil(self._schedule.every / window.step) + 3

    def _work(self, fit: _Fit, window: Window, deadline: float) -> None:
        last = window.n_steps - 1 - fit.target.steps_since(window)
        history = self._schedule.history(window, last) if last > 0 else window
        leads = {horizon: math.ceil(horizon / window.step) for horizon in self._plan.horizons}
        ahead = self._ahead(window)
        while fit.done < fit.target.n_rows:
            rows = slice(fit.done, min(fit.done + _BLOCK, fit.target.n_rows))
            block = Window(history.keys[rows], history.times, history.values[rows])
            model = self._plan.forecaster().fit(block)
            forecast = model.forecast(max(leads.values()) + ahead, coverage=self._plan.coverage)
            for horizon, lead in leads.items():
                columns = slice(lead - 1, lead - 1 + ahead)
                fit.kept[horizon].mean[rows] = forecast.mean[:, columns]
                fit.kept[horizon].lower[rows] = forecast.lower[:, columns]
                fit.kept[horizon].upper[rows] = forecast.upper[:, columns]
            fit.done = rows.stop
            if time.perf_counter() > deadline:
                return

    def at(self, window: Window, generation: int) -> dict[Duration, Interval]:
        """Forecast for the last step of `window` + each horizon; series without a sample there have none.

        Empty before the first fit, and where the last one no longer holds.
        """
        if not self._kept or not window.n_series or self._fitted.generation != generation:
            return {}
        column = self._fitted.steps_since(window)
        if not 0 <= column < next(iter(self._kept.values())).mean.shape[1]:
            return {}
        absent = ~np.isfinite(window.values[:, -1])
        return {horizon: _column(kept, column, absent) for horizon, kept in self._kept.items()}


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
