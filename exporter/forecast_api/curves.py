"""The dense curve of some series, and what can be said of their past and of their month."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from exporter.forecast_api.asked import Per
from exporter.models.plan import ModelPlan
from exporter.published import published_key
from forecasting.harmonic import HarmonicRegression
from forecasting.level_changes import ChangePoint, change_points
from forecasting.resample import resampled
from forecasting.seasonality import Seasonality, seasonality
from forecasting.seasons import HOUR
from forecasting.totals import Total, month_of, total
from forecasting.trend import Trend, trend
from series import FloatArray, Window
from series.calendar import DAY, WEEK

_SECONDS = {"hour": HOUR, "day": int(DAY), "week": int(WEEK)}
# A period that is not the calendar's is told from this autocorrelation on.
_CLEAR = 0.3


def curves(
    history: Window, plan: ModelPlan, *, steps: int, coverage: float, per: Per, whole: Window | None = None
) -> dict[str, Any]:
    """What comes next for every series of `history`, 2 steps or more, as JSON can hold it once NaN is null.

    Where `history` was put together from shorter steps, `whole` has these: of them the past and the month are told.
    """
    whole = history if whole is None else whole
    model = plan.forecaster().fit(history)
    told = model.forecast(steps, coverage=coverage)
    seasons, slopes = seasonality(whole), trend(whole, coverage=coverage)
    changes, months = change_points(whole), month_totals(whole, plan, coverage=coverage, per=per)
    return {
        "step": history.step,
        "origin": float(history.times[-1]),
        "coverage": coverage,
        "times": told.times,
        "series": [
            {
                "labels": dict(published_key(key).pairs),
                "forecaster": _forecaster(model, plan, row),
                "mean": told.mean[row],
                "lower": told.lower[row],
                "upper": told.upper[row],
                "seasons": _seasons(seasons, row),
                "trend": _trend(slopes, row),
                "changePoints": _changes(changes, row),
                "month": {name: one[row] for name, one in months.items()},
            }
            for row, key in enumerate(history.keys)
        ],
    }


def month_totals(history: Window, plan: ModelPlan, *, coverage: float, per: Per) -> dict[str, Sequence[Any]]:
    """Sums of this month: what came so far, what is still to come, and both; by name, one for each series.

    Empty where values add to no total. What came is None where the history does not reach back to the first of the
    month, and so is what both come to.
    """
    hours = resampled(history, math.ceil(HOUR / history.step) * int(history.step), "mean")
    if hours.n_steps < 2 or per == "none":
        return {}
    begin, end = month_of(float(history.times[-1]), plan.timezone)
    ahead = max(math.ceil((end - hours.times[-1]) / hours.step), 1)
    told = plan.forecaster().fit(hours).forecast(ahead, coverage=coverage)
    unit = hours.step if per == "second" else hours.step / history.step
    known = _so_far(hours, begin) * unit
    rest, whole = (
        _bounds(total(known_part, told, end, per_step=unit)) for known_part in (np.zeros(hours.n_series), known)
    )
    same = [hours.n_series * [moment] for moment in (begin, end)]
    return {"begin": same[0], "end": same[1], "soFar": known.tolist(), "toCome": rest, "total": whole}


def _so_far(hours: Window, begin: float) -> FloatArray:
    """(n_series,): sum since the beginning, gaps filled by the mean; NaN where too little of it is known."""
    inside = hours.times >= begin
    values = hours.values[:, inside]
    known = np.isfinite(values)
    count = known.sum(axis=1)
    mean = np.where(known, values, 0.0).sum(axis=1) / np.maximum(count, 1)
    reaches_back = hours.times[0] - hours.step < begin
    enough = (2 * count >= values.shape[1]) & reaches_back
    return np.where(enough, mean * values.shape[1], np.nan)


def _bounds(told: Total) -> list[dict[str, float]]:
    rows = zip(told.mean.tolist(), told.lower.tolist(), told.upper.tolist(), strict=True)
    return [dict(zip(("mean", "lower", "upper"), row, strict=True)) for row in rows]


def _forecaster(model: object, plan: ModelPlan, row: int) -> dict[str, Any]:
    if not isinstance(model, HarmonicRegression):
        return {"name": plan.forecaster_name}
    choice = model.choice_
    naive = float(choice.naive_error[row])
    ratio = float(choice.error[row]) / naive if naive > 0 else math.nan
    return {"name": plan.forecaster_name, "leading": str(choice.name[row]), "backtestErrorRatio": ratio}


def _seasons(found: Seasonality, row: int) -> list[dict[str, Any]]:
    told = [
        {"name": name, "seconds": _SECONDS[name], "strength": float(strength)}
        for name, strength in zip(found.names, found.strength[:, row], strict=True)
    ]
    if found.own_strength[row] >= _CLEAR:
        strength = float(found.own_strength[row])
        told.append({"name": "own", "seconds": float(found.own_period[row]), "strength": strength})
    return told


def _trend(found: Trend, row: int) -> dict[str, float]:
    sides = {"perDay": found.slope, "lower": found.lower, "upper": found.upper}
    return {name: float(side[row] * DAY) for name, side in sides.items()}


def _changes(found: Sequence[ChangePoint], row: int) -> list[dict[str, float]]:
    return [{"time": one.time, "before": one.before, "after": one.after} for one in found if one.series == row]
