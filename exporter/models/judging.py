"""The detector of a query and what it knows."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from detectors.ensemble import MEMBERS, Consensus
from exporter.models.batches import GONE, Batch, Batches, Rows, gathered
from exporter.models.fit_schedule import FitSchedule
from exporter.models.groups import GroupsSeen, numbered
from exporter.models.live_error import LiveErrorSlot
from exporter.models.plan import Judge, ModelPlan
from exporter.models.seen import Basis, Seen
from exporter.models.shown import bounds_of, shown_values
from exporter.models.stored import Tree
from series import BoolArray, FloatArray, SeriesKey, Window

# Steps that are judged again before they are taken note of for good: doing that every step would cost more.
_MORE = 8
# Steps judged at most in one cycle; what was before a longer silence is no longer the present.
MOST_NEW = 60
# Batches due at once that are fitted in more than one thread: at a start, when everything waits for them.
_MANY = 4
_WORKERS = min(2, os.cpu_count() or 1)


@dataclass(eq=False)
class _Judged(Batch):
    """A batch with its detector.

    `since` (len(keys),) is the first instant of each series that was learned from, `until` the last one that the
    detector has taken note of for good. `told` is keys, `since`, `end` and detector of one fit, exchanged as a whole:
    other threads ask while the next one is on its way.
    """

    model: Judge | None = None
    never_negative: BoolArray = field(default_factory=lambda: np.empty(0, dtype=bool))
    since: FloatArray = field(default_factory=lambda: np.empty(0))
    until: float = math.nan
    # Number of each key's group, and the groups.
    ids: Rows = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    groups: tuple[SeriesKey, ...] = ()
    told: tuple[tuple[SeriesKey, ...], FloatArray, float, Judge] | None = None

    def tell(self) -> None:
        self.told = (self.keys, self.since, self.end, self.model) if self.model else None

    def forget(self) -> None:
        self.model, self.told, self.end, self.until = None, None, math.nan, math.nan
        self.keys, self.rows = (), np.empty(0, dtype=np.intp)


class DetectorSlot:
    """The detector of a query, fitted batch by batch.

    Parameters
    ----------
    plan : ModelPlan
    on_fit : callable
        Is given the rows of series that learn, and the history they learn from. Called in several threads at once, each
        with other rows.
    weights : callable
        Gives how much each detector counts, by what was known at a time.

    Attributes
    ----------
    until : float
        Last instant that was judged, -inf for none.
    live_error : LiveErrorSlot or None
        None for a detector of which no member can count more than another.
    """

    def __init__(
        self,
        plan: ModelPlan,
        on_fit: Callable[[Rows, Window], None] = lambda rows, history: None,
        weights: Callable[[float], Mapping[str, float]] = lambda time: {},
    ) -> None:
        self._plan = plan
        self._on_fit = on_fit
        self._learned_weights = weights
        self._late = math.ceil(plan.late / plan.step)
        self._batches = Batches(_Judged, float(plan.refit), plan.offset, plan.step, plan.group_by or None)
        self.until = -math.inf
        self.live_error = LiveErrorSlot(plan.step) if plan.weighted else None
        self._scores = self._sides = np.empty((0, 1))
        self._votes = np.empty((len(MEMBERS), 0, 0), dtype=np.float32)

    def fit_if_due(self, window: Window, epoch: int, within: float = math.inf) -> float | None:
        """Learn anew where the clock says so; a step is judged by what was known before it.

        Parameters
        ----------
        epoch : int
            Changes when the history was filled up: what was learned of its parts no longer holds.
        within : float
            Seconds after which the other batches wait for the next cycle. Of those that can still judge by what they
            learned before no more are begun after half of it.

        Returns
        -------
        Seconds the fits took, or None where no batch was due.
        """
        self._begin(window)
        if window.n_steps < 2 or not window.n_series:
            return None
        due, started = self._batches.due(window, epoch, spare=1), time.perf_counter()

        def fit(number: int) -> None:
            batch, last = due[number]
            if number == 0 or time.perf_counter() - started < (within / 2 if batch.fitted else within):
                self._fit(batch, window, last, epoch)

        if len(due) < _MANY:
            list(map(fit, range(len(due))))
        else:
            with ThreadPoolExecutor(_WORKERS, "fit") as pool:
                list(pool.map(fit, range(len(due))))
        return time.perf_counter() - started if due else None

    @property
    def waits(self) -> bool:
        """True while some series wait for the first fit of their batch."""
        return any(len(batch.members) and not batch.fitted for batch in self._batches)

    @property
    def weights(self) -> dict[str, float]:
        """How much each detector counts beside its default, as learned last; empty where one judges alone."""
        fitted = [batch for batch in self._batches if batch.model is not None]
        return _weights(max(fitted, key=lambda batch: batch.end).model) if fitted else {}

    def judge(self, window: Window) -> Seen:
        """Compare the newest steps of `window`, which `fit_if_due` has seen, with what was expected of them."""
        n_series = window.n_series
        bounds = np.full((3, n_series), np.nan)
        members = next((batch.model.members_ for batch in self._batches if batch.model is not None), ())
        votes, agreeing = np.full((len(members), n_series), np.nan), np.full(n_series, np.nan)
        warming_up = np.ones(n_series, dtype=bool)
        groups = GroupsSeen.none(n_series, self._scores.shape[1])
        for batch in self._batches:
            if batch.model is None or not n_series:
                continue
            here = batch.rows != GONE
            rows = batch.rows[here]
            consensus = self._judge(batch, batch.model, window)
            bounds[:, rows] = bounds_of(consensus, batch.never_negative)[:, here]
            votes[:, rows] = consensus.votes[:, here, -1]
            agreeing[rows] = consensus.agreeing()[here, -1]
            warming_up[rows] = batch.model.warming_up_[here]
            if self._plan.group_by:
                groups = _with_groups(groups, batch, consensus)
        times = window.times[window.n_steps - self._scores.shape[1] :]
        self.until = float(times[-1])
        if self.live_error:
            self.live_error.note(window.keys, times, self._votes)
        value = shown_values(window.values[:, -1])
        expected, lower, upper = bounds
        return Seen(
            window.keys,
            times,
            value,
            expected,
            lower,
            upper,
            self._scores,
            self._sides,
            members,
            votes,
            agreeing,
            warming_up,
            groups,
        )

    def schedule(self, key: SeriesKey) -> FitSchedule | None:
        """When a series is learned anew; None before the first window."""
        batch = self._batches.of(key)
        return batch.schedule if batch else None

    def basis(self, key: SeriesKey, time: float) -> Basis | None:
        """What is expected of a series at `time` rests on; None where nothing was learned. Any thread may ask."""
        batch = self._batches.of(key)
        if batch is None or (told := batch.told) is None or key not in told[0]:
            return None
        keys, since, end, model = told
        row = keys.index(key)
        season = model.season(np.array([time]))[row, 0]
        return Basis(float(since[row]), end, float(season), _weights(model))

    def dump(self, number: Callable[[SeriesKey], int], epoch: int) -> Tree:
        """What outlives a restart: no detector that cannot be kept; it learns the same again from the samples.

        Parameters
        ----------
        number : callable
            Gives each series a number to stand for it.
        epoch : int
            Of the history as it is now.
        """
        return {
            "until": self.until,
            "live_error": self.live_error.dump(number) if self.live_error else None,
            "batches": [
                batch.dump(number, epoch)
                | {
                    "since": batch.since,
                    "until": batch.until,
                    "never_negative": batch.never_negative,
                    "model": batch.model,
                }
                for batch in (self._batches if self._outlives_restarts else ())
            ],
        }

    def load(self, kept: Tree, keys: Sequence[SeriesKey], epoch: int) -> None:
        """Take over what `dump` gave; `keys` are the series by their numbers.

        Raises
        ------
        LookupError, TypeError, ValueError
            Where it is something else.
        """
        self.until = kept["until"]
        if self.live_error and (counted := kept.get("live_error")):  # a state from before it was counted has none
            self.live_error.load(counted, keys)
        self._batches.cut(len(kept["batches"]))
        for batch, known in zip(self._batches, kept["batches"], strict=True):
            batch.load(known, keys, epoch)
            # A state from before series had each its own names one instant for all of them.
            batch.since, batch.until = np.full(len(batch.keys), known["since"]), known["until"]
            batch.never_negative, batch.model = known["never_negative"], known["model"]
            batch.tell()
            self._note_groups(batch)

    @property
    def _outlives_restarts(self) -> bool:
        return all(getattr(batch.model, "snapshots", True) for batch in self._batches)

    def _note_groups(self, batch: _Judged) -> None:
        if self._plan.group_by:
            batch.ids, batch.groups = numbered(batch.keys, self._plan.group_by)

    def _begin(self, window: Window) -> None:
        first, last = float(window.times[0]), float(window.times[-1])
        for batch in self._batches:
            if batch.fitted and not first <= batch.until < last:  # the clock was set, or a silence took a whole history
                batch.forget()
        self._batches.place(window.keys)
        new = min(MOST_NEW, window.n_steps, int((window.times > self.until).sum()) if last >= self.until else MOST_NEW)
        self._scores = np.full((window.n_series, max(1, new)), np.nan)
        self._sides = self._scores.copy()
        if self.live_error:
            self._votes = np.full((len(MEMBERS), *self._scores.shape), np.nan, dtype=np.float32)

    def _fit(self, batch: _Judged, window: Window, last: int, epoch: int) -> None:
        behind = window.n_steps - last - 1
        if batch.model is not None and batch.until < window.times[last] and behind < self._scores.shape[1]:
            # Steps up to there that no cycle has judged yet are judged by what was known before them.
            self._judge(batch, batch.model, window.until(last + 1), behind)
        batch.learned(window, last, epoch)
        history = batch.schedule.history(window, last)
        learned = gathered(history, batch.keys, batch.rows, slice(None))
        batch.since = _first_samples(learned)
        self._note_groups(batch)
        model = self._plan.judge(self._learned_weights, batch.end)
        batch.model = model.fit(learned, batch.ids) if self._plan.group_by else model.fit(learned)
        batch.tell()
        self._on_fit(batch.rows, learned)
        batch.never_negative = np.logical_not((learned.values < 0).any(axis=1))
        batch.until = batch.end

    def _judge(self, batch: _Judged, model: Judge, window: Window, behind: int = 0) -> Consensus:
        """Judge the newest steps after `until`, and keep their scores."""
        since = round((float(window.times[-1]) - batch.until) / self._plan.step)
        width = self._scores.shape[1] - behind
        settled = since - max(self._late + 1, min(since, width))
        if settled >= _MORE:
            passed = slice(window.n_steps - since, window.n_steps - since + settled)
            model.advance(gathered(window, batch.keys, batch.rows, passed))
            batch.until = float(window.times[passed][-1])
            since -= settled
        recent = gathered(window, batch.keys, batch.rows, slice(window.n_steps - since, None))
        consensus = model.judge(recent)
        here = batch.rows != GONE
        kept = max(0, min(since, width))
        into = np.ix_(batch.rows[here], np.arange(width - kept, width))
        self._scores[into] = consensus.scores[here, since - kept :]
        self._sides[into] = np.sign(recent.values - consensus.band.expected)[here, since - kept :]
        if self.live_error:
            ready = here & ~model.warming_up_
            newest = slice(width - kept, width)
            self._votes[: len(model.members_), batch.rows[ready], newest] = consensus.votes[:, ready, since - kept :]
        return consensus


def _first_samples(history: Window) -> FloatArray:
    """(n_series,) instants of the first sample of each, NaN where there is none."""
    known = np.isfinite(history.values)
    return np.where(known.any(axis=1), history.times[known.argmax(axis=1)], np.nan)


def _weights(model: Judge | None) -> dict[str, float]:
    if model is None or len(model.members_) < 2:
        return {}
    learned = getattr(model, "weights", None) or {}
    return {name: learned.get(name, 1.0) for name in model.members_}


def _with_groups(groups: GroupsSeen, batch: _Judged, consensus: Consensus) -> GroupsSeen:
    n_steps = groups.scores.shape[1]
    recent = consensus.group_scores[:, -n_steps:]
    scores = np.full((len(batch.groups), n_steps), np.nan)
    scores[:, n_steps - recent.shape[1] :] = recent
    here = batch.rows != GONE
    return groups.joined(batch.groups, scores, batch.rows[here], batch.ids[here], consensus.contributions[here, -1])
