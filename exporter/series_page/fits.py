"""Detectors that were fitted to look at the past of single series, kept while they would learn the same again."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from exporter.held_back import HeldBack
from exporter.models.fit_schedule import FitSchedule
from exporter.models.plan import Judge, ModelPlan
from exporter.remembered import Remembered, Same, fingerprint
from series import Window

# A page needs `MOST_FITS` of them at most. Fitted to one series the ensemble takes some tens of kilobytes; models of
# other libraries may keep what they learned from.
_KEPT = 64
# Models learn anew as often as the process did, up to so many times, or up to so many samples learned from in all (but
# at least a few times): a million samples take more than a second of one core.
MOST_FITS, _FEWEST_FITS = 9, 3
_MOST_LEARNED = 110_000
# What falls out of the history first is left out in such parts of the time between two fits, and of the history:
# without that, each step would make of every fit another one.
_PART_OF_EVERY, _PART_OF_HISTORY = 6, 20


class Fits:
    """The detectors that were asked for last, by all they depend on: plan, weights and samples. Any thread may ask."""

    def __init__(self) -> None:
        self._known = Remembered[Judge](_KEPT)

    def __len__(self) -> int:
        return len(self._known)

    def of(self, plan: ModelPlan, weights: Mapping[str, float], learned: Window) -> Judge:
        """A detector that has learned from `learned`; it is shared, so it may judge and must not advance."""
        basis = Same(plan), tuple(sorted(weights.items())), fingerprint(learned)
        return self._known.get(basis, lambda: plan.judge(lambda time: weights, float(learned.times[-1])).fit(learned))

    def at(
        self, plan: ModelPlan, schedule: FitSchedule, held_back: HeldBack, history: Window, end: int
    ) -> tuple[Judge, bool]:
        """The detector of one fit of the schedule.

        Parameters
        ----------
        plan : ModelPlan
        schedule : FitSchedule
        held_back : HeldBack
        history : Window
            One series.
        end : int
            The last column it learns from.

        Returns
        -------
        The detector, and whether it learned from values below 0.
        """
        learned = steady_history(schedule, history, end)
        judge = self.of(plan, held_back.weights(float(history.times[end])), learned)
        return judge, bool((learned.values < 0).any())


def ends_of(schedule: FitSchedule, history: Window, first: int) -> npt.NDArray[np.intp]:
    """(n_steps - first,): the last column learned from for each step from `first` on, of so many fits as are worth it.

    Where the schedule has more of them, so many are left out that each step still has one that was before it.
    """
    ends = schedule.last_fits(history, spare=1)[first:]
    fits = np.unique(ends)
    most = max(_FEWEST_FITS, min(MOST_FITS, _MOST_LEARNED // history.n_steps))
    kept = fits[:: max(1, math.ceil(len(fits) / most))]
    return np.asarray(kept[np.searchsorted(kept, ends, side="right") - 1])


def steady_history(schedule: FitSchedule, history: Window, end: int) -> Window:
    """What a fit that ended at column `end` learned from, as far as it is at hand; the same for some time to come."""
    learned = schedule.history(history, end)
    if learned.times[0] > history.times[0]:
        return learned
    part = min(schedule.every / _PART_OF_EVERY, history.n_steps * history.step / _PART_OF_HISTORY)
    part = max(1, part // history.step) * history.step
    begin = int(np.searchsorted(learned.times, math.ceil(learned.times[0] / part) * part))
    return learned.since(begin) if 2 * begin < learned.n_steps else learned
