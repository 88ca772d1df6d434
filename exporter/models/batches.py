"""The series of a query in batches that learn one after the other."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from exporter.models.fit_schedule import FitSchedule
from exporter.models.groups import group_of
from exporter.models.stored import Tree
from series import FloatArray, SeriesKey, Window

Rows = npt.NDArray[np.intp]

# Series of a batch, roughly: fewer cost more calls than arithmetic.
_SERIES = 256
# Most batches: each costs some calls a cycle.
_MOST = 64
GONE = -1


@dataclass(eq=False)
class Batch:
    """Series that learn together.

    Attributes
    ----------
    number : int
    schedule : FitSchedule
        When they learn.
    members : (n,) intp
        Where they stand in the window.
    keys : tuple of SeriesKey
        Those a model has learned, in its order.
    rows : (len(keys),) intp
        Where these stand in the window, `GONE` for one that is no longer there.
    end : float
        Last instant that was learned from, NaN for none.
    epoch : int
        Of the history that was learned from.
    """

    number: int
    schedule: FitSchedule
    members: Rows = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    keys: tuple[SeriesKey, ...] = ()
    rows: Rows = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    end: float = math.nan
    epoch: int = -1

    @property
    def fitted(self) -> bool:
        """True once something was learned."""
        return not math.isnan(self.end)

    def due(self, window: Window, epoch: int, *, spare: int) -> int | None:
        """Column that is the last one to learn from, or None where what was learned still holds."""
        if not len(self.members):
            return None
        last = self.schedule.last_fit(window, spare=spare)
        return None if (self.end, self.epoch) == (float(window.times[last]), epoch) else last

    def learned(self, window: Window, last: int, epoch: int) -> None:
        """Note that the members were learned up to column `last`."""
        self.keys = tuple(window.keys[row] for row in self.members.tolist())
        self.rows = self.members
        self.end, self.epoch = float(window.times[last]), epoch

    def dump(self, number: Callable[[SeriesKey], int], epoch: int) -> dict[str, Tree]:
        """What outlives a restart: which series learned, up to when.

        Parameters
        ----------
        number : callable
            Gives each series a number to stand for it.
        epoch : int
            Of the history as it is now.
        """
        return {
            "keys": np.fromiter((number(key) for key in self.keys), dtype=np.int64, count=len(self.keys)),
            "end": self.end,
            "holds": self.epoch == epoch,
        }

    def load(self, known: Tree, keys: Sequence[SeriesKey], epoch: int) -> None:
        """Take over what `dump` gave; `keys` are the series by their numbers.

        Raises
        ------
        LookupError, TypeError
            Where it is something else.
        """
        self.keys = tuple(keys[number] for number in known["keys"].tolist())
        self.end, self.epoch = known["end"], epoch if known["holds"] else epoch - 1


B = TypeVar("B", bound=Batch)


class Batches(Generic[B]):
    """Batches of a query, over which a refit is spread: each has its own time of the clock.

    To which batch a series belongs follows from its labels, so a restarted process learns the same series at the same
    times.

    Parameters
    ----------
    make : callable
        Gives an empty batch of a number and a schedule.
    every, offset : float
        Seconds between two fits of a batch, and past a multiple of it.
    step : float
        Seconds between two cycles' samples: more batches than steps between two fits spread nothing.
    together : sequence of str or None
        Labels: series with equal values of them are in one batch, all of them where it is empty. None for each alone.
    """

    def __init__(
        self, make: type[B], every: float, offset: float, step: float, together: Sequence[str] | None = None
    ) -> None:
        self._make, self._every, self._offset, self._together = make, every, offset, together
        self._most = min(_MOST, _power_of_two(every / step))
        self._keys: tuple[SeriesKey, ...] | None = None
        self._hash: dict[SeriesKey, int] = {}
        self.parts: list[B] = []

    def __iter__(self) -> Iterator[B]:
        return iter(self.parts)

    def place(self, keys: tuple[SeriesKey, ...]) -> None:
        """Find the series of a window again; `keys` are its rows."""
        if keys is self._keys:
            return
        wanted = min(self._most, _power_of_two(len(keys) / _SERIES))
        # Half or double is near enough: a fleet that grows and shrinks by one series must not learn all anew.
        if not self.parts or not wanted / 2 <= len(self.parts) <= wanted * 2:
            self.cut(wanted)
        self._find(keys)
        self._keys = keys

    def cut(self, count: int) -> None:
        """Start with `count` empty batches."""
        self.parts = [
            self._make(number, FitSchedule(self._every, self._offset + self._every * number / count))
            for number in range(count)
        ]
        self._keys = None

    def oldest_first(self) -> list[B]:
        """Never fitted ones first, then what was learned longest ago."""
        return sorted(self.parts, key=lambda batch: batch.end if batch.fitted else -math.inf)

    def due(self, window: Window, epoch: int, *, spare: int) -> list[tuple[B, int]]:
        """Batches to fit, the oldest first, and the columns that are the last ones to learn from; see `Batch.due`."""
        columns = [(batch, batch.due(window, epoch, spare=spare)) for batch in self.oldest_first()]
        return [(batch, last) for batch, last in columns if last is not None]

    def of(self, key: SeriesKey) -> B | None:
        """The batch a series belongs to; None before the first window."""
        parts = self.parts
        return parts[self._place(key) % len(parts)] if parts else None

    def _place(self, key: SeriesKey) -> int:
        return stable_hash(key if self._together is None else group_of(key, self._together))

    def _find(self, keys: tuple[SeriesKey, ...]) -> None:
        place = {key: row for row, key in enumerate(keys)}
        self._hash = {key: self._hash[key] if key in self._hash else self._place(key) for key in keys}
        number = np.fromiter(self._hash.values(), dtype=np.intp, count=len(keys)) % len(self.parts)
        for part in self.parts:
            part.members = np.flatnonzero(number == part.number)
            known = (place.get(key, GONE) for key in part.keys)
            part.rows = np.fromiter(known, dtype=np.intp, count=len(part.keys))


def stable_hash(key: SeriesKey) -> int:
    """Number of a label set that is the same in every process; Python's own hash is not."""
    return zlib.crc32(repr(key.pairs).encode())


def gathered(window: Window, keys: tuple[SeriesKey, ...], rows: Rows, columns: slice) -> Window:
    """Some rows and columns of a window, as a copy for models; NaN throughout a series that is gone."""
    values: FloatArray = np.asarray(window.values[rows, columns], dtype=np.float64)
    values[rows == GONE] = np.nan
    return Window(keys, window.times[columns], values)


def _power_of_two(number: float) -> int:
    return 1 << max(0, math.floor(math.log2(number))) if number >= 1 else 1
