"""What is known of the limits of one series, and what to do about them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from exporter.config_limits import Scaling
from exporter.cycle import QueryCycle
from exporter.models.capacity import LimitState
from exporter.published import published_key
from series import SeriesKey


def limits_of(
    cycle: QueryCycle, key: SeriesKey, states: Mapping[str, LimitState], row: int, value: float, now: float
) -> dict[str, Any]:
    """All limits of the series in a row of `states`, as JSON can hold them once NaN is null.

    `value` is that of the last judged step, which is of `now`; NaN where it has none.
    """
    scaling = {limit.name: limit.scaling for limit in cycle.query.limits}
    falling = {limit.name for limit in cycle.query.limits if limit.direction == "falling"}
    horizon = max(cycle.query.capacity.horizons)
    limits = []
    for name, state in states.items():
        told = _limit(name, state, row) | {"passed": _passed(value, float(state.value[row]), falling=name in falling)}
        if (rule := scaling.get(name)) and math.isfinite(state.change[row]):
            made_by = {
                "forecaster": cycle.plan.forecaster_name,
                "of": "highest values of hours",
                "horizon": str(horizon),
            }
            told["recommendation"] = _recommendation(state, row, rule, value, now) | {"forecast": made_by}
        limits.append(told)
    return {"labels": dict(published_key(key).pairs), "limits": limits}


def _limit(name: str, state: LimitState, row: int) -> dict[str, Any]:
    return {
        "limit": name,
        "value": float(state.value[row]),
        "time": float(state.time[row]),
        "lower": float(state.lower[row]),
        "upper": float(state.upper[row]),
        "probability": {str(horizon): float(one[row]) for horizon, one in state.probability.items()},
    }


def _passed(value: float, limit: float, *, falling: bool = False) -> bool:
    return value <= limit if falling else value >= limit


def _recommendation(state: LimitState, row: int, rule: Scaling, value: float, now: float) -> dict[str, Any]:
    change, by, short_from = float(state.change[row]), float(state.by[row]), float(state.short_from[row])
    # `by` is the hour of the forecast where it was late then; steps were judged since.
    late = max(0.0, max(by, now) - (short_from - rule.lead_time)) if change > 0 else math.nan
    return {
        "action": "add" if change > 0 else "give_back",
        "amount": abs(change),
        "units": round(abs(change) / rule.unit),
        "capacity": float(state.capacity[row]),
        "by": by,
        "lateBy": late,
        "shortFrom": short_from,
        "shortNow": _passed(value, rule.utilisation * float(state.value[row])),
        "probability": float(state.sure[row]),
        "peak": float(state.peak[row]),
        "peakProbability": rule.sure,
        "cost": float(state.cost[row]),
        "costPerMonth": float(state.monthly_cost[row]),
        "currency": rule.currency,
    }
