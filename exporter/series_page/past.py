"""The past of one series as it was judged, found out again from the samples at hand."""

from __future__ import annotations

import itertools
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
from exporter.series_page.fits import Fits, ends_of
from series import BoolArray, FloatArray, Window

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


def judged_past(
    plan: ModelPlan, schedule: FitSchedule, held_back: HeldBack, history: Window, first: int, fits: Fits | None = None
) -> Past:
    """Judge a series again from column `first` on, each step by what was known before it.

    Models are fitted at the times the schedule names, at some of them where there are many. What was known then and has
    left the history since is missing, and so are the other series of a group or fleet.

    Parameters
    ----------
    plan : ModelPlan
    schedule : FitSchedule
    held_back : HeldBack
    history : Window
        One series.
    first : int
    fits : Fits or None
        Knows detectors that were fitted before.
    """
    ends, then = ends_of(schedule, history, first), held_back.of_the_past()
    bounds, scores, sides = _judged(plan, schedule, then, history, ends, first, fits or Fits())
    times = history.times[first:]
    held = then.apply(history.keys, times, scores, sides)
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
    fits: Fits,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(3, n_steps) band, and (1, n_steps) scores and signs of the deviation, from column `first` on."""
    bounds = np.full((3, len(ends)), np.nan)
    scores, sides = np.full((2, 1, len(ends)), np.nan)
    for end, begin, stop in _runs(ends):
        if end < _FEWEST:
            continue
        seen = history.until(first + stop).since(end + 1)
        judge, negative = fits.at(plan, schedule, held_back, history, end)
        consensus, kept = judge.judge(seen), slice(begin - stop, None)
        band = consensus.band
        told = np.stack([side[0, kept] for side in (band.expected, band.lower, band.upper)])
        bounds[:, begin:stop] = told if negative else np.maximum(told, 0.0)
        scores[:, begin:stop] = consensus.scores[:, kept]
        sides[:, begin:stop] = np.sign(seen.values - band.expected)[:, kept]
    return bounds, scores, sides


def learn_past(
    plan: ModelPlan, schedule: FitSchedule, held_back: HeldBack, history: Window, first: int, fits: Fits
) -> None:
    """Fit the detectors that `judged_past` will ask for."""
    then = held_back.of_the_past()
    for end in np.unique(ends_of(schedule, history, first)).tolist():
        if end >= _FEWEST:
            fits.at(plan, schedule, then, history, end)


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


def _runs(ends: npt.NDArray[np.intp]) -> Iterator[tuple[int, int, int]]:
    """Fits, and from where to where each is used."""
    edges = [0, *(np.flatnonzero(np.diff(ends)) + 1).tolist(), len(ends)]
    for begin, stop in itertools.pairwise(edges):
        yield int(ends[begin]), begin, stop
