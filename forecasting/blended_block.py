"""Candidates, their blend and its intervals for series of one length."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from forecasting.blend import Blend
from forecasting.candidates import Candidates
from forecasting.choice import Choice, chosen, scaled_errors
from forecasting.contest import Contest
from forecasting.gaps import filled
from forecasting.intervals import ErrorQuantiles
from forecasting.new_level import NewLevel, checked_leads
from forecasting.origins import came, trials
from forecasting.plan import Plan
from forecasting.shapes import Steps
from series import FloatArray

# Trials err more than the forecast, as each blend was weighed by the other origins alone: by this much over their
# number. Measured on series of many kinds.
_TRIED_WITHOUT_ONE = 0.4


@dataclass(frozen=True, eq=False)
class BlendedBlock:
    """What was learned of some series of equal length.

    Attributes
    ----------
    center, scale, floor : (n_series, 1) float64
        Learned in ``(value - center) / scale``; no forecast lies below `floor`.
    candidates : Candidates
    blend : Blend
    errors : ErrorQuantiles
    new_level : NewLevel
    choice : Choice
    blended : dict of int to (leads, (n_series, len(leads)) float64)
        What was told last, by how many steps before the end.
    """

    center: FloatArray
    scale: FloatArray
    floor: FloatArray
    candidates: Candidates
    blend: Blend
    errors: ErrorQuantiles
    new_level: NewLevel
    choice: Choice
    blended: dict[int, tuple[Steps, FloatArray]] = field(default_factory=dict)

    @classmethod
    def fit(cls, values: FloatArray, step: float) -> Self:
        """Learn from (n_series, n_steps) values that begin with samples; NaN where there is none."""
        plan = Plan.of(step, values.shape[1])
        whole = filled(values, plan.seasons.periods[0] if plan.seasons.periods else plan.n_steps)
        floor = np.where(whole.min(axis=1, keepdims=True) >= 0, 0.0, -np.inf)
        center, scale = _center(whole), _scale(whole)
        candidates, samples = Candidates.of((whole - center) / scale, plan), (values - center) / scale
        told = trials(candidates.ahead, plan.n_steps, plan.origins, plan.leads)
        contest = Contest.of(told, came(samples, plan.origins, plan.leads), plan.leads)
        checked = checked_leads(plan.check)
        latest = candidates.ahead(plan.n_steps - plan.check, checked)
        recent = samples[:, plan.n_steps - plan.check + checked - 1]
        tried, blend = contest.told_by_blends(), contest.blend(latest, recent)
        share = 1 - _TRIED_WITHOUT_ONE / len(plan.origins)
        errors = ErrorQuantiles.of(came(samples, plan.origins, plan.leads) - tried, plan.leads, share)
        choice = Choice(chosen(blend, candidates.names), *scaled_errors(samples, candidates.values, tried, plan))
        earlier = samples[:, : plan.n_steps - plan.check]
        new_level = NewLevel.of(recent, earlier, blend(latest, checked), plan.check)
        return cls(center, scale, floor, candidates, blend, errors, new_level, choice)

    def forecast(self, leads: Steps, coverage: float) -> FloatArray:
        """(3, n_series, len(leads)): mean, lower and upper."""
        told = _bounds(self._blended(leads, 0), self.errors, leads, coverage)
        if self.new_level.found.any():
            checked = self._blended(leads, self.new_level.back)
            told = self.new_level.applied(told, checked, leads, coverage)
        return np.maximum(told * self.scale + self.center, self.floor)

    def _blended(self, leads: Steps, back: int) -> FloatArray:
        """(n_series, len(leads)): the blend, told `back` steps before the end.

        Intervals of several coverages are asked for one after the other, and this is most of their cost.
        """
        told = self.blended.get(back)
        if told is None or not np.array_equal(told[0], leads):
            n_steps = self.candidates.values.shape[1]
            told = leads, self.blend(self.candidates.ahead(n_steps - back, leads + back), leads + back)
            self.blended[back] = told
        return told[1]


def _bounds(mean: FloatArray, errors: ErrorQuantiles, leads: Steps, coverage: float) -> FloatArray:
    below, above = errors.interval(leads, coverage)
    mean = np.where(np.isnan(below), np.nan, mean)
    return np.stack([mean, mean - below, mean + above])


def _center(whole: FloatArray) -> FloatArray:
    return np.median(whole, axis=1, keepdims=True)


def _scale(whole: FloatArray) -> FloatArray:
    spread = np.abs(whole - _center(whole)).mean(axis=1, keepdims=True)
    return np.where(spread > 0, spread, 1.0)
