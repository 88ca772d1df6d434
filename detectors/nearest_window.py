"""Did anything like the last while happen before?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.checks import at_least
from detectors.windowed import Rows, Single, Windowed
from series import BoolArray, FloatArray

# Squared distance of a window that shares samples with all examples.
FARTHEST = np.float32(1e12)


@dataclass(kw_only=True, eq=False)
class NearestWindow(Windowed):
    """Distance of the last samples from the most alike window of the history (a discord, as of the matrix profile).

    Of the history `examples` windows, evenly spaced, are kept to compare with. See `Windowed` for the other arguments.

    Parameters
    ----------
    width : int, default 12
        Samples of a window, the newest included.
    examples : int, default 128
        Windows that are remembered of each series.

    References
    ----------
    Yeh et al. (2016), Matrix Profile I; Burnaev and Ishimtsev (2016), Conformalized Density- and Distance-Based Anomaly
    Detection in Time-Series Data.
    """

    width: int = 12
    examples: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, width=2, examples=2)

    def _span(self) -> int:
        return self.width

    def _allocate(self, n_series: int) -> None:
        self.examples_ = np.zeros((n_series, self.examples, self.width), dtype=np.float32)

    def _learn_shape(self, rows: Rows, windows: Single) -> FloatArray:
        n_windows = windows.shape[1]
        place = np.linspace(0, n_windows - 1, self.examples).astype(np.intp)
        self.examples_[rows] = windows[:, place]
        # A window is no example of itself, nor of one that shares samples with it.
        near = np.abs(np.arange(n_windows)[:, None] - place[None, :]) < self.width
        return self._distances(rows, windows, near)

    def _errors(self, rows: Rows, windows: Single) -> FloatArray:
        return self._distances(rows, windows, None)

    def _distances(self, rows: Rows, windows: Single, left_out: BoolArray | None) -> FloatArray:
        """(n_rows, n_windows): distance of each window from the nearest example that is not left out."""
        nearest = [_nearest(windows[position], self.examples_[row], left_out) for position, row in enumerate(rows)]
        return np.sqrt(np.array(nearest, dtype=np.float64).reshape(windows.shape[:2]))


def _nearest(windows: Single, examples: Single, left_out: BoolArray | None) -> Single:
    """(n_windows,): smallest squared distance, `FARTHEST` at most."""
    own, other = (np.einsum("nw,nw->n", part, part) for part in (windows, examples))
    # |a - b|^2 = |a|^2 + (|b|^2 - 2 a b), and the least of them needs |a|^2 only once.
    beside = windows @ (-2 * examples.T)
    beside += other
    if left_out is not None:
        np.putmask(beside, left_out, np.float32(np.inf))
    return np.asarray(np.clip(own + beside.min(axis=1), 0, FARTHEST), dtype=np.float32)
