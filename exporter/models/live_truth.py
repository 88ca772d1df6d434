"""What was forecast, compared with what came: live error, coverage, and what follows from both."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from exporter.duration import Duration
from exporter.models.stored import Tree
from forecasting.adaptive import AdaptiveWidth
from forecasting.seasons import Seasons
from forecasting.tracking import Tracker, rounded
from series import BoolArray, FloatArray, SeriesKey, Window

# Forecasts of one horizon that are awaited at a time: enough to see each hour of a day, 20 bytes each for a series.
_AWAITED = 24
# In horizons: after how many comparisons' time a third of their weight is left; and how many make a judgement.
_MEMORY, _FEWEST = 5, 3
# Comparisons of a series before its figures are shown.
_SHOWN = 12
# One comparison moves the width by so much. Those of one horizon overlap, and all of them may miss for one reason.
_RATE = 0.03
# A forecaster loses its place where it errs by more than this over the naive one and loses this share of comparisons to
# it. It has it back where it errs less, or wins every other one.
_MARGIN, _OFTEN = 0.05, 0.7

Bounds = FloatArray
"""(3, n_series): mean, lower and upper."""


@dataclass(frozen=True)
class LiveFigures:
    """How good the forecasts for one horizon were; NaN where nothing is known yet.

    Attributes
    ----------
    error_ratio : float
        Median over the series of the mean absolute error over that of the seasonal naive forecast.
    smape : float
        Median of the symmetric mean absolute percentage error, as a ratio from 0 to 2.
    bias_ratio : float
        Median of the mean error over the mean absolute error, -1 to 1.
    coverage : float
        Share of all samples that lay inside of their intervals.
    width_factor : float
        Median of what the widths are multiplied with to cover what they promise.
    """

    error_ratio: float
    smape: float
    bias_ratio: float
    coverage: float
    width_factor: float


class LiveTruth:
    """Remembers some of the forecasts that were shown and learns from what came.

    For each horizon, forecasts are remembered at fixed times of the clock, 24 to a horizon. Memory is bounded: about a
    kilobyte a series and two horizons.

    Parameters
    ----------
    horizons : sequence of Duration
    step : float
        Seconds between two samples.
    coverage : float
        That the intervals promise.
    """

    def __init__(self, horizons: Sequence[Duration], step: float, coverage: float) -> None:
        self._horizons, self._step = tuple(horizons), step
        self._keys: tuple[SeriesKey, ...] = ()
        self._tracker = Tracker.of(len(horizons), 0, capacity=_AWAITED + 1, memory=_MEMORY * _AWAITED)
        self._width = AdaptiveWidth.of(len(horizons), 0, coverage=coverage, rate=_RATE)
        self._fallen: BoolArray = np.zeros((len(horizons), 0), dtype=np.bool_)
        self._until = -math.inf
        self._figures: dict[Duration, LiveFigures] = {}

    @property
    def figures(self) -> Mapping[Duration, LiveFigures]:
        """How good the forecasts were, by horizon."""
        return self._figures

    def fallen(self, keys: tuple[SeriesKey, ...], horizon: Duration) -> BoolArray:
        """(n_series,): the forecaster is worse than repeating the season, which is to be shown in its place."""
        self._place(keys)
        fallen: BoolArray = self._fallen[self._horizons.index(horizon)]
        return fallen

    @property
    def n_fallen(self) -> int:
        """How many series have lost their forecaster for one horizon or more."""
        return int(self._fallen.any(axis=0).sum())

    def corrected(self, keys: tuple[SeriesKey, ...], horizon: Duration, bounds: Bounds, floor: FloatArray) -> Bounds:
        """Give an interval the width that holds what is promised; `floor`, (n_series,), is never passed."""
        self._place(keys)
        return self._width.applied(self._horizons.index(horizon), bounds, floor)

    def observe(self, window: Window) -> None:
        """Compare what was said for the steps of `window` with what came."""
        self._place(window.keys)
        end = float(window.times[-1])
        if end < self._until:  # the clock was set back: what is awaited was said by a time that has not been
            self._tracker.due[:] = np.nan
            self._until = end
        due = self._tracker.due
        times = np.unique(due[due <= end])
        for time in times.tolist():
            column = round((time - float(window.times[0])) / self._step)
            self._compare(time, np.asarray(window.values[:, column], dtype=np.float64) if column >= 0 else None)
        if len(times):
            self._conclude()

    def expect(self, window: Window, shown: Mapping[Duration, Bounds], own: Mapping[Duration, FloatArray]) -> None:
        """Remember what is said at the last step of `window`, where it is time to.

        Parameters
        ----------
        shown : mapping of Duration to (3, n_series) float64
        own : mapping of Duration to (n_series,) float64
            What the forecaster says, also where something else is shown.
        """
        self._place(window.keys)
        end = float(window.times[-1])
        if end <= self._until:
            return
        self._until = end
        for row, horizon in enumerate(self._horizons):
            lead = math.ceil(horizon / self._step)
            if horizon in shown and round(end / self._step) % math.ceil(lead / _AWAITED) == 0:
                naive = repeated(window, lead)
                self._tracker.expect(row, end + lead * self._step, shown[horizon], naive, own[horizon])

    def dump(self, number: Callable[[SeriesKey], int]) -> Tree:
        """What outlives a restart; `number` gives each series a number to stand for it."""
        return {
            "keys": np.fromiter(map(number, self._keys), dtype=np.int64, count=len(self._keys)),
            "until": self._until,
            "due": self._tracker.due,
            "awaited": self._tracker.awaited,
            "sums": self._tracker.sums,
            "width": self._width.log_factor,
            "fallen": self._fallen,
        }

    def load(self, kept: Tree, keys: Sequence[SeriesKey]) -> None:
        """Take over what `dump` gave; `keys` are the series by their numbers."""
        self._keys = tuple(keys[number] for number in kept["keys"].tolist())
        self._until = kept["until"]
        self._tracker.due, self._tracker.awaited = kept["due"], kept["awaited"]
        self._tracker.sums, self._width.log_factor = kept["sums"], kept["width"]
        self._fallen = kept["fallen"]
        self._figures = self._measured()

    def _place(self, keys: tuple[SeriesKey, ...]) -> None:
        if keys is self._keys:
            return
        if keys != self._keys:
            place = {key: row for row, key in enumerate(self._keys)}
            rows = [place.get(key) for key in keys]
            self._tracker.take(rows)
            self._width.take(rows)
            self._fallen = _taken(self._fallen, rows)
        self._keys = keys

    def _compare(self, time: float, came: FloatArray | None) -> None:
        if came is not None:
            for row, place in np.argwhere(self._tracker.due == time).tolist():
                _, lower, upper, _, _ = self._tracker.awaited[row, place]
                self._width.observe(row, lower, upper, rounded(came))
        self._tracker.observe(time, np.full(len(self._keys), np.nan) if came is None else came)

    def _conclude(self) -> None:
        behind = self._tracker.falls_behind(margin=_MARGIN, fewest=_FEWEST * _AWAITED, often=_OFTEN)
        still = self._tracker.falls_behind(margin=0.0, fewest=0.0)
        self._fallen = behind | (self._fallen & still)
        self._figures = self._measured()

    def _measured(self) -> dict[Duration, LiveFigures]:
        return {horizon: self._of(row) for row, horizon in enumerate(self._horizons)}

    def _of(self, row: int) -> LiveFigures:
        tracker = self._tracker
        enough = tracker.weight[row] >= _SHOWN
        ratios = (tracker.relative_error, tracker.smape, tracker.bias_ratio, self._width.factor)
        error, smape, bias, factor = (_median(ratio[row, enough]) for ratio in ratios)
        weight = tracker.weight[row, enough]
        inside = float((tracker.coverage[row, enough] * weight).sum() / weight.sum()) if len(weight) else math.nan
        return LiveFigures(error, smape, bias, inside, factor)


def repeated(window: Window, lead: int) -> FloatArray:
    """(n_series,): the value a season before the last step + `lead`, or the last one where there was none."""
    periods = Seasons.of(window.step, window.n_steps).periods
    period = periods[0] if periods else 1
    before = np.asarray(window.values[:, window.n_steps - period + (lead - 1) % period], dtype=np.float64)
    return np.where(np.isnan(before), window.values[:, -1], before)


def _taken(old: BoolArray, rows: Sequence[int | None]) -> BoolArray:
    before = np.array([-1 if row is None else row for row in rows], dtype=np.intp)
    new = np.zeros((len(old), len(rows)), dtype=np.bool_)
    new[:, before >= 0] = old[:, before[before >= 0]]
    return new


def _median(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else math.nan
