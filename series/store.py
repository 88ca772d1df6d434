"""The recent past of one query, kept in memory as one matrix."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from series.grid import Grid
from series.key import SeriesKey
from series.memory_budget import MemoryBudget
from series.window import BoolArray, Window

# Spare columns behind the window, as a share of it: the matrix is moved back once per that many steps.
_SLACK = 0.25
# Rows moved at a time, so that moving never needs a second matrix.
_BLOCK = 1024
# Before any step.
_NEVER = np.iinfo(np.int64).min
_NO_ROWS: npt.NDArray[np.intp] = np.empty(0, dtype=np.intp)


class RingStore:
    """Keys x steps, of which the last `n_steps` are kept; models read it through views.

    Columns lie one behind the other in a buffer that is a little wider than the window. A new step takes the
    next column; when the buffer is used up, the window is moved back to its start. So a view is always
    contiguous along time and a step costs one column, not a copy.

    Parameters
    ----------
    step : int
        Seconds between columns.
    n_steps : int
        Columns of the window.
    late_steps : int
        Columns of this age are asked for once more, as samples may have been written to them late.
    budget : MemoryBudget
        Shared with other stores.
    dtype : "float64" or "float32"
        Half the memory for seven digits; larger than 3.4e38 is then infinite.

    Attributes
    ----------
    keys : tuple of SeriesKey
        One a row. A new series takes the row of one without a sample in the whole window, or is added behind; what is
        left of such rows is dropped when the buffer is moved. Another tuple whenever anything of it changes.
    """

    def __init__(
        self,
        *,
        step: int,
        n_steps: int,
        late_steps: int = 0,
        budget: MemoryBudget | None = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        if n_steps < 1:
            raise ValueError(f"RingStore.n_steps must be 1 or more. Got {n_steps}.")
        self.step = step
        self.n_steps = n_steps
        self.late_steps = min(late_steps, n_steps)
        self.dtype = np.dtype(dtype)
        self._budget = budget or MemoryBudget()
        self.keys: tuple[SeriesKey, ...] = ()
        self._row: dict[SeriesKey, int] = {}
        self._asked: tuple[tuple[SeriesKey, ...] | None, npt.NDArray[np.intp]] = (None, _NO_ROWS)
        # Number of the last step with a sample, a row.
        self._seen: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._width = n_steps + max(1, int(_SLACK * n_steps))
        self._buffer = self._empty(0)
        self._pulled = np.zeros(self._width, dtype=bool)
        # Asked for when no more samples were to come.
        self._final = np.zeros(self._width, dtype=bool)
        self._first = 0
        self._grid: Grid | None = None
        # Held while samples move, so that another thread can copy some.
        self._moving = threading.RLock()

    @property
    def grid(self) -> Grid | None:
        """Instants of the columns; None before the first `advance`."""
        return self._grid

    @property
    def nbytes(self) -> int:
        """Bytes the samples take, spare rows and columns included."""
        return self._buffer.nbytes

    @property
    def silent_steps(self) -> npt.NDArray[np.int64]:
        """(n_series,) int64: steps since each series' last sample, 0 for one at the last step."""
        if self._grid is None:
            return np.empty(0, dtype=np.int64)
        last = self._grid.start // self.step + self.n_steps - 1
        # A row that never had a sample is silent since before the window.
        silent: npt.NDArray[np.int64] = np.minimum(last - np.maximum(self._seen[: len(self.keys)], -1), self.n_steps)
        return silent

    @property
    def pulled(self) -> BoolArray:
        """(n_steps,) bool: True where the source was asked, whether it had samples or not."""
        return self._pulled[self._first : self._first + self.n_steps]

    def window(self) -> Window:
        """All rows and columns, as a view that the next `advance` may move.

        Raises
        ------
        ValueError
            Before the first `advance`.
        """
        if self._grid is None:
            raise ValueError("RingStore.window needs a grid. Call advance() first.")
        return Window(self.keys, self._grid.times, self._columns())

    def copy(self, keys: Sequence[SeriesKey]) -> Window | None:
        """Samples of those of `keys` that are known, for another thread than the one that fills the store.

        Returns
        -------
        Window or None
            None before the first `advance`.
        """
        with self._moving:
            if self._grid is None:
                return None
            known = tuple(key for key in keys if key in self._row)
            return Window(known, self._grid.times, self._columns()[[self._row[key] for key in known]])

    def advance(self, grid: Grid) -> None:
        """Move on to `grid`: older columns fall out, new ones are empty.

        A grid that ends earlier than the present one (the clock was set back) empties the store, because what
        it then holds would lie in the future.

        Raises
        ------
        ValueError
            For a grid of another step or length.
        """
        if (grid.step, grid.n_steps) != (self.step, self.n_steps):
            raise ValueError(
                f"The grid must have {self.n_steps} steps of {self.step} s. Got {grid.n_steps} of {grid.step} s."
            )
        with self._moving:
            if self._grid is None or not 0 <= (grid.end - self._grid.end) // self.step < self.n_steps:
                self._clear()
            else:
                self._shift((grid.end - self._grid.end) // self.step, grid)
            self._grid = grid

    def fill(self, window: Window, grid: Grid, pulled: BoolArray) -> None:
        """Take over what another store held: its `window`, `grid` and `pulled`."""
        self._clear()
        self.advance(grid)
        self.merge(window, grid)
        self.pulled[:] = pulled
        # By the next time, the newest of them may have got late samples.
        self._final[self._first : self._first + self.n_steps - self.late_steps] = pulled[
            : self.n_steps - self.late_steps
        ]

    def missing(self) -> list[Grid]:
        """Ranges to ask for.

        Returns
        -------
        list of Grid
            What was never pulled, newest first: what is judged now comes before what only completes the history. Then
            what was pulled when late samples could still come, and is now so old that they cannot.
        """
        late = self.pulled & ~self._final[self._first : self._first + self.n_steps]
        late[self.n_steps - self.late_steps :] = False
        return [*self._ranges(~self.pulled), *self._ranges(late)]

    @property
    def n_unpulled(self) -> int:
        """Columns that were never asked for."""
        return int((~self.pulled).sum())

    def _ranges(self, wanted: BoolArray) -> list[Grid]:
        if self._grid is None:
            return []
        edges = np.flatnonzero(np.diff(np.concatenate(([False], wanted, [False]))))
        ranges = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
        return [Grid(self._grid.start + a * self.step, self.step, b - a) for a, b in ranges][::-1]

    def merge(self, window: Window, grid: Grid) -> None:
        """Take what a pull of `grid` gave; a series it does not name has no samples there.

        Parameters
        ----------
        window : Window
            On `grid`, which lies inside of the store's own.

        Raises
        ------
        StoreFull
            Where the budget has no room for new series; the store holds what it held.
        """
        if self._grid is None:
            raise ValueError("RingStore.merge needs a grid. Call advance() first.")
        first = (grid.start - self._grid.start) // self.step
        last = first + grid.n_steps
        if first < 0 or last > self.n_steps:
            raise ValueError("What is merged must lie inside of the store's own grid.")
        with self._moving, np.errstate(over="ignore"):
            rows = self._rows(window.keys, self._grid)
            columns = self._columns()
            columns[:, first:last] = np.nan
            columns[rows, first:last] = window.values
        self._note_seen(rows, window.values, grid)
        self._note_erased(columns, first, last)
        self._pulled[self._first + first : self._first + last] = True
        self._final[self._first + first : self._first + min(last, self.n_steps - self.late_steps)] = True

    def _columns(self) -> npt.NDArray[np.float64]:
        return self._buffer[: len(self.keys), self._first : self._first + self.n_steps]

    def _empty(self, n_rows: int) -> npt.NDArray[np.float64]:
        return np.full((n_rows, self._width), np.nan, dtype=self.dtype)

    def _note_seen(self, rows: npt.NDArray[np.intp], values: npt.NDArray[np.float64], grid: Grid) -> None:
        first = grid.start // self.step
        for top in range(0, len(rows), _BLOCK):
            known = ~np.isnan(values[top : top + _BLOCK])
            last = first + grid.n_steps - 1 - known[:, ::-1].argmax(axis=1)
            seen, block = known.any(axis=1), rows[top : top + _BLOCK]
            self._seen[block[seen]] = np.maximum(self._seen[block[seen]], last[seen])

    def _note_erased(self, columns: npt.NDArray[np.float64], first: int, last: int) -> None:
        """Look anew for the last sample of series whose last one a late pull no longer has."""
        if self._grid is None or last == self.n_steps:  # what was never pulled holds no sample to lose
            return
        start = self._grid.start // self.step
        place = np.maximum(self._seen[: len(columns)], -1) - start
        inside = np.flatnonzero((place >= first) & (place < last))
        for row in inside[np.isnan(columns[inside, place[inside]])].tolist():
            known = np.flatnonzero(~np.isnan(columns[row]))
            self._seen[row] = start + known[-1] if len(known) else _NEVER

    def _rows(self, keys: tuple[SeriesKey, ...], grid: Grid) -> npt.NDArray[np.intp]:
        # A source that knows its series gives the same tuple every cycle.
        if keys is self._asked[0]:
            return self._asked[1]
        added = list(dict.fromkeys(key for key in keys if key not in self._row))
        if added:
            self._add(added, self._free(keys, grid)[: len(added)])
        rows = np.fromiter((self._row[key] for key in keys), dtype=np.intp, count=len(keys))
        self._asked = (keys, rows)
        return rows

    def _free(self, keys: tuple[SeriesKey, ...], grid: Grid) -> list[int]:
        """Rows of series without a sample in the window, unless `keys` bring them back."""
        gone = self._seen[: len(self.keys)] < grid.start // self.step
        if gone.any():
            gone[[self._row[key] for key in keys if key in self._row]] = False
        return list(np.flatnonzero(gone).tolist())

    def _add(self, added: list[SeriesKey], free: list[int]) -> None:
        """Give rows to series that have none, the free ones first."""
        behind = range(len(self.keys), len(self.keys) + len(added) - len(free))
        self._reserve(behind.stop)
        names = [*self.keys, *added[len(free) :]]
        for row, key in zip([*free, *behind], [*added[: len(free)], *added[len(free) :]], strict=True):
            if row < len(self.keys):
                del self._row[names[row]]
            names[row], self._row[key], self._seen[row] = key, row, _NEVER
        self.keys = tuple(names)
        self._asked = (None, _NO_ROWS)

    def _reserve(self, n_rows: int) -> None:
        capacity = self._buffer.shape[0]
        if n_rows <= capacity:
            return
        # A first fill gets what it needs; later ones leave room, or churn would copy the matrix every cycle.
        room = max(n_rows, int(capacity * 1.25))
        self._budget.allow(self, room * self._width * self._buffer.itemsize)
        grown = self._empty(room)
        grown[:capacity] = self._buffer
        self._buffer = grown
        self._seen = np.concatenate([self._seen, np.full(room - capacity, _NEVER)])

    def _clear(self) -> None:
        self.keys, self._row = (), {}
        self._asked = (None, _NO_ROWS)
        self._buffer, self._seen = self._empty(0), np.empty(0, dtype=np.int64)
        self._pulled[:] = self._final[:] = False
        self._first = 0

    def _shift(self, steps: int, grid: Grid) -> None:
        if self._first + steps + self.n_steps > self._width:
            self._move_back(steps, grid)
        else:
            self._first += steps
        end = self._first + self.n_steps
        self._buffer[:, end - steps : end] = np.nan
        self._pulled[end - steps : end] = self._final[end - steps : end] = False

    def _move_back(self, steps: int, grid: Grid) -> None:
        """Put the columns that stay at the start of the buffer, and the rows that live to its top."""
        stays = slice(self._first + steps, self._first + self.n_steps)
        width = self.n_steps - steps
        live = np.flatnonzero(self._seen[: len(self.keys)] >= grid.start // self.step)
        if len(live) < len(self.keys):
            self.keys = tuple(self.keys[row] for row in live)
            self._row = {key: row for row, key in enumerate(self.keys)}
            self._asked = (None, _NO_ROWS)
        for top in range(0, len(live), _BLOCK):
            block = live[top : top + _BLOCK]
            self._buffer[top : top + len(block), :width] = self._buffer[block, stays]
        self._buffer[len(live) :] = np.nan
        self._seen[: len(live)], self._seen[len(live) :] = self._seen[live], _NEVER
        for mask in (self._pulled, self._final):
            mask[:width] = mask[stays].copy()
        self._first = 0
