"""Time of day and day of week where people live."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from series.window import FloatArray

DAY = 86_400
WEEK = 7 * DAY
# 1970-01-01 was a Thursday; Monday is day 0, as in datetime.
_EPOCH_WEEKDAY = 3


@dataclass(frozen=True)
class Calendar:
    """Local clock of one time zone, daylight saving included.

    A pipeline that starts at 02:00 local time keeps starting at 02:00 when the clocks change; a baseline on UTC
    would call that an anomaly for a week, twice a year.

    Parameters
    ----------
    timezone : str, default "UTC"
        IANA name, e.g. ``Europe/Berlin``.

    Raises
    ------
    ValueError
        For a name that the time zone database does not hold.

    Examples
    --------
    >>> summer = np.array([1_782_907_200.0])  # 2026-07-01 12:00 UTC, a Wednesday
    >>> Calendar("Europe/Berlin").second_of_day(summer) / 3600
    array([14.])
    >>> Calendar().weekday(summer)
    array([2])
    """

    timezone: str = "UTC"
    _zone: ZoneInfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "_zone", ZoneInfo(self.timezone))
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"timezone must be an IANA name such as Europe/Berlin. Got {self.timezone!r}.") from error

    def local(self, times: FloatArray) -> FloatArray:
        """Seconds since the epoch as a wall clock shows them, i.e. with the zone's offset added.

        Parameters
        ----------
        times : (n,) float64
            Seconds since the epoch, UTC.
        """
        if self.timezone == "UTC":
            return np.array(times, dtype=np.float64)
        # Offsets change on quarter hours at the finest, so one look-up serves all samples of a quarter.
        quarters, place = np.unique(np.floor(times / 900).astype(np.int64), return_inverse=True)
        offsets = np.array([_offset(self._zone, int(quarter)) for quarter in quarters], dtype=np.float64)
        return times + offsets[place] if len(offsets) else times

    def second_of_day(self, times: FloatArray) -> FloatArray:
        """(n,) float64 in [0, 86400): seconds since local midnight."""
        return np.mod(self.local(times), DAY)

    def weekday(self, times: FloatArray) -> npt.NDArray[np.int64]:
        """(n,) int64: Monday 0 to Sunday 6, local."""
        return (np.floor(self.local(times) / DAY).astype(np.int64) + _EPOCH_WEEKDAY) % 7


@lru_cache(maxsize=65_536)
def _offset(zone: ZoneInfo, quarter: int) -> float:
    offset = dt.datetime.fromtimestamp(quarter * 900, tz=zone).utcoffset()
    return offset.total_seconds() if offset else 0.0
