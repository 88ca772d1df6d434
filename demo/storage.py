"""What fills up: each tenant's artifact store, and the table of past runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.draws import SlowNoise
from demo.rhythm import DAY, EPOCH_WEEKDAY, FloatArray

GB = 1e9
CLEAN_UP = 3 * 3_600.0
"""Seconds after midnight UTC when old artifacts begin to be deleted; it takes an hour."""
ROWS_NOW, ROWS_A_DAY = 43.2e6, 0.55e6


@dataclass(frozen=True)
class Store:
    """The artifacts of one tenant.

    Attributes
    ----------
    tenant_id : str
    size : float
        Bytes it can hold.
    now : float
        Bytes in use where the history ends.
    growth : float
        Bytes more a day, on average over the week.
    daily : float
        Bytes that a working day adds and the night takes away again.
    """

    tenant_id: str
    size: float
    now: float
    growth: float
    daily: float

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its series."""
        return {"tenant_id": self.tenant_id}


STORES = (
    Store("acme", 2_000 * GB, 1_690 * GB, 21 * GB, 30 * GB),
    Store("globex", 1_000 * GB, 640 * GB, 4 * GB, 12 * GB),
    Store("initech", 500 * GB, 262 * GB, 0.2 * GB, 8 * GB),
    Store("umbrella", 4_000 * GB, 830 * GB, 1.5 * GB, 20 * GB),
)


class Storage:
    """All stores, from one instant to the next.

    Parameters
    ----------
    end : float
        Where the history ends, seconds since the epoch: every demo has the same time left, whatever the date.
    """

    def __init__(self, end: float) -> None:
        self._end = end
        self._wander = SlowNoise(len(STORES), memory=14_400.0)

    def at(self, random: np.random.Generator, times: FloatArray, seconds: float) -> dict[str, FloatArray]:
        """State of the stores and of the table at `times`, which are `seconds` apart."""
        grown, added = _working_days(times) - _working_days(np.array([self._end])), _of_today(times)
        wander = self._wander.draw(random, len(times), seconds)
        stores = zip(STORES, wander, strict=True)
        used = [one.now + one.growth * grown + one.daily * (added + 0.06 * own) for one, own in stores]
        return {
            "artifacts": np.floor(np.stack(used)),
            "artifacts_size": np.repeat([[one.size] for one in STORES], len(times), axis=1),
            "rows": np.floor(ROWS_NOW + ROWS_A_DAY * grown)[np.newaxis],
        }


def _working_days(times: FloatArray) -> FloatArray:
    """Days since the epoch; of those of a weekend half counts, and the others count for more."""
    day = np.floor(times / DAY)
    weekday = (day + EPOCH_WEEKDAY) % 7
    share = np.where(weekday >= 5, 0.5, 1.2)
    before = np.where(weekday >= 5, 6.0 + 0.5 * (weekday - 5), 1.2 * weekday)
    return np.asarray(day - weekday + before + share * (times / DAY - day), dtype=np.float64)


def _of_today(times: FloatArray) -> FloatArray:
    """What was added since the last clean-up, less the mean: from -0.5 to 0.5."""
    since = (times - CLEAN_UP) % DAY
    return np.asarray(np.where(since < 3_600, 0.5 - since / 3_600, -0.5 + (since - 3_600) / (DAY - 3_600)))
