"""Random draws the simulation is made of: noise with a memory, late counts, histograms of single runs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from demo.rhythm import FloatArray

IntArray = npt.NDArray[np.int64]

LATE_RATIO = 0.05
LATE_SECONDS = 60.0
"""One run in twenty is counted late, by a minute on average and hardly ever by more than five."""


class SlowNoise:
    """Ornstein-Uhlenbeck noise of unit variance: values `memory` seconds apart still resemble each other."""

    def __init__(self, rows: int, *, memory: float) -> None:
        self._memory = memory
        self._last = np.zeros(rows)

    def draw(self, random: np.random.Generator, count: int, seconds: float) -> FloatArray:
        """(rows, count): the next values, `seconds` apart."""
        kept = np.exp(-seconds / self._memory)
        values = random.standard_normal((count, len(self._last))) * np.sqrt(1 - kept**2)
        for row in values:
            row += kept * self._last
            self._last = row
        return np.asarray(values.T, dtype=np.float64)


class LateCounts:
    """Counts, of which some arrive later than they happened."""

    def __init__(self, rows: int) -> None:
        self._pending = np.zeros(rows, dtype=np.int64)

    def draw(self, random: np.random.Generator, happened: IntArray, seconds: float) -> IntArray:
        """(rows, count): what is counted in each interval of `seconds`, from what happened in it."""
        late = random.binomial(happened, LATE_RATIO)
        counted = happened - late
        arrive = 1.0 - np.exp(-seconds / LATE_SECONDS)
        for column in range(happened.shape[1]):
            arrived = random.binomial(self._pending, arrive)
            counted[:, column] += arrived
            self._pending += late[:, column] - arrived
        return counted


def histogram(cell: IntArray, values: FloatArray, bounds: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Count single values into cumulative buckets.

    Parameters
    ----------
    cell : (n,) int64
        Flat index of the row and interval each value belongs to.
    values : (n,) float64
    bounds : (n_bounds,) float64
        Upper bounds, ascending, without the last one, which is infinite.
    shape : tuple of int
        Rows and intervals.

    Returns
    -------
    (rows, n_bounds + 1, intervals) float64
        Values at or below each bound, as Prometheus' ``le`` counts them.
    """
    rows, count = shape
    buckets = len(bounds) + 1
    bucket = np.searchsorted(bounds, values, side="left")
    flat = (cell // count * buckets + bucket) * count + cell % count
    counts = np.bincount(flat, minlength=rows * buckets * count).reshape(rows, buckets, count)
    return np.cumsum(counts, axis=1, dtype=np.float64)


def sums(cell: IntArray, values: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """(rows, intervals): sum of the values of each row and interval."""
    return np.bincount(cell, weights=values, minlength=shape[0] * shape[1]).astype(np.float64).reshape(shape)
