"""How much capacity a forecast asks for: when to add, how much, how sure; and what can be given back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecasting.limits import crossing
from forecasting.quantiles import QuantileForecast
from series import FloatArray


@dataclass(frozen=True, kw_only=True)
class ScalingRule:
    """What counts as enough.

    Attributes
    ----------
    utilisation : float
        Highest share of the capacity that may be used, above 0 and up to 1.
    unit : float
        Capacity is added and given back in multiples of this, above 0.
    sure : float
        Probability with which the capacity shall suffice, above 0.5 and below 1.
    headroom : float
        Capacity is given back only where the smaller one would suffice for this many times the need, 1 or more: what
        is given back today must not be asked for tomorrow.
    lead_time : float
        Seconds that adding takes, 0 or more.
    cost : float or None
        Of one unit for a second; None where it is not known.
    """

    utilisation: float = 0.8
    unit: float = 1.0
    sure: float = 0.95
    headroom: float = 1.2
    lead_time: float = 0.0
    cost: float | None = None

    def __post_init__(self) -> None:
        checks = (
            ("utilisation", 0 < self.utilisation <= 1, "above 0 and up to 1"),
            ("unit", self.unit > 0, "above 0"),
            ("sure", 0.5 < self.sure < 1, "above 0.5 and below 1"),
            ("headroom", self.headroom >= 1, "1 or more"),
            ("lead_time", self.lead_time >= 0, "0 or more"),
        )
        for name, holds, must in checks:
            if not holds:
                raise ValueError(f"ScalingRule.{name} must be {must}. Got {getattr(self, name)!r}.")


@dataclass(frozen=True)
class Recommendation:
    """One piece of advice.

    Attributes
    ----------
    series : int
        Row of the forecast.
    action : str
        ``add`` or ``give_back``.
    amount, capacity : float
        By how much, and to what; multiples of the unit.
    by : float
        Seconds since the epoch: when the change should begin; now where it is late, or for giving back.
    probability : float
        ``add``: that the present capacity will not suffice; ``give_back``: that the smaller one will.
    cost : float or None
        Change over the time of the forecast, below 0 where it saves.
    """

    series: int
    action: Literal["add", "give_back"]
    amount: float
    capacity: float
    by: float
    probability: float
    cost: float | None


def recommend(
    forecast: QuantileForecast, capacity: FloatArray, past_peak: FloatArray, rule: ScalingRule, *, now: float
) -> list[Recommendation]:
    """Compare what will be needed with what is there.

    Parameters
    ----------
    forecast : QuantileForecast
        Of what is used, in the unit of the capacity.
    capacity : (n_series,) float64
        NaN where it is not known: no advice.
    past_peak : (n_series,) float64
        Highest use in the history: nothing is given back that was needed before.
    now : float
        Seconds since the epoch.

    Returns
    -------
    list of Recommendation
        One for each series whose capacity should change.
    """
    reach = forecast.values[_at(forecast.levels, rule.sure)]
    peak = np.where(np.isfinite(reach).all(axis=1), reach.max(axis=1), np.nan)
    needed = np.ceil(peak / rule.utilisation / rule.unit - 1e-9) * rule.unit
    kept_for = np.fmax(peak, past_peak) * rule.headroom
    least = np.ceil(kept_for / rule.utilisation / rule.unit - 1e-9) * rule.unit
    span = float(forecast.times[-1] - now)
    short = crossing(forecast, capacity * rule.utilisation, [span], now=now, coverage=2 * rule.sure - 1)
    found: list[Recommendation] = []
    for row in np.flatnonzero(np.isfinite(peak) & np.isfinite(capacity)):
        if needed[row] > capacity[row]:
            due = short.lower[row] if np.isfinite(short.lower[row]) else float(forecast.times[-1])
            by, sure = max(now, due - rule.lead_time), float(short.probability[0, row])
            found.append(_advice(int(row), "add", needed[row], capacity[row], by, sure, rule, span))
        elif least[row] < capacity[row]:
            enough = 1 - float(np.nanmax(forecast.exceeds(least * rule.utilisation)[row]))
            found.append(_advice(int(row), "give_back", least[row], capacity[row], now, enough, rule, span))
    return found


def _advice(
    row: int,
    action: Literal["add", "give_back"],
    wanted: float,
    present: float,
    by: float,
    sure: float,
    rule: ScalingRule,
    span: float,
) -> Recommendation:
    change = float(wanted - present)
    cost = None if rule.cost is None else change / rule.unit * rule.cost * span
    return Recommendation(row, action, abs(change), float(wanted), float(by), sure, cost)


def _at(levels: FloatArray, sure: float) -> int:
    """Place of the lowest level that is at least this sure; the last one where none is."""
    return min(int(np.searchsorted(levels, sure - 1e-9)), len(levels) - 1)
