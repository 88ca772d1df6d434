"""Samples that were read from a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from series import FloatArray, SeriesKey
from sources.errors import QueryRefused

T = TypeVar("T")

# Seconds since the epoch pass this in the year 5138; milliseconds passed it in 1973.
MOST_SECONDS = 1e11


@dataclass(frozen=True)
class Extent:
    """The time that samples cover.

    Attributes
    ----------
    first, last : float
        Seconds since the epoch.
    step : int
        Median distance between two samples of a series in whole seconds, 1 or more.
    """

    first: float
    last: float
    step: int


class Recording:
    """Raw samples by series.

    Parameters
    ----------
    path : str
        For messages.
    keys : sequence of SeriesKey
        Each once.
    rows : (n,) int
        Position in `keys` of each sample's series.
    times, values : (n,) float64
        Times in seconds since the epoch, in any order.

    Raises
    ------
    QueryRefused
        Where times are missing, infinite or look like milliseconds.
    """

    def __init__(
        self, path: str, keys: Iterable[SeriesKey], rows: npt.NDArray[np.int64], times: FloatArray, values: FloatArray
    ) -> None:
        bad = ~(np.abs(times) < MOST_SECONDS)
        if bad.any():
            got = float(times[np.argmax(bad)])
            hint = ". Are these milliseconds?" if np.isfinite(got) else "."
            raise QueryRefused(path, f"{path}: timestamps must be seconds since the epoch. Got {got:.15g}{hint}")
        self.keys = tuple(keys)
        order = np.argsort(rows, kind="stable")
        self._times, self._values = times[order], values[order]
        self._bounds = np.searchsorted(rows[order], np.arange(len(self.keys) + 1))

    def __iter__(self) -> Iterator[tuple[SeriesKey, FloatArray, FloatArray]]:
        """Each series with its times and values, in the order of the file."""
        for row, key in enumerate(self.keys):
            some = slice(self._bounds[row], self._bounds[row + 1])
            yield key, self._times[some], self._values[some]

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self._times)

    def extent(self) -> Extent | None:
        """The time covered, or None without a sample."""
        if not self.samples:
            return None
        gaps = [np.diff(np.sort(times)) for _, times, _ in self]
        apart = np.concatenate(gaps)
        apart = apart[apart > 0]
        step = max(1, round(float(np.median(apart)))) if len(apart) else 1
        return Extent(float(self._times.min()), float(self._times.max()), step)


class RowBuilder:
    """Collects samples batch by batch, and gives each series its row."""

    def __init__(self) -> None:
        self._keys: dict[SeriesKey, int] = {}
        self._by_name: dict[object, int] = {}
        self._parts: list[tuple[npt.NDArray[np.int64], FloatArray, FloatArray]] = []

    def row(self, name: T, key: Callable[[T], SeriesKey]) -> int:
        """Row of a series by what the file calls it; `key` is asked the first time."""
        row = self._by_name.get(name)
        if row is None:
            row = self._by_name[name] = self._keys.setdefault(key(name), len(self._keys))
        return row

    def add(self, rows: npt.ArrayLike, times: FloatArray, values: FloatArray) -> None:
        """Take (n,) samples."""
        self._parts.append((np.asarray(rows, np.int64), times, values))

    def recording(self, path: Path) -> Recording:
        """Everything taken."""
        rows = np.concatenate([np.empty(0, np.int64), *(rows for rows, _, _ in self._parts)])
        times = np.concatenate([np.empty(0), *(times for _, times, _ in self._parts)])
        values = np.concatenate([np.empty(0), *(values for _, _, values in self._parts)])
        return Recording(str(path), self._keys, rows, times, values)
