"""Samples of many series on one time grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from series.key import SeriesKey

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Window:
    """Keys x times x values: what every model takes.

    Parameters
    ----------
    keys : tuple of SeriesKey, length n_series
    times : (n_steps,) float64
        Seconds since the epoch, ascending and evenly spaced.
    values : (n_series, n_steps) float64
        NaN where there is no sample. May be a view of a store, of float32 where the store is: read it, never write to
        it. Models are given float64.

    Raises
    ------
    ValueError
        Where the shapes do not belong together.

    Examples
    --------
    >>> window = Window.of([[1.0, 2.0, float("nan")]], step=60)
    >>> window.n_series, window.n_steps, window.step
    (1, 3, 60.0)
    >>> window.until(2).values
    array([[1., 2.]])
    """

    keys: tuple[SeriesKey, ...]
    times: FloatArray
    values: FloatArray

    def __post_init__(self) -> None:
        expected = (len(self.keys), len(self.times))
        if self.values.shape != expected:
            raise ValueError(f"Window.values must have shape {expected}, keys x times. Got {self.values.shape}.")

    @classmethod
    def of(cls, values: Sequence[Sequence[float]] | FloatArray, *, step: float, start: float = 0.0) -> Window:
        """Window of bare rows, for notebooks and tests: keys are named ``series_0`` and so on."""
        matrix = np.atleast_2d(np.asarray(values, dtype=np.float64))
        keys = tuple(SeriesKey.named(f"series_{row}") for row in range(matrix.shape[0]))
        return cls(keys, start + step * np.arange(matrix.shape[1], dtype=np.float64), matrix)

    @property
    def n_series(self) -> int:
        """Number of rows."""
        return len(self.keys)

    @property
    def n_steps(self) -> int:
        """Number of columns."""
        return len(self.times)

    @property
    def step(self) -> float:
        """Seconds between columns.

        Raises
        ------
        ValueError
            For fewer than two columns, where no step can be told.
        """
        if self.n_steps < 2:
            raise ValueError(f"A step needs at least 2 columns. Got {self.n_steps}.")
        return float(self.times[1] - self.times[0])

    def until(self, step: int) -> Window:
        """The columns before `step`, as a view."""
        return Window(self.keys, self.times[:step], self.values[:, :step])

    def since(self, step: int) -> Window:
        """The columns from `step` on, as a view."""
        return Window(self.keys, self.times[step:], self.values[:, step:])

    def rows(self, rows: Sequence[int] | npt.NDArray[np.intp]) -> Window:
        """The named rows, copied."""
        picked = np.asarray(rows, dtype=np.intp)
        return Window(tuple(self.keys[row] for row in picked), self.times, self.values[picked])
