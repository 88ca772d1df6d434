"""Public holidays of a country or of a part of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from series.window import BoolArray

if TYPE_CHECKING:
    from holidays import HolidayBase

DayArray = npt.NDArray[np.int64]
_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class PublicHolidays:
    """Days off, substitutes for those on a weekend included.

    Parameters
    ----------
    country : str
        ISO 3166-1 code, such as ``DE``.
    subdivision : str, default ""
        ISO 3166-2 code without the country, such as ``BY``, where a part has days of its own.

    Raises
    ------
    ValueError
        For a country or part of which nothing is known.

    Examples
    --------
    >>> epiphany = np.array([20_459])  # 2026-01-06
    >>> PublicHolidays("DE", "BY").on(epiphany), PublicHolidays("DE").on(epiphany)
    (array([ True]), array([False]))
    """

    country: str
    subdivision: str = ""
    _weekend: frozenset[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Imported where it is needed: the service starts without it when no calendar is configured.
        import holidays

        try:
            made = holidays.country_holidays(self.country, subdiv=self.subdivision or None)
        except NotImplementedError as error:
            known = holidays.list_supported_countries().get(self.country)
            said = "a country code of ISO 3166, such as DE" if known is None else f"one of {', '.join(known) or 'none'}"
            name, got = ("country", self.country) if known is None else ("subdivision", self.subdivision)
            raise ValueError(f"{name} must be {said}. Got {got!r}.") from error
        object.__setattr__(self, "_weekend", frozenset(made.weekend))

    @property
    def weekend(self) -> frozenset[int]:
        """Days of the week without work, Monday 0: Saturday and Sunday in most countries."""
        return self._weekend

    def name(self, day: dt.date) -> str:
        """What is celebrated on a day; empty for nothing."""
        return str(_of_year(self.country, self.subdivision, day.year).get(day, ""))

    def on(self, days: DayArray) -> BoolArray:
        """(n,) bool: whether each of `days`, counted from 1970-01-01, is a holiday."""
        years = np.unique(days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)) + 1970
        off = [(day - _EPOCH).days for year in years for day in _of_year(self.country, self.subdivision, int(year))]
        return np.isin(days, np.array(off, dtype=np.int64))


@lru_cache(maxsize=1_024)
def _of_year(country: str, subdivision: str, year: int) -> HolidayBase:
    import holidays

    return holidays.country_holidays(country, subdiv=subdivision or None, years=year, expand=False)
