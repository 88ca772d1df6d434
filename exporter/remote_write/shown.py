"""Which results a server was last sent, so that those that stop can be marked as ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exporter.results import Column, Results
from series import BoolArray, SeriesKey

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Gone:
    """Series of a column that were sent and are no more: rows of `keys`."""

    keys: tuple[SeriesKey, ...]
    column: Column
    rows: IntArray


class Shown:
    """Remembers the results of one query that a server was last sent."""

    def __init__(self) -> None:
        self._keys: tuple[SeriesKey, ...] = ()
        self._columns: dict[object, tuple[Column, BoolArray]] = {}

    def replace(self, results: Results | None) -> Iterator[Gone]:
        """Take in new results, None for no more, and give what has ended with them."""
        keys, columns = self._keys, self._columns
        self._keys = results.keys if results else ()
        self._columns = {_name(column): (column, ~np.isnan(column.values)) for column in (results or _NONE).columns}
        place = _places(keys, self._keys)
        for name, (column, shown) in columns.items():
            rows = np.flatnonzero(shown & ~self._still_shown(name, place))
            if len(rows):
                yield Gone(keys, column, rows)

    def _still_shown(self, name: object, place: IntArray) -> BoolArray:
        if name not in self._columns or not self._keys:
            return np.zeros(len(place), bool)
        _, shown = self._columns[name]
        return (place >= 0) & shown[place]


_NONE = Results("", (), (), expires=0.0)


def _name(column: Column) -> object:
    return column.family, tuple(sorted(column.labels.items()))


def _places(old: tuple[SeriesKey, ...], new: tuple[SeriesKey, ...]) -> IntArray:
    """Row of each old series among the new ones, -1 for none."""
    if old is new:
        return np.arange(len(old))
    row = {key: number for number, key in enumerate(new)}
    return np.fromiter((row.get(key, -1) for key in old), np.intp, len(old))
