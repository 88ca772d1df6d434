"""The detector of a query and what it knows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from detectors.base import Baseline
from exporter.models.alarms import AlarmSlot
from exporter.models.batches import GONE, Batch, Batches, gathered
from exporter.models.plan import ModelPlan
from exporter.models.stored import Tree
from series import BoolArray, FloatArray, Reason, SeriesKey, Window

# Steps that are judged again before they are taken note of for good: doing that every step would cost more.
_MORE = 8
# Decimal digits that a float32 keeps.
_DIGITS = 7


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


@dataclass(eq=False)
class _Judged(Batch):
    """A batch with its detector; `until` is the last instant that the detector has taken note of for good."""

    model: Baseline | None = None
    never_negative: BoolArray = field(default_factory=lambda: np.empty(0, dtype=bool))
    until: float = math.nan

    def forget(self) -> None:
        self.model, self.end, self.until = None, math.nan, math.nan
        self.keys, self.rows = (), np.empty(0, dtype=np.intp)


class DetectorSlot:
    """The detector of a query, fitted batch by batch, and its alarms.

    Parameters
    ----------
    plan : ModelPlan
    """

    def __init__(self, plan: ModelPlan) -> None:
        self._plan = plan
        self._late = math.ceil(plan.late / plan.step)
        self._batches = Batches(_Judged, float(plan.refit), plan.offset, plan.step)
        self._alarms = AlarmSlot(plan.suppression, plan.step)
        # Alarms are judged from this many steps at most; what was before a longer silence is no longer the present.
        self._most_new = 2 * math.ceil(plan.refit / plan.step) + 1

    def fit_if_due(self, window: Window, epoch: int, within: float = math.inf) -> float | None:
        """Learn anew where the clock says so; a step is judged by what was known before it.

        Parameters
        ----------
        epoch : int
            Changes when the history was filled up: what was learned of its parts no longer holds.
        within : float
            Seconds after which batches that were never fitted wait for the next cycle. Those that can still judge by
            what they learned before wait after a quarter of it.

        Returns
        -------
        Seconds the fits took, or None where no batch was due.
        """
        self._begin(window)
        if window.n_steps < 2 or not window.n_series:
            return None
        started = time.perf_counter()
        fits = 0
        for batch, last in self._due(window, epoch):
            spent = time.perf_counter() - started
            if fits and spent > (within / 4 if batch.fitted else within):
                break
            self._fit(batch, window, last, epoch)
            fits += 1
        return time.perf_counter() - started if fits else None

    def judge(self, window: Window) -> Judgement:
        """Compare the last step of `window`, which `fit_if_due` has seen, with what was expected of it."""
        n_series = window.n_series
        bounds = np.full((3, n_series), np.nan)
        warming_up = np.ones(n_series, dtype=bool)
        for batch in self._batches:
            if batch.model is None or not n_series:
                continue
            here = batch.rows != GONE
            bounds[:, batch.rows[here]] = self._judge(batch, batch.model, window)[:, here]
            warming_up[batch.rows[here]] = batch.model.warming_up_[here]
        new = window.times > self._alarms.until
        new[: window.n_steps - self._scores.shape[1]] = False
        alarm = self._alarms.update(window.keys, window.times[new], self._scores[:, new[-self._scores.shape[1] :]])
        return _judgement(window, bounds, self._scores[:, -1], alarm, warming_up)

    def dump(self, number: Callable[[SeriesKey], int], epoch: int) -> Tree:
        """What outlives a restart.

        Parameters
        ----------
        number : callable
            Gives each series a number to stand for it.
        epoch : int
            Of the history as it is now.
        """
        return {
            "alarms": self._alarms.dump(number),
            "batches": [
                {
                    "keys": np.fromiter((number(key) for key in batch.keys), dtype=np.int64, count=len(batch.keys)),
                    "end": batch.end,
                    "holds": batch.epoch == epoch,
                    "until": batch.until,
                    "never_negative": batch.never_negative,
                    "model": batch.model,
                }
                for batch in self._batches
            ],
        }

    def load(self, kept: Tree, keys: Sequence[SeriesKey], epoch: int) -> None:
        """Take over what `dump` gave; `keys` are the series by their numbers.

        Raises
        ------
        LookupError, TypeError
            Where it is something else.
        """
        self._alarms.load(kept["alarms"], keys)
        self._batches.cut(len(kept["batches"]))
        for batch, known in zip(self._batches, kept["batches"], strict=True):
            batch.keys = tuple(keys[number] for number in known["keys"].tolist())
            batch.end, batch.until = known["end"], known["until"]
            batch.epoch = epoch if known["holds"] else epoch - 1
            batch.never_negative, batch.model = known["never_negative"], known["model"]

    def _begin(self, window: Window) -> None:
        first, last = float(window.times[0]), float(window.times[-1])
        if last < self._alarms.until or last - self._alarms.until > self._most_new * self._plan.step:
            self._alarms.forget()
        for batch in self._batches:
            if batch.fitted and not first <= batch.until < last:  # the clock was set, or a silence took a whole history
                batch.forget()
        self._batches.place(window.keys)
        new = min(self._most_new, window.n_steps, int((window.times > self._alarms.until).sum()))
        self._scores = np.full((window.n_series, max(1, new)), np.nan)

    def _due(self, window: Window, epoch: int) -> list[tuple[_Judged, int]]:
        """Batches to fit and the columns up to which: never fitted ones first, then what was learned longest ago."""
        columns = [(batch, batch.due(window, epoch, spare=1)) for batch in self._batches]
        due = [(batch, last) for batch, last in columns if last is not None]
        return sorted(due, key=lambda one: one[0].end if one[0].fitted else -math.inf)

    def _fit(self, batch: _Judged, window: Window, last: int, epoch: int) -> None:
        behind = window.n_steps - last - 1
        if batch.model is not None and batch.until < window.times[last] and behind < self._scores.shape[1]:
            # Steps up to there that no cycle has judged yet are judged by what was known before them.
            self._judge(batch, batch.model, window.until(last + 1), behind)
        batch.learned(window, last, epoch)
        history = batch.schedule.history(window, last)
        learned = gathered(history, batch.keys, batch.rows, slice(None))
        batch.model = self._plan.detector().fit(learned)
        batch.never_negative = np.logical_not((learned.values < 0).any(axis=1))
        batch.until = batch.end

    def _judge(self, batch: _Judged, model: Baseline, window: Window, behind: int = 0) -> FloatArray:
        """Judge the steps after `until`, keep their scores, and give (3, n) expected, lower, upper of the last one."""
        since = round((float(window.times[-1]) - batch.until) / self._plan.step)
        recent = gathered(window, batch.keys, batch.rows, slice(window.n_steps - since, None))
        band = model.expect(recent)
        scores = model.score_against(band, recent)
        here = batch.rows != GONE
        width = self._scores.shape[1] - behind
        kept = max(0, min(since, width))
        self._scores[batch.rows[here], width - kept : width] = scores[here, since - kept :]
        settled = since - self._late - 1
        if settled >= _MORE:
            model.advance(recent.until(settled))
            batch.until = float(recent.times[settled - 1])
        bounds = np.stack([side[:, -1] for side in (band.expected, band.lower, band.upper)])
        # A count or a rate below 0 is nothing anybody expects; whether a value is inside does not change.
        bounds[:, batch.never_negative] = np.maximum(bounds[:, batch.never_negative], 0.0)
        return bounds


def _judgement(
    window: Window, bounds: FloatArray, score: FloatArray, alarm: BoolArray, warming_up: BoolArray
) -> Judgement:
    value = _shown(window.values[:, -1])
    infinite, missing = np.isinf(value), np.isnan(value)
    warming_up = warming_up & ~(infinite | missing)
    said = np.stack([value, *bounds, np.where(warming_up, 0.0, score), alarm.astype(np.float64)])
    said[:, infinite | missing] = np.nan
    value, expected, lower, upper, score, fired = said
    return Judgement(value, expected, lower, upper, score, fired, _count(missing, infinite, warming_up))


def _shown(values: FloatArray) -> FloatArray:
    """As float64: 0.1 that was kept as float32 is 0.1 again, not 0.10000000149."""
    shown = np.array(values, dtype=np.float64)
    if values.dtype == np.float64:
        return shown
    usual = np.isfinite(shown) & (shown != 0)
    # Divided by a power of ten, which up to 1e22 is exact, where multiplying by 0.1 is not.
    digits = _DIGITS - 1 - np.floor(np.log10(np.abs(shown[usual])))
    shown[usual] = np.where(
        digits >= 0,
        np.round(shown[usual] * 10.0 ** np.maximum(digits, 0)) / 10.0 ** np.maximum(digits, 0),
        np.round(shown[usual] / 10.0 ** np.maximum(-digits, 0)) * 10.0 ** np.maximum(-digits, 0),
    )
    return shown


def _count(missing: BoolArray, infinite: BoolArray, warming_up: BoolArray) -> dict[Reason, int]:
    return {
        Reason.NO_SAMPLE: int(missing.sum()),
        Reason.NOT_FINITE: int(infinite.sum()),
        Reason.WARMING_UP: int(warming_up.sum()),
    }
