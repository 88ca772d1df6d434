"""One time grid for all series, and the way onto it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from series.window import FloatArray

# Prometheus marks the end of a series with this NaN (model/value/value.go, StaleNaN).
STALE_BITS = np.uint64(0x7FF0000000000002)


@dataclass(frozen=True)
class Grid:
    """Evenly spaced instants, each a multiple of `step` since the epoch.

    Aligning to the epoch makes every pull of a query meet the same instants, so that answers can be joined
    and cached (Prometheus evaluates `query_range` at exactly these).

    Parameters
    ----------
    start : int
        First instant, seconds since the epoch; a multiple of `step`.
    step : int
        Seconds, above 0.
    n_steps : int
        Number of instants, 0 or more.

    Examples
    --------
    >>> grid = Grid.ending(now=1000.0, step=60, history=180, latency=30)
    >>> grid.times
    array([840., 900., 960.])
    """

    start: int
    step: int
    n_steps: int

    def __post_init__(self) -> None:
        if self.step <= 0:
            raise ValueError(f"Grid.step must be above 0 seconds. Got {self.step}.")
        if self.start % self.step:
            raise ValueError(f"Grid.start must be a multiple of the step {self.step}. Got {self.start}.")
        if self.n_steps < 0:
            raise ValueError(f"Grid.n_steps must be 0 or more. Got {self.n_steps}.")

    @classmethod
    def ending(cls, now: float, *, step: int, history: int, latency: float = 0.0) -> Grid:
        """The last `history` seconds of complete steps.

        Parameters
        ----------
        now : float
            Seconds since the epoch.
        step, history : int
            Seconds; `history` is a multiple of `step`.
        latency : float
            Seconds a sample may come late. An instant younger than this is incomplete and never judged.
        """
        last = math.floor((now - latency) / step) * step
        n_steps = history // step
        return cls(last - (n_steps - 1) * step, step, n_steps)

    @property
    def end(self) -> int:
        """Last instant, seconds since the epoch (one step before `start` for an empty grid)."""
        return self.start + (self.n_steps - 1) * self.step

    @property
    def times(self) -> FloatArray:
        """(n_steps,) float64, seconds since the epoch."""
        return np.arange(self.n_steps, dtype=np.float64) * self.step + self.start

    def split(self, most: int) -> list[Grid]:
        """Consecutive grids of at most `most` instants each, oldest first."""
        if most < 1:
            raise ValueError(f"A grid can be split into parts of 1 instant or more. Got {most}.")
        return [
            Grid(self.start + first * self.step, self.step, min(most, self.n_steps - first))
            for first in range(0, self.n_steps, most)
        ]

    def index(self, times: FloatArray) -> npt.NDArray[np.intp]:
        """Column of each time: the first instant at or after it, as an instant sees samples before it.

        Parameters
        ----------
        times : (n,) float64
            Seconds since the epoch.

        Returns
        -------
        (n,) intp
            Below 0 or from `n_steps` on where a time lies outside of the grid.
        """
        # A microsecond of slack: 0.1 + 0.2 must not push a sample into the next step.
        return np.ceil((times - self.start) / self.step - 1e-6 / self.step).astype(np.intp)


def onto_grid(times: FloatArray, values: FloatArray, grid: Grid) -> FloatArray:
    """Put the raw samples of one series onto a grid: the last sample in ``(t - step, t]`` stands for t.

    Gaps become NaN. Of several samples in one step the newest counts, of several at one time the one that came
    last. A stale marker ends the series until its next sample. Samples outside of the grid are left out, so an
    incomplete last step is kept out by a grid that ends before it (`Grid.ending`).

    Parameters
    ----------
    times, values : (n,) float64
        In any order; seconds since the epoch.

    Returns
    -------
    (n_steps,) float64

    Examples
    --------
    >>> onto_grid(np.array([10.0, 59.0, 120.0]), np.array([1.0, 2.0, 3.0]), Grid(60, 60, 3))
    array([ 2.,  3., nan])
    """
    row = np.full(grid.n_steps, np.nan)
    column = grid.index(times)
    inside = (column >= 0) & (column < grid.n_steps)
    order = np.flatnonzero(inside)
    order = order[np.argsort(times[order], kind="stable")]
    row[column[order]] = values[order]  # numpy assigns in order: the last one stays
    row[row.view(np.uint64) == STALE_BITS] = np.nan
    return row
