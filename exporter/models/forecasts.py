"""The forecasts of a query: computed when a batch is fitted, looked up until its next fit."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from exporter.duration import Duration
from exporter.models.batches import GONE, Batch, Batches, gathered
from exporter.models.plan import ModelPlan
from exporter.models.stored import Tree
from series import FloatArray, SeriesKey, Window


@dataclass(frozen=True, eq=False)
class Interval:
    """Forecast for one instant: three arrays of shape (n_series,), NaN where there is none."""

    mean: FloatArray
    lower: FloatArray
    upper: FloatArray


@dataclass(eq=False)
class _Ahead(Batch):
    """A batch with its forecasts: for each horizon (3, n_series, columns) mean, lower and upper.

    The first column is that of the last step learned from + the horizon.
    """

    kept: dict[Duration, FloatArray] = field(default_factory=dict)


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
        self._batches = Batches(_Ahead, plan.forecast_refit, plan.offset, plan.step)

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
        for batch, last in self._due(window, epoch):
            self._fit(batch, window, last, epoch)
            fitted += len(batch.keys)
            if time.perf_counter() - started > within:
                break
        return time.perf_counter() - started, fitted

    def at(self, window: Window) -> dict[Duration, Interval]:
        """Forecast for the last step of `window` + each horizon; series without a sample there have none.

        Empty before the first fit.
        """
        if not window.n_series:
            return {}
        self._batches.place(window.keys)
        now = {horizon: np.full((3, window.n_series), np.nan) for horizon in self._plan.horizons}
        found = False
        for batch in self._batches:
            column = round((float(window.times[-1]) - batch.end) / self._plan.step) if batch.fitted else -1
            for horizon, kept in batch.kept.items():
                if horizon in now and 0 <= column < kept.shape[2]:
                    here = batch.rows != GONE
                    now[horizon][:, batch.rows[here]] = kept[:, here, column]
                    found = True
        absent = ~np.isfinite(window.values[:, -1])
        for bounds in now.values():
            bounds[:, absent] = np.nan
        return {horizon: Interval(*bounds) for horizon, bounds in now.items()} if found else {}

    def dump(self, number: Callable[[SeriesKey], int], epoch: int) -> Tree:
        """What outlives a restart; `number` gives each series a number to stand for it."""
        with self._whole:
            return [
                {
                    "keys": np.fromiter((number(key) for key in batch.keys), dtype=np.int64, count=len(batch.keys)),
                    "end": batch.end,
                    "holds": batch.epoch == epoch,
                    "kept": {str(int(horizon)): kept for horizon, kept in batch.kept.items()},
                }
                for batch in self._batches
            ]

    def load(self, kept: Tree, keys: Sequence[SeriesKey], epoch: int) -> None:
        """Take over what `dump` gave; `keys` are the series by their numbers."""
        self._batches.cut(len(kept))
        for batch, known in zip(self._batches, kept, strict=True):
            batch.keys = tuple(keys[number] for number in known["keys"].tolist())
            batch.end, batch.epoch = known["end"], epoch if known["holds"] else epoch - 1
            batch.kept = {Duration(int(seconds)): one for seconds, one in known["kept"].items()}

    def _due(self, window: Window, epoch: int) -> list[tuple[_Ahead, int]]:
        columns = [(batch, batch.due(window, epoch, spare=0)) for batch in self._batches]
        due = [(batch, last) for batch, last in columns if last is not None]
        return sorted(due, key=lambda one: one[0].end if one[0].fitted else -math.inf)

    def _fit(self, batch: _Ahead, window: Window, last: int, epoch: int) -> None:
        history = batch.schedule.history(window, last) if last > 0 else window
        keys = tuple(window.keys[row] for row in batch.members.tolist())
        model = self._plan.forecaster().fit(gathered(history, keys, batch.members, slice(None)))
        leads = {horizon: math.ceil(horizon / window.step) for horizon in self._plan.horizons}
        ahead = self._columns(window)
        forecast = model.forecast(max(leads.values()) + ahead, coverage=self._plan.coverage)
        bounds = np.stack([forecast.mean, forecast.lower, forecast.upper])
        kept = {horizon: bounds[:, :, lead - 1 : lead - 1 + ahead].copy() for horizon, lead in leads.items()}
        with self._whole:
            batch.learned(window, last, epoch)
            batch.kept = kept

    def _columns(self, window: Window) -> int:
        """Columns kept of each horizon: the steps until the next fit is done, a few cycles after it is due."""
        every = min(self._plan.forecast_refit, window.n_steps * window.step)
        return 2 * math.ceil(every / window.step) + 3
