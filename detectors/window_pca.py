"""Is the shape of the last while one that the series usually has?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.checks import at_least
from detectors.windowed import Rows, Single, Windowed
from series import FloatArray


@dataclass(kw_only=True, eq=False)
class WindowPca(Windowed):
    """How badly the last samples are rebuilt from the few shapes that windows of the series usually have.

    The windows of the history, a sample apart, span a space of `width` dimensions in which most lie near a subspace
    of `components` principal axes: the level, the slope, the bend of a while. The distance from that subspace is large
    for a spike, a jump, a flat line or an unusual restlessness, and small for a level that is merely high. See
    `Windowed` for the other arguments.

    Parameters
    ----------
    width : int, default 12
        Samples of a window, the newest included.
    components : int, default 3
        Principal axes kept, fewer than `width`.

    References
    ----------
    Jackson and Mudholkar (1979), Control Procedures for Residuals Associated With Principal Component Analysis.

    Examples
    --------
    >>> from series import Window
    >>> wave = np.sin(np.arange(2000) / 20) + np.tile([0.0, 0.1], 1000)
    >>> wave[1995:] = wave[1995]
    >>> window = Window.of([wave], step=300)
    >>> (WindowPca().fit(window.until(1990)).score(window.since(1990)) > 1).astype(int)
    array([[0, 0, 0, 0, 0, 0, 1, 1, 1, 1]])
    """

    width: int = 12
    components: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, width=2, components=1)
        if self.components >= self.width:
            raise ValueError(f"WindowPca.components must be below width ({self.width}). Got {self.components!r}.")

    def _span(self) -> int:
        return self.width

    def _allocate(self, n_series: int) -> None:
        self.axes_ = np.zeros((n_series, self.width, self.components), dtype=np.float32)

    def _learn_shape(self, rows: Rows, windows: Single) -> FloatArray:
        # The series has mean 0 in its usual deviations, and so has each place in its windows.
        apart = np.ascontiguousarray(windows)
        powers, axes = np.linalg.eigh(apart.transpose(0, 2, 1) @ apart)
        # Of a constant series nothing is usual: axes of no power would make it blind to what they point at.
        self.axes_[rows] = np.where(powers[:, None, -self.components :] > 0, axes[:, :, -self.components :], 0)
        return _distance(apart, self.axes_[rows])

    def _errors(self, rows: Rows, windows: Single) -> FloatArray:
        return _distance(np.ascontiguousarray(windows), self.axes_[rows])


def _distance(windows: Single, axes: Single) -> FloatArray:
    """(n_rows, n_windows): distance of each window from the space that `axes` span."""
    inside = windows @ axes
    rest = np.einsum("rnw,rnw->rn", windows, windows) - np.einsum("rnk,rnk->rn", inside, inside)
    return np.asarray(np.sqrt(np.maximum(rest, 0.0)), dtype=np.float64)
