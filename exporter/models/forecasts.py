"""The forecasts of a query: computed when a batch is fitted, looked up and corrected until its next fit."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from exporter.duration import Duration
from exporter.models.ahead import Ahead, StandIn, part
from exporter.models.batches import Batches, Rows, gathered
from exporter.models.live_truth import LiveFigures, LiveTruth, repeated
from exporter.models.plan import ModelPlan
from exporter.models.stored import Tree
from forecasting import HarmonicRegression, SeasonalNaive
from forecasting.base import Forecaster
from series import FloatArray, SeriesKey, Window


@dataclass(frozen=True, eq=False)
class Interval:
    """Forecast for one instant: three arrays of shape (n_series,), NaN where there is none."""

    mean: FloatArray
    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True, eq=False)
class Forecasting:
    """How the forecasts of a query are made, and how good they are.

    Attributes
    ----------
    leads : mapping of str to int
        How many series each kind of candidate leads.
    trial_ratio : float
        Median over the series of error over naive error in the trials of the last fits; NaN unknown.
    live : mapping of Duration to LiveFigures
    fallbacks : int
        Series of which the seasonal naive forecast is shown for one horizon or more.
    """

    leads: Mapping[str, int]
    trial_ratio: float
    live: Mapping[Duration, LiveFigures]
    fallbacks: int


class ForecasterSlot:
    """The forecasts of a query.

    Parameters
    ----------
    plan : ModelPlan
    """

    def __init__(self, plan: ModelPlan) -> None:
        self._plan = plan
        # A stop keeps what is known although forecasts are still being made.
        self._whole = threading.Lock()
        self._batches = Batches(Ahead, plan.forecast_refit, plan.offset, plan.step)
        self._truth = LiveTruth(plan.horizons, plan.step, plan.coverage)

    def fit_if_due(self, window: Window, epoch: int, within: float = math.inf) -> tuple[float, int]:
        """Learn anew where the clock says so, and keep the forecasts that will be asked for before the next fit.

        Parameters
        ----------
        epoch : int
            Changes when the history was filled up: what was learned of its parts no longer holds.
        within : float
            Seconds after which the other batches are left to the next cycle. What their last fit said holds until then.

        Returns
        -------
        Seconds the fits took, and how many series were fitted.
        """
        if not self._plan.horizons or window.n_steps < 2 or not window.n_series:
            return 0.0, 0
        self._batches.place(window.keys)
        started, fitted = time.perf_counter(), 0
        for batch, last in self._batches.due(window, epoch, spare=0):
            self._fit(batch, window, last, epoch)
            fitted += len(batch.keys)
            if time.perf_counter() - started > within:
                break
        return time.perf_counter() - started, fitted

    def follow(self, window: Window) -> None:
        """Compare former forecasts with what came, and remember what is said now; call it once a cycle."""
        if not window.n_series or not self._plan.horizons:
            return
        self._truth.observe(window)
        own, shown = self._at(window)
        if shown:
            self._truth.expect(window, shown, {horizon: bounds[0] for horizon, bounds in own.items()})

    def at(self, window: Window) -> dict[Duration, Interval]:
        """Forecast for the last step of `window` + each horizon; series without a sample there have none.

        Empty before the first fit.
        """
        return {horizon: Interval(*bounds) for horizon, bounds in self._at(window)[1].items()}

    def summary(self) -> Forecasting:
        """How the forecasts are made, and how good they are."""
        leads: Counter[str] = Counter()
        for batch in self._batches:
            leads.update(batch.leads)
        ratios = np.concatenate([np.empty(0), *(batch.trial_ratio for batch in self._batches)])
        known = ratios[np.isfinite(ratios)]
        median = float(np.median(known)) if len(known) else math.nan
        return Forecasting(leads, median, self._truth.figures, self._truth.n_fallen)

    def dump(self, number: Callable[[SeriesKey], int], epoch: int) -> Tree:
        """What outlives a restart; `number` gives each series a number to stand for it."""
        with self._whole:
            batches = [batch.dump(number, epoch) for batch in self._batches]
        return {"batches": batches, "truth": self._truth.dump(number)}

    def load(self, kept: Tree, keys: Sequence[SeriesKey], epoch: int) -> None:
        """Take over what `dump` gave; `keys` are the series by their numbers."""
        self._batches.cut(len(kept["batches"]))
        for batch, known in zip(self._batches, kept["batches"], strict=True):
            batch.load(known, keys, epoch)
        self._truth.load(kept["truth"], keys)

    def _at(self, window: Window) -> tuple[dict[Duration, FloatArray], dict[Duration, FloatArray]]:
        """What the forecaster says, and what is shown: (3, n_series) by horizon, empty before the first fit."""
        own, instead = (
            {horizon: np.full((3, window.n_series), np.nan) for horizon in self._plan.horizons} for _ in range(2)
        )
        floor, found = np.full(window.n_series, -np.inf), False
        self._batches.place(window.keys)
        for batch in self._batches if window.n_series else ():
            column = round((float(window.times[-1]) - batch.end) / self._plan.step) if batch.fitted else -1
            found |= batch.look_up(column, own, instead, floor)
        if not found:
            return {}, {}
        absent = ~np.isfinite(window.values[:, -1])
        shown = {}
        for horizon, bounds in own.items():
            bounds[:, absent] = np.nan
            fallen = self._truth.fallen(window.keys, horizon) & np.isfinite(instead[horizon][0]) & ~absent
            chosen = np.where(fallen, self._renewed(instead[horizon], window, horizon), bounds)
            shown[horizon] = self._truth.corrected(window.keys, horizon, chosen, floor)
        return own, shown

    def _renewed(self, told: FloatArray, window: Window, horizon: Duration) -> FloatArray:
        """What stands in, around the season's last value as it is now: at the fit it may not have come yet."""
        naive = repeated(window, math.ceil(horizon / self._plan.step))
        return told + np.where(np.isfinite(naive), naive - told[0], 0.0)

    def _fit(self, batch: Ahead, window: Window, last: int, epoch: int) -> None:
        history = batch.schedule.history(window, last) if last > 0 else window
        keys = tuple(window.keys[row] for row in batch.members.tolist())
        learned = gathered(history, keys, batch.members, slice(None))
        model = self._plan.forecaster().fit(learned)
        leads = {horizon: math.ceil(horizon / window.step) for horizon in self._plan.horizons}
        ahead = self._columns(window)
        forecast = model.forecast(max(leads.values()) + ahead, coverage=self._plan.coverage)
        kept = {horizon: part(forecast, lead, ahead) for horizon, lead in leads.items()}
        stand_ins = self._stand_ins(learned, batch.members, window, leads, ahead)
        with self._whole:
            batch.learned(window, last, epoch)
            batch.kept, batch.stand_ins = kept, stand_ins
            batch.floor = np.where((learned.values < 0).any(axis=1), -np.inf, 0.0)
            batch.leads, batch.trial_ratio = _choice(model, self._plan.forecaster_name, learned.n_series)

    def _stand_ins(
        self, learned: Window, members: Rows, window: Window, leads: Mapping[Duration, int], ahead: int
    ) -> dict[Duration, StandIn]:
        found = {}
        for horizon, lead in leads.items():
            rows = np.flatnonzero(self._truth.fallen(window.keys, horizon)[members])
            if len(rows):
                naive = SeasonalNaive(timezone=self._plan.timezone).fit(learned.rows(rows))
                told = naive.forecast(lead + ahead, coverage=self._plan.coverage)
                found[horizon] = StandIn(rows, part(told, lead, ahead))
        return found

    def _columns(self, window: Window) -> int:
        """Columns kept of each horizon: the steps until the next fit is done, a few cycles after it is due."""
        every = min(self._plan.forecast_refit, window.n_steps * window.step)
        return 2 * math.ceil(every / window.step) + 3


def _choice(model: Forecaster, name: str, n_series: int) -> tuple[dict[str, int], FloatArray]:
    """How many series each kind leads, and error over naive error in the trials, of a model that tells."""
    if not isinstance(model, HarmonicRegression):
        return {name: n_series}, np.full(n_series, np.nan)
    choice = model.choice_
    ratio = np.divide(choice.error, choice.naive_error, out=np.full(n_series, np.nan), where=choice.naive_error > 0)
    return dict(Counter(one for one in choice.name.tolist() if one)), ratio
