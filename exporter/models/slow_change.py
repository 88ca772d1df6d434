"""Slow change of a query's series: drift, and when the level last changed; found out now and then, kept meanwhile."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from detectors.changepoint import ChangePoints, learn_from
from detectors.drift import Drift
from detectors.robust import quantile
from detectors.samples import finite
from detectors.unseasoned import unseasoned
from exporter.models.batches import GONE, Batch, Batches, gathered
from exporter.models.plan import ModelPlan
from exporter.models.stored import Tree
from series import Calendar, FloatArray, SeriesKey, Window
from series.calendar import DAY


@dataclass(frozen=True, eq=False)
class SlowChange:
    """What is known of the slow change of each series, of shape (n_series,); NaN where nothing is.

    Attributes
    ----------
    drift : float64
        1 is the threshold.
    changed : float64
        When the level last changed, seconds since the epoch.
    since : float64
        Since when the present baseline holds: the last change, or the first sample of the history.
    """

    drift: FloatArray
    changed: FloatArray
    since: FloatArray


@dataclass(eq=False)
class _Examined(Batch):
    """A batch with what was found of it: (3, n_series) drift, changed and since."""

    found: FloatArray = field(default_factory=lambda: np.empty((3, 0)))


class SlowChangeSlot:
    """Examines the series of a query, batch by batch, once a day: a drift of days is no news within the hour.

    Parameters
    ----------
    plan : ModelPlan
    """

    def __init__(self, plan: ModelPlan) -> None:
        self._calendar = Calendar(plan.timezone)
        self._least = (plan.minimum_absolute, plan.minimum_relative)
        # Others read while a batch is examined.
        self._whole = threading.Lock()
        self._batches = Batches(_Examined, max(float(plan.refit), float(DAY)), plan.offset, plan.step)

    def fit_if_due(self, window: Window, epoch: int, within: float = math.inf) -> int:
        """Examine anew where the clock says so.

        Parameters
        ----------
        epoch : int
            Changes when the history was filled up: what was found of its parts no longer holds.
        within : float
            Seconds after which the other batches are left to the next cycle.

        Returns
        -------
        How many series were examined.
        """
        if window.n_steps < 2 or not window.n_series:
            return 0
        self._batches.place(window.keys)
        started, examined = time.perf_counter(), 0
        for batch, last in self._batches.due(window, epoch, spare=0):
            self._examine(batch, window, last, epoch)
            examined += len(batch.keys)
            if time.perf_counter() - started > within:
                break
        return examined

    def at(self, window: Window) -> SlowChange:
        """What is known of the series of `window`; nothing of one without a sample at its last step."""
        now = np.full((3, window.n_series), np.nan)
        if window.n_series:
            self._batches.place(window.keys)
            for batch in self._batches:
                here = batch.rows != GONE
                now[:, batch.rows[here]] = batch.found[:, here]
            now[:, ~np.isfinite(window.values[:, -1])] = np.nan
        return SlowChange(*now)

    def of(self, key: SeriesKey) -> SlowChange | None:
        """What is known of one series, as arrays of one; None for nothing. Any thread may ask."""
        with self._whole:
            batch = self._batches.of(key)
            if batch is None or key not in batch.keys:
                return None
            return SlowChange(*batch.found[:, [batch.keys.index(key)]])

    def dump(self, number: Callable[[SeriesKey], int], epoch: int) -> Tree:
        """What outlives a restart; `number` gives each series a number to stand for it."""
        with self._whole:
            return [batch.dump(number, epoch) | {"found": batch.found} for batch in self._batches]

    def load(self, kept: Tree, keys: Sequence[SeriesKey], epoch: int) -> None:
        """Take over what `dump` gave; `keys` are the series by their numbers."""
        self._batches.cut(len(kept))
        for batch, known in zip(self._batches, kept, strict=True):
            batch.load(known, keys, epoch)
            batch.found = known["found"]

    def _examine(self, batch: _Examined, window: Window, last: int, epoch: int) -> None:
        keys = tuple(window.keys[row] for row in batch.members.tolist())
        # Up to now, not up to the time it is due: a process that has just begun is not to wait for a day.
        found = examined(gathered(window, keys, batch.members, slice(None)), self._calendar, *self._least)
        with self._whole:
            batch.learned(window, last, epoch)
            batch.found = np.stack([found.drift, found.changed, found.since])


def examined(
    history: Window, calendar: Calendar, minimum_absolute: float = 0.0, minimum_relative: float = 0.0
) -> SlowChange:
    """Look for drift and changes of level in a history of two steps or more.

    A shift within the minimum deviation is none; of series whose usual value is one and the same, such as counts that
    are mostly 0, no drift can be told.
    """
    known = np.isfinite(history.values)
    residual = unseasoned(history, calendar)
    changes = ChangePoints().find(residual, history.step)
    drifts = Drift().judge(residual, history.step)
    first = np.where(known.any(axis=1), history.times[known.argmax(axis=1)], np.nan)
    begun = learn_from(changes, history.times, history.n_series)
    changed = np.where(changes.last(history.n_series) > 0, begun, np.nan)
    low, usual, high = (quantile(finite(history.values), share) for share in (0.25, 0.5, 0.75))
    small = np.abs(drifts.shift) <= np.maximum(minimum_absolute, minimum_relative * np.abs(usual))
    score = np.where(small | (low == high), 0.0, drifts.score)
    return SlowChange(np.where(drifts.judged, score, np.nan), changed, np.fmax(first, changed))
