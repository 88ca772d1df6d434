"""Series of a query that are like each other: learned batch by batch, compared every cycle."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from detectors.peers import Peers, drawn_steps
from exporter.models.batches import GONE, Batch, Batches, Rows, gathered
from exporter.models.fit_schedule import FitSchedule
from exporter.models.groups import ALONE, group_of, numbered
from exporter.models.plan import ModelPlan
from exporter.models.stored import Tree
from series import FloatArray, SeriesKey, Window


@dataclass(frozen=True)
class Others:
    """Where the peers of one series are.

    Attributes
    ----------
    group : SeriesKey
        What they have in common.
    count : int
        Peers that have a sample, the series itself left out.
    low, high : float
        Between which they are; a tenth at either end is left out where there are ten or more.
    """

    group: SeriesKey
    count: int
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class PeersSeen:
    """What comparing says of the newest steps.

    Attributes
    ----------
    scores, sides : (n_series, n_steps) float64
        1 is the threshold, NaN where a series was not compared; the sign of its deviation from what was expected.
    lower, upper : (n_series,) float64
        Between which each was expected beside its peers at the last step.
    member_of : (n_series,) intp
        Number of each one's group, or `ALONE`.
    groups : tuple of SeriesKey
    fleet : ((n,) intp, (n,) float64)
        Group and last value of all that were compared, also of those that are not among the series.
    """

    scores: FloatArray
    sides: FloatArray
    lower: FloatArray
    upper: FloatArray
    member_of: Rows
    groups: tuple[SeriesKey, ...]
    fleet: tuple[Rows, FloatArray]

    def others(self, row: int, value: float) -> Others | None:
        """Where the peers of a series with the last value `value` are; None where it was not compared."""
        if (number := int(self.member_of[row])) == ALONE or math.isnan(self.scores[row, -1]):
            return None
        member, values = self.fleet
        known = np.sort(values[(member == number) & np.isfinite(values)])
        place = int(np.searchsorted(known, value))
        known = np.delete(known, min(place, len(known) - 1))
        cut = len(known) // 10
        return Others(self.groups[number], len(known), float(known[cut]), float(known[-1 - cut]))

    def of(self, rows: Rows) -> PeersSeen:
        """The same of some of the series; -1 for one that is not among them."""
        gone = rows == GONE
        picked = {name: getattr(self, name)[rows].copy() for name in ("scores", "sides", "lower", "upper")}
        for values in picked.values():
            values[gone] = np.nan
        return replace(self, **picked, member_of=np.where(gone, ALONE, self.member_of[rows]))


@dataclass(eq=False)
class _Compared(Batch):
    """A batch with what was learned of it; the number of each key's group, and the groups."""

    model: Peers | None = None
    ids: Rows = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    groups: tuple[SeriesKey, ...] = ()


class PeerSlot:
    """Compares the series of a query that are like each other.

    Parameters
    ----------
    plan : ModelPlan
        With `peers_by`.
    """

    def __init__(self, plan: ModelPlan) -> None:
        self._plan = plan
        self._labels = plan.peers_by or ()
        self._batches = Batches(_Compared, float(plan.refit), plan.offset, plan.step, self._labels)

    def judge(self, window: Window, epoch: int, n_steps: int, within: float = math.inf) -> PeersSeen:
        """Compare the newest `n_steps` steps, each by what was known before it; learn anew where the clock says so.

        Parameters
        ----------
        epoch : int
            Changes when the history was filled up: what was learned of its parts no longer holds.
        within : float
            Seconds after which other batches learn in a later cycle.
        """
        self._batches.place(window.keys)
        found = np.full((2, window.n_series, n_steps), np.nan)
        bounds, member_of = np.full((2, window.n_series), np.nan), np.full(window.n_series, ALONE, dtype=np.intp)
        groups: list[SeriesKey] = []
        started = time.perf_counter()
        for batch in self._batches.oldest_first():
            last = batch.due(window, epoch, spare=1) if window.n_steps > 1 else None
            if last is not None and (not batch.fitted or time.perf_counter() - started < within):
                before = max(0, n_steps - (window.n_steps - last - 1))
                self._score(batch, window.until(last + 1), found[..., :before], bounds)
                self._fit(batch, window, last, epoch)
            self._score(batch, window, found, bounds)
            here = batch.rows != GONE
            member_of[batch.rows[here]] = batch.ids[here] + len(groups)
            groups += batch.groups
        fleet = member_of, np.asarray(window.values[:, -1], dtype=np.float64)
        return PeersSeen(found[0], found[1], bounds[0], bounds[1], member_of, tuple(groups), fleet)

    def schedule(self, key: SeriesKey) -> FitSchedule | None:
        """When a series is learned anew; None before the first window."""
        batch = self._batches.of(key)
        return batch.schedule if batch else None

    def together(self, key: SeriesKey, keys: Sequence[SeriesKey]) -> list[SeriesKey]:
        """Those of `keys` that are peers of `key`, itself among them."""
        return [each for each in keys if group_of(each, self._labels) == group_of(key, self._labels)]

    def dump(self, number: Callable[[SeriesKey], int], epoch: int) -> Tree:
        """What outlives a restart; `number` gives each series a number to stand for it."""
        return [batch.dump(number, epoch) | {"model": batch.model} for batch in self._batches]

    def load(self, kept: Tree, keys: Sequence[SeriesKey], epoch: int) -> None:
        """Take over what `dump` gave; `keys` are the series by their numbers."""
        self._batches.cut(len(kept))
        for batch, known in zip(self._batches, kept, strict=True):
            batch.load(known, keys, epoch)
            batch.model = known["model"]
            batch.ids, batch.groups = numbered(batch.keys, self._labels)

    def _fit(self, batch: _Compared, window: Window, last: int, epoch: int) -> None:
        batch.learned(window, last, epoch)
        history = batch.schedule.history(window, last)
        drawn = drawn_steps(history.n_steps)
        values = np.asarray(history.values[np.ix_(batch.rows, drawn)], dtype=np.float64)
        batch.ids, batch.groups = numbered(batch.keys, self._labels)
        batch.model = self._plan.peers().fit(Window(batch.keys, history.times[drawn], values), batch.ids)

    def _score(self, batch: _Compared, window: Window, found: FloatArray, bounds: FloatArray) -> None:
        """Put scores and sides of the newest steps that were not learned from where the series stand."""
        since = int((window.times > batch.end).sum()) if batch.fitted else 0
        n_steps = min(found.shape[-1], since)
        if batch.model is None or n_steps <= 0:
            return
        newest = gathered(window, batch.keys, batch.rows, slice(window.n_steps - n_steps, None))
        scores, band = batch.model.judge(newest)
        scores[np.isnan(band.expected)] = np.nan
        here = batch.rows != GONE
        rows = batch.rows[here]
        found[0, rows, -n_steps:] = scores[here]
        found[1, rows, -n_steps:] = np.sign(newest.values - band.expected)[here]
        bounds[:, rows] = band.lower[here, -1], band.upper[here, -1]
