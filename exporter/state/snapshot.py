"""What is kept of a query: its samples and what its models know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from exporter.models.stored import Packer, Tree, padded
from series import BoolArray, FloatArray, Grid, SeriesKey, Window
from series.store import RingStore

# Rows written at a time: a window lies in a wider buffer, and is never copied whole.
_BLOCK = 1_024


@dataclass(frozen=True)
class Signature:
    """What makes a snapshot usable.

    Attributes
    ----------
    samples : str
        The question, and who is asked.
    models : str
        How the models are made, and by which version.
    """

    samples: str
    models: str


class _Header(msgspec.Struct):
    samples: str
    models: str
    start: int
    step: int
    n_steps: int
    dtype: str
    keys: list[dict[str, str]]
    gone: list[dict[str, str]]
    learned: Any


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What a file held.

    Attributes
    ----------
    signature : Signature
    grid : Grid
    window : Window
        On the grid.
    pulled : (n_steps,) bool
        Which steps were asked for.
    keys : list of SeriesKey
        Those of the window, then those that only the models know, by the numbers `learned` gives them.
    learned : callable
        Gives what the models know; raises ValueError where it cannot be read.
    """

    signature: Signature
    grid: Grid
    window: Window
    pulled: BoolArray
    keys: list[SeriesKey]
    learned: Callable[[], Tree]


class Numbers:
    """A number for every series: the rows of the store first, then whatever else is asked for."""

    def __init__(self, keys: tuple[SeriesKey, ...]) -> None:
        self._number = {key: row for row, key in enumerate(keys)}
        self._rows = len(keys)

    def __call__(self, key: SeriesKey) -> int:
        """Number of a series, the next free one where it has none yet."""
        return self._number.setdefault(key, len(self._number))

    @property
    def gone(self) -> list[SeriesKey]:
        """Series that were asked for and are not in the store."""
        return list(self._number)[self._rows :]


def encode(
    signature: Signature, store: RingStore, grid: Grid, numbers: Numbers, learned: Tree, packer: Packer
) -> tuple[bytes, Iterator[npt.NDArray[Any]]]:
    """Give header and arrays of a snapshot.

    Parameters
    ----------
    numbers : Numbers
        That `learned` was made with.

    Raises
    ------
    TypeError
        Where models know what cannot be kept.
    """
    packed, arrays = packer.pack(learned)
    window, pulled = store.window(), store.pulled
    header = _Header(
        samples=signature.samples,
        models=signature.models,
        start=grid.start,
        step=grid.step,
        n_steps=grid.n_steps,
        dtype=store.dtype.str,
        keys=[dict(key.pairs) for key in window.keys],
        gone=[dict(key.pairs) for key in numbers.gone],
        learned=packed,
    )

    def content() -> Iterator[npt.NDArray[Any]]:
        yield np.packbits(pulled)
        for top in range(0, window.n_series, _BLOCK):
            yield window.values[top : top + _BLOCK]
        yield from arrays

    return msgspec.json.encode(header), content()


def decode(header: bytes, payload: npt.NDArray[np.uint8], packer: Packer) -> Snapshot:
    """Undo `encode`.

    Raises
    ------
    ValueError
        Where header and arrays do not belong together.
    """
    try:
        known = msgspec.json.decode(header, type=_Header)
    except msgspec.MsgspecError as error:
        raise ValueError(f"the header must be as it was written. {error}.") from error
    grid, dtype = Grid(known.start, known.step, known.n_steps), np.dtype(known.dtype)
    keys = tuple(SeriesKey(labels) for labels in known.keys)
    bits = padded(-(-grid.n_steps // 8))
    size = len(keys) * grid.n_steps * dtype.itemsize
    if len(payload) < bits + size:
        raise ValueError(f"must hold {len(keys)} series of {grid.n_steps} steps. Got {len(payload)} bytes.")
    values: FloatArray = payload[bits : bits + size].view(dtype).reshape(len(keys), grid.n_steps)
    return Snapshot(
        Signature(known.samples, known.models),
        grid,
        Window(keys, grid.times, values),
        np.unpackbits(payload[:bits], count=grid.n_steps).astype(bool),
        [*keys, *(SeriesKey(labels) for labels in known.gone)],
        lambda: packer.unpack(known.learned, payload[bits + padded(size) :]),
    )
