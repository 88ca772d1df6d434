"""What to do about a limit, in one line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from exporter.pages.text import format_duration, format_instant, format_number, format_share


def advice_line(limit: Mapping[str, Any]) -> str:
    """One sentence of what `GET /api/v1/capacity` says of a limit; empty where nothing should change.

    Examples
    --------
    >>> said = {"action": "give_back", "amount": 2e11, "units": 4, "capacity": 4e11, "probability": 0.998,
    ...         "peak": 2.7e11, "peakProbability": 0.95, "costPerMonth": -9.2, "currency": "USD",
    ...         "forecast": {"forecaster": "harmonic", "horizon": "30d"}}
    >>> advice_line({"recommendation": said})
    'give back 200G (4 units), to 400G: enough with 99.8 %; saves 9.20 USD a month; harmonic forecast of 30d, peak 270G'
    >>> advice_line({"limit": "full"})
    ''
    """
    if not (advice := limit.get("recommendation")):
        return ""
    units = f"{advice['units']} unit{'' if advice['units'] == 1 else 's'}"
    change = f"{format_number(advice['amount'])} ({units}), to {format_number(advice['capacity'])}"
    sure = format_share(advice["probability"])
    if advice["action"] == "add":
        told = [f"add {change}, {_begin(advice)}, with {sure}"]
    else:
        told = [f"give back {change}: enough with {sure}"]
    cost = advice["costPerMonth"]
    if cost is not None and math.isfinite(cost):
        money = f"{abs(cost):,.2f} {advice['currency']}".rstrip()
        told.append(f"{'costs' if cost > 0 else 'saves'} {money}{' more' if cost > 0 else ''} a month")
    made_by = advice["forecast"]
    told.append(f"{made_by['forecaster']} forecast of {made_by['horizon']}, peak {format_number(advice['peak'])}")
    return "; ".join(told)


def _begin(advice: Mapping[str, Any]) -> str:
    """When to begin, and why then.

    Examples
    --------
    >>> said = {"by": 1_782_820_800.0, "shortFrom": 1_782_824_400.0, "lateBy": 0.0, "shortNow": False}
    >>> _begin(said)
    'begin by 2026-06-30 12:00 UTC: short from 2026-06-30 13:00 on'
    >>> _begin(said | {"lateBy": 255_600.0})
    'begin at once, 2 d 23 h late: short from 2026-06-30 13:00 UTC on'
    >>> _begin(said | {"lateBy": 255_600.0, "shortNow": True})
    'begin at once, at least 2 d 23 h late: short already'
    """
    late, short = advice["lateBy"], advice["shortNow"]
    begin = "begin at once" if late or short else f"begin by {format_instant(advice['by'])} UTC"
    if late:
        begin += f", {'at least ' if short else ''}{format_duration(late)} late"
    zone = " UTC" if late else ""
    return begin + (": short already" if short else f": short from {format_instant(advice['shortFrom'])}{zone} on")
