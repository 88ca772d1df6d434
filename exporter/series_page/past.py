"""The past of one series as it was judged, found out again from the samples at hand."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.suppress import Suppression
from exporter.backtests.anomalies import alarms_of
from exporter.backtests.report import Anomaly, Curves, Ribbon
from exporter.held_back import HeldBack
from exporter.models.fit_schedule import FitSchedule
from exporter.models.plan import ModelPlan
from series import BoolArray, FloatArray, Window

# Each fit takes some hundredths of a second: over longer times models learn anew less often than the process did.
MOST_FITS = 9
# Below so many steps there is nothing to learn from.
_FEWEST = 3


@dataclass(frozen=True, eq=False)
class Past:
    """Some steps of one series.

    Attributes
    ----------
    times : (n_steps,) float64
        Seconds since the epoch.
    curves : Curves
        Samples, band and scores; NaN where nothing was expected. Scores are those after verdicts.
    alarms : tuple of Anomaly
        Stretches in alarm, oldest first.
    learned_every : float
        Seconds between two fits.
    """

    times: FloatArray
    curves: Curves
    alarms: tuple[Anomaly, ...]
    learned_every: float


def judged_past(plan: ModelPlan, schedule: FitSchedule, held_back: HeldBack, history: Window, first: int) -> Past:
    """Judge a series again from column `first` on, each step by what was known before it.

    Models are fitted at the times the schedule names, at `MOST_FITS` of them where there are more. What was known then
    and has left the history since is missing, and so are the other series of a group or fleet.

    Parameters
    ----------
    plan : ModelPlan
    schedule : FitSchedule
    held_back : HeldBack
    history : Window
        One series.
    first : int
    """
    ends = _thinned(schedule.last_fits(history, spare=1)[first:])
    bounds, scores, sides = _judged(plan, schedule, held_back, history, ends, first)
    times = history.times[first:]
    held = held_back.without_silences().apply(history.keys, times, scores, sides)
    nothing = np.full(len(times), np.nan)
    none = Ribbon(nothing, nothing, nothing)
    values = history.values[0, first:]
    curves = Curves(np.where(np.isfinite(values), values, np.nan), held.scores[0], Ribbon(*bounds), none, none)
    quiet = held.quiet[0]
    firing = alarm_steps(np.where(quiet, np.nan, held.scores[0]), plan.suppression, plan.step) & ~quiet
    return Past(times, curves, alarms_of(times, curves, firing), len(ends) * history.step / len(np.unique(ends)))


def _judged(
    plan: ModelPlan,
    schedule: FitSchedule,
    held_back: HeldBack,
    history: Window,
    ends: npt.NDArray[np.intp],
    first: int,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(3, n_steps) band, and (1, n_steps) scores and signs of the deviation, from column `first` on."""
    bounds = np.full((3, len(ends)), np.nan)
    scores, sides = np.full((2, 1, len(ends)), np.nan)
    for end, begin, stop in _runs(ends):
        if end < _FEWEST:
            continue
        learned = schedule.history(history, end)
        seen = history.until(first + stop).since(end + 1)
        judge = plan.judge(held_back.weights, float(history.times[end])).fit(learned)
        consensus, kept = judge.judge(seen), slice(begin - stop, None)
        band = consensus.band
        told = np.stack([side[0, kept] for side in (band.expected, band.lower, band.upper)])
        bounds[:, begin:stop] = told if (learned.values < 0).any() else np.maximum(told, 0.0)
        scores[:, begin:stop] = consensus.scores[:, kept]
        sides[:, begin:stop] = np.sign(seen.values - band.expected)[:, kept]
    return bounds, scores, sides


def alarm_steps(scores: FloatArray, rule: Suppression, step: float) -> BoolArray:
    """(n_steps,) bool: the steps in alarm, as `Suppression.alarms` finds them, far from strange ones without looking.

    Examples
    --------
    >>> alarm_steps(np.array([0.2, np.nan, 1.6, 0.4, 0.3, 0.2, 0.1]), Suppression(quiet=120), step=60).astype(int)
    array([0, 0, 1, 1, 1, 0, 0])
    """
    firing: BoolArray = np.zeros(len(scores), dtype=np.bool_)
    known = np.flatnonzero(~np.isnan(scores))  # a step without a sample changes nothing
    strange = np.flatnonzero(scores[known] > rule.release)
    if not len(strange):
        return firing
    reach = max(rule.start(1, step).patience, rule.within)
    state = np.zeros(len(known), dtype=np.bool_)
    for some in np.split(strange, np.flatnonzero(np.diff(strange) > reach) + 1):
        near = slice(int(some[0]), int(some[-1]) + reach + 1)
        state[near] = rule.alarms(scores[known[near]][np.newaxis], step)[0]
    last = np.searchsorted(known, np.arange(len(scores)), side="right") - 1
    return np.asarray(np.where(last >= 0, state[np.maximum(last, 0)], firing))


def _thinned(ends: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The fits of some steps with every so many left out, so that each step has one that was before it."""
    fits = np.unique(ends)
    kept = fits[:: max(1, math.ceil(len(fits) / MOST_FITS))]
    return np.asarray(kept[np.searchsorted(kept, ends, side="right") - 1])


def _runs(ends: npt.NDArray[np.intp]) -> Iterator[tuple[int, int, int]]:
    """Fits, and from where to where each is used."""
    edges = [0, *(np.flatnonzero(np.diff(ends)) + 1).tolist(), len(ends)]
    for begin, stop in itertools.pairwise(edges):
        yield int(ends[begin]), begin, stop
