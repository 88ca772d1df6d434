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


def limits_of(cycle: QueryCycle, key: SeriesKey, states: Mapping[str, LimitState], row: int) -> dict[str, Any]:
    """All limits of the series in a row of `states`, as JSON can hold them once NaN is null."""
    scaling = {limit.name: limit.scaling for limit in cycle.query.limits}
    horizon = max(cycle.query.capacity.horizons)
    limits = []
    for name, state in states.items():
        told = _limit(name, state, row)
        if (rule := scaling.get(name)) and math.isfinite(state.change[row]):
            made_by = {
                "forecaster": cycle.plan.forecaster_name,
                "of": "highest values of hours",
                "horizon": str(horizon),
            }
            told["recommendation"] = _recommendation(state, row, rule) | {"forecast": made_by}
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


def _recommendation(state: LimitState, row: int, rule: Scaling) -> dict[str, Any]:
    change = float(state.change[row])
    return {
        "action": "add" if change > 0 else "give_back",
        "amount": abs(change),
        "units": round(abs(change) / rule.unit),
        "capacity": float(state.capacity[row]),
        "by": float(state.by[row]),
        "shortFrom": float(state.short_from[row]),
        "probability": float(state.sure[row]),
        "peak": float(state.peak[row]),
        "peakProbability": rule.sure,
        "cost": float(state.cost[row]),
        "costPerMonth": float(state.monthly_cost[row]),
        "currency": rule.currency,
    }
