"""What a process would have told at an earlier step, found out again from the samples at hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exporter.held_back import HeldBack
from exporter.models.batches import GONE
from exporter.models.calling import Calling
from exporter.models.fit_schedule import FitSchedule
from exporter.models.judging import MOST_NEW, DetectorSlot
from exporter.models.peer_groups import PeerSlot, PeersSeen
from exporter.models.plan import ModelPlan
from series import SeriesKey, Window

# Fits of a walk, beside the first: each takes some milliseconds.
_FITS = 3


class Beside:
    """A series and its peers, of which the detector need not know.

    Parameters
    ----------
    plan : ModelPlan
    schedule : FitSchedule
        Of the peers' batch.
    history : Window
        Of all of them, the same steps as those of the walk.
    """

    def __init__(self, plan: ModelPlan, schedule: FitSchedule, history: Window) -> None:
        self._slot, self._history = PeerSlot(replace(plan, offset=schedule.offset)), history
        self._place = {key: row for row, key in enumerate(history.keys)}

    def judge(self, keys: tuple[SeriesKey, ...], column: int, n_steps: int) -> PeersSeen:
        """Compare them at the `n_steps` steps up to `column`; what is said of `keys`."""
        rows = np.array([self._place.get(key, GONE) for key in keys], dtype=np.intp)
        return self._slot.judge(as_of(self._history, column), 0, n_steps).of(rows)


@dataclass(frozen=True, eq=False)
class Walked:
    """A step that was judged again.

    Attributes
    ----------
    detector : DetectorSlot
    calling : Calling
    whole : bool
        Whether all that was learned from then is still at hand.
    """

    detector: DetectorSlot
    calling: Calling
    whole: bool


def walk(
    plan: ModelPlan,
    schedule: FitSchedule,
    held_back: HeldBack,
    history: Window,
    column: int,
    beside: Beside | None = None,
) -> Walked:
    """Judge some series again up to a step of their history, by what was known before each.

    Models are fitted at the times and from the columns that the schedule names, as those of the process were. The walk
    begins `MOST_NEW` steps or some fits earlier, so an alarm that had gone on for longer is found to have begun later.

    Parameters
    ----------
    plan : ModelPlan
    schedule : FitSchedule
        Of the series' batch.
    held_back : HeldBack
    history : Window
        As it is now.
    column : int
        The step that is asked about.
    beside : Beside or None
        Where series are compared with their peers.
    """
    detector = DetectorSlot(replace(plan, offset=schedule.offset), weights=held_back.weights)
    calling = Calling(plan, held_back)
    for stop in _stops(schedule, history, column):
        then = as_of(history, stop)
        detector.fit_if_due(then, epoch=0)
        seen = detector.judge(then)
        calling.judge(seen, beside.judge(seen.keys, stop, len(seen.times)) if beside else None)
    then = as_of(history, column)
    learned = schedule.history(then, schedule.last_fit(then, spare=1))
    return Walked(detector, calling, bool(learned.times[0] >= history.times[0]))


def as_of(history: Window, column: int) -> Window:
    """The window as it was when `column` was its newest step; what has left the history since is missing."""
    lost = history.n_steps - 1 - column
    values = np.full(history.values.shape, np.nan, dtype=history.values.dtype)
    values[:, lost:] = history.values[:, : column + 1]
    return Window(history.keys, history.times - lost * history.step, values)


def _stops(schedule: FitSchedule, history: Window, column: int) -> list[int]:
    """Columns to judge at: the first that matters, those before which models learned anew, and the one asked about."""
    nothing = Window((), history.times, np.empty((0, history.n_steps)))
    first = max(2, column - MOST_NEW + 1)
    ends = {at: _end(schedule, as_of(nothing, at)) for at in range(min(first, column), column + 1)}
    anew = [at for at in range(first + 1, column) if ends[at] != ends[at - 1]]
    return sorted({anew[-_FITS] if len(anew) >= _FITS else min(first, column), *anew[-_FITS:], column})


def _end(schedule: FitSchedule, window: Window) -> float:
    return float(window.times[schedule.last_fit(window, spare=1)])
