"""How much capacity a forecast asks for: when to add, how much, how sure; and what can be given back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecasting.limits import crossing
from forecasting.quantiles import QuantileForecast
from series import FloatArray

# A twelfth of a year of 365.25 days, in seconds.
MONTH = 2_629_800.0


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
    cost, monthly_cost : float or None
        Change over the time of the forecast, and in a month of `MONTH` seconds; below 0 where it saves.
    peak : float
        Highest use that is forecast, with the probability of the rule.
    short_from : float
        Seconds since the epoch: from when on the present capacity is not sure to suffice any more; NaN where it is.
    """

    series: int
    action: Literal["add", "give_back"]
    amount: float
    capacity: float
    by: float
    probability: float
    cost: float | None
    monthly_cost: float | None
    peak: float
    short_from: float


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
            change, sure = _Change(int(row), "add", needed[row], capacity[row]), float(short.probability[0, row])
            by = max(now, due - rule.lead_time)
            found.append(_advice(change, rule, span, by=by, sure=sure, peak=peak[row], short_from=due))
        elif least[row] < capacity[row]:
            change = _Change(int(row), "give_back", least[row], capacity[row])
            enough = 1 - float(np.nanmax(forecast.exceeds(least * rule.utilisation)[row]))
            found.append(_advice(change, rule, span, by=now, sure=enough, peak=peak[row]))
    return found


@dataclass(frozen=True)
class _Change:
    row: int
    action: Literal["add", "give_back"]
    wanted: float
    present: float


def _advice(
    change: _Change,
    rule: ScalingRule,
    span: float,
    *,
    by: float,
    sure: float,
    peak: float,
    short_from: float = math.nan,
) -> Recommendation:
    more = float(change.wanted - change.present)
    each = None if rule.cost is None else more / rule.unit * rule.cost
    return Recommendation(
        series=change.row,
        action=change.action,
        amount=abs(more),
        capacity=float(change.wanted),
        by=float(by),
        probability=sure,
        cost=None if each is None else each * span,
        monthly_cost=None if each is None else each * MONTH,
        peak=float(peak),
        short_from=float(short_from),
    )


def _at(levels: FloatArray, sure: float) -> int:
    """Place of the lowest level that is at least this sure; the last one where none is."""
    return min(int(np.searchsorted(levels, sure - 1e-9)), len(levels) - 1)
