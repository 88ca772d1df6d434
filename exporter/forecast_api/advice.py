"""What to do about a limit, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def advice_line(limit: Mapping[str, Any]) -> str:
    """One sentence of what `GET /api/v1/capacity` says of a limit; empty where nothing should change.

    Examples
    --------
    >>> advice_line({"limit": "full"})
    ''
    >>> advice_line({"recommendation": {"action": "add", "amount": 4e11, "capacity": 1e12}})
    'add 4e+11, to 1e+12'
    """
    if not (advice := limit.get("recommendation")):
        return ""
    return f"{advice['action'].replace('_', ' ')} {advice['amount']:.5g}, to {advice['capacity']:.5g}"
