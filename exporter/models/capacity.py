"""When the series of a query reach their limits, and what capacity they will need."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from exporter.duration import Duration
from exporter.models.batches import GONE, Batch, Batches, gathered
from exporter.models.limit_values import LimitRule, LimitValues
from exporter.models.plan import ModelPlan
from exporter.models.stored import Tree
from forecasting.limits import crossing
from forecasting.quantiles import QuantileForecast
from forecasting.resample import resampled
from forecasting.scaling import recommend
from series import FloatArray, SeriesKey, Window

# Seconds of a step, and between two fits: a date in weeks needs no minutes.
_HOUR = 3_600
# Steps of forecasts in memory at a time: each has 19 quantiles, so this is 7 MB.
_STEPS = 46_000
# Rows of what is known of a limit, in the order of `LimitState`: the limit and its dates, advice, probabilities.
_DATES, _ADVICE = 4, 8
_FIRST_PROBABILITY = _DATES + _ADVICE
# Seconds of history without which nothing is given back: the busy days of a week may not have been seen.
_ENOUGH = 7 * 86_400


@dataclass(frozen=True)
class CapacityPlan:
    """Which limits are watched, and how far ahead.

    Attributes
    ----------
    limits : tuple of LimitRule
    horizons : tuple of Duration
        Ascending; the last is how far a date is looked for.
    """

    limits: tuple[LimitRule, ...]
    horizons: tuple[Duration, ...]


@dataclass(frozen=True, eq=False)
class LimitState:
    """What is known of one limit, for every series of a window: (n_series,) float64, NaN where nothing is.

    Attributes
    ----------
    value : the limit itself, in the unit of the series
    time, lower, upper : when it will be reached, seconds since the epoch, and the ends of the interval
    change : what should be added, or below 0 given back
    capacity : what should be there then
    by : when the change should begin, seconds since the epoch
    sure : probability that the present capacity will not do, or that the smaller one will
    cost, monthly_cost : of the change over the last horizon and in a month, below 0 where it saves
    peak : highest use that is forecast, as sure as the advice shall be
    short_from : from when on the present capacity is not sure to do, seconds since the epoch
    probability : mapping of Duration to (n_series,) float64
    """

    value: FloatArray
    time: FloatArray
    lower: FloatArray
    upper: FloatArray
    change: FloatArray
    capacity: FloatArray
    by: FloatArray
    sure: FloatArray
    cost: FloatArray
    monthly_cost: FloatArray
    peak: FloatArray
    short_from: FloatArray
    probability: Mapping[Duration, FloatArray]


@dataclass(eq=False)
class _Dated(Batch):
    """A batch with what is known of each limit: (12 + n_horizons, n_series)."""

    found: dict[str, FloatArray] = field(default_factory=dict)


class CapacitySlot:
    """Dates of the limits of a query, found anew every hour.

    The hours' highest values are forecast, or the lowest where a limit is reached from above: a limit is reached by
    a peak, not by a mean.

    Parameters
    ----------
    plan : ModelPlan
    capacity : CapacityPlan
    values : LimitValues
    """

    def __init__(self, plan: ModelPlan, capacity: CapacityPlan, values: LimitValues) -> None:
        self._plan, self._capacity, self._values = plan, capacity, values
        # Requests and a stop read what is known while more is found out.
        self._whole = threading.Lock()
        self.start_cold()

    def start_cold(self) -> None:
        """Forget everything."""
        self._batches = Batches(_Dated, float(_HOUR), self._plan.offset, self._plan.step)

    def fit_if_due(self, window: Window, epoch: int, now: float, within: float = math.inf) -> tuple[float, int]:
        """Look for dates where the clock says so; see `ForecasterSlot.fit_if_due`."""
        if window.n_steps < 2 or not window.n_series:
            return 0.0, 0
        self._batches.place(window.keys)
        started, fitted = time.perf_counter(), 0
        for batch, last in self._batches.due(window, epoch, spare=0):
            self._fit(batch, window, last, epoch, now)
            fitted += len(batch.keys)
            if time.perf_counter() - started > within:
                break
        return time.perf_counter() - started, fitted

    def at(self, window: Window) -> dict[str, LimitState]:
        """What is known of each limit, by its name; series without a sample in the last step have nothing."""
        self._batches.place(window.keys)
        rows = _FIRST_PROBABILITY + len(self._capacity.horizons)
        known = {rule.name: np.full((rows, window.n_series), np.nan) for rule in self._capacity.limits}
        for batch in self._batches:
            here = batch.rows != GONE
            for name, found in batch.found.items():
                known[name][:, batch.rows[here]] = found[:, here]
        absent = ~np.isfinite(window.values[:, -1])
        for state in known.values():
            state[:, absent] = np.nan
        return {name: self._state(state) for name, state in known.items()}

    def all(self) -> Iterator[tuple[tuple[SeriesKey, ...], dict[str, LimitState]]]:
        """What was found last, series by series in batches; for other threads."""
        with self._whole:
            kept = [(batch.keys, dict(batch.found)) for batch in self._batches]
        for keys, found in kept:
            yield keys, {name: self._state(state) for name, state in found.items()}

    def dump(self, number: Callable[[SeriesKey], int], epoch: int) -> Tree:
        """What outlives a restart; `number` gives each series a number to stand for it."""
        with self._whole:
            batches = [batch.dump(number, epoch) | {"found": batch.found} for batch in self._batches]
        return {"plan": repr(self._capacity), "batches": batches}

    def load(self, kept: Tree, keys: Sequence[SeriesKey], epoch: int) -> None:
        """Take over what `dump` gave; `keys` are the series by their numbers. Dates of other limits are left."""
        if kept is None or kept["plan"] != repr(self._capacity):
            return
        self._batches.cut(len(kept["batches"]))
        for batch, known in zip(self._batches, kept["batches"], strict=True):
            batch.load(known, keys, epoch)
            batch.found = known["found"]

    def _fit(self, batch: _Dated, window: Window, last: int, epoch: int, now: float) -> None:
        history = batch.schedule.history(window, last) if last > 0 else window
        keys = tuple(window.keys[row] for row in batch.members.tolist())
        limits = {rule.name: self._values.of(rule, keys, now) for rule in self._capacity.limits}
        rows = _FIRST_PROBABILITY + len(self._capacity.horizons)
        found = {name: np.full((rows, len(keys)), np.nan) for name in limits}
        size = max(1, int(_STEPS * _HOUR // self._capacity.horizons[-1]))
        for top in range(0, len(keys), size):
            some = slice(top, top + size)
            part = gathered(history, keys[some], batch.members[some], slice(None))
            for falling in (False, True):
                rules = [rule for rule in self._capacity.limits if rule.falling == falling]
                for rule, state in self._look(part, rules, {name: each[some] for name, each in limits.items()}):
                    found[rule.name][:, some] = state
        with self._whole:
            batch.learned(window, last, epoch)
            batch.found = found

    def _look(
        self, history: Window, rules: Sequence[LimitRule], limits: Mapping[str, FloatArray]
    ) -> Iterator[tuple[LimitRule, FloatArray]]:
        """What is found of limits that are reached from the same side."""
        if not rules or history.n_steps < 2:
            return
        coarse = math.ceil(_HOUR / history.step) * int(history.step)
        hours = resampled(history, coarse, "lowest" if rules[0].falling else "highest")
        if hours.n_steps < 2:
            return
        steps = math.ceil(self._capacity.horizons[-1] / hours.step)
        forecast = QuantileForecast.of(self._plan.forecaster().fit(hours), steps)
        peak = _past_peak(hours)
        for rule in rules:
            yield rule, self._found(forecast, rule, limits[rule.name], peak, float(hours.times[-1]))

    def _found(
        self, forecast: QuantileForecast, rule: LimitRule, limit: FloatArray, peak: FloatArray, now: float
    ) -> FloatArray:
        horizons = [max(float(horizon), forecast.times[0] - now) for horizon in self._capacity.horizons]
        dates = crossing(forecast, limit, horizons, now=now, falling=rule.falling, coverage=self._plan.coverage)
        advice = np.full((_ADVICE, len(limit)), np.nan)
        for one in recommend(forecast, limit, peak, rule.scaling, now=now) if rule.scaling else ():
            change = one.amount if one.action == "add" else -one.amount
            cost, monthly = (math.nan if each is None else each for each in (one.cost, one.monthly_cost))
            told = (change, one.capacity, one.by, one.probability, cost, monthly, one.peak, one.short_from)
            advice[:, one.series] = told
        return np.vstack([limit, dates.time, dates.lower, dates.upper, advice, dates.probability])

    def _state(self, known: FloatArray) -> LimitState:
        probability = dict(zip(self._capacity.horizons, known[_FIRST_PROBABILITY:], strict=True))
        names = [each.name for each in fields(LimitState)][:_FIRST_PROBABILITY]
        return LimitState(**dict(zip(names, known, strict=False)), probability=probability)


def _past_peak(hours: Window) -> FloatArray:
    """(n_series,): highest value of the history, endless where too little is known to give anything back."""
    known = np.isfinite(hours.values)
    since = hours.times[known.argmax(axis=1)]
    enough = hours.times[-1] - since + hours.step >= _ENOUGH
    return np.where(enough, np.where(known, hours.values, -np.inf).max(axis=1), np.inf)
