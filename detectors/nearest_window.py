"""Did anything like the last while happen before?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.checks import at_least
from detectors.windowed import Rows, Single, Windowed
from series import FloatArray


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
        errors = np.empty(windows.shape[:2])
        for position, row in enumerate(rows):
            squared = _squared(windows[position], self.examples_[row])
            errors[position] = np.sqrt(np.where(near, np.inf, squared).min(axis=1, initial=np.float32(1e12)))
        return errors

    def _errors(self, rows: Rows, windows: Single) -> FloatArray:
        nearest = [_squared(windows[position], self.examples_[row]).min(axis=1) for position, row in enumerate(rows)]
        return np.sqrt(np.array(nearest, dtype=np.float64).reshape(windows.shape[:2]))


def _squared(windows: Single, examples: Single) -> Single:
    """(n_windows, n_examples): squared distance of each window from each example."""
    product = windows @ examples.T
    own, other = (np.einsum("nw,nw->n", part, part) for part in (windows, examples))
    return np.asarray(np.maximum(own[:, None] - 2 * product + other[None, :], 0.0), dtype=np.float32)
