"""How far out in the distribution of the history the last samples lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.checks import at_least
from detectors.windowed import Rows, Single, Windowed, samples_of
from series import FloatArray


@dataclass(kw_only=True, eq=False)
class Ecod(Windowed):
    r"""Sum over the last samples of how improbable each is, to the side on which it is rarer.

    .. math:: \sum_j -\log \min\{\hat P(X \le x_j),\ \hat P(X \ge x_j)\}

    with shares of the history's samples, :math:`x_j` itself counted. pyod's ECOD and COPOD put the windows that they
    judge among those they were fitted on, so that a step's score would depend on later ones; here only the history
    counts. Successive windows hold the same samples, so one distribution serves all places in them, where pyod sorts
    each. It is blind to how far beyond the history a sample lies. See `Windowed` for the other arguments.

    Parameters
    ----------
    width : int, default 12
        Samples of a window, the newest included.

    References
    ----------
    Li et al. (2022), ECOD: Unsupervised Outlier Detection Using Empirical Cumulative Distribution Functions.
    """

    width: int = 12

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, width=1)

    def _span(self) -> int:
        return self.width

    def _allocate(self, n_series: int) -> None:
        self.sorted_ = np.zeros((n_series, 0), dtype=np.float32)
        self.skewness_, self.usual_ = np.zeros((2, n_series, 1))

    def _learn_shape(self, rows: Rows, windows: Single) -> FloatArray:
        samples = samples_of(windows)
        if not self.sorted_.shape[1]:
            self.sorted_ = np.zeros((len(self.sorted_), samples.shape[1]), dtype=np.float32)
        self.sorted_[rows] = np.sort(samples, axis=1)
        centred = samples - samples.mean(axis=1, keepdims=True, dtype=np.float64)
        self.skewness_[rows] = np.sign(np.mean(centred**3, axis=1, keepdims=True))
        rarity = self._rarity(rows, windows)
        self.usual_[rows] = np.median(rarity, axis=1, keepdims=True)
        return np.maximum(rarity - self.usual_[rows], 0.0)

    def _errors(self, rows: Rows, windows: Single) -> FloatArray:
        return np.maximum(self._rarity(rows, windows) - self.usual_[rows], 0.0)

    def _rarity(self, rows: Rows, windows: Single) -> FloatArray:
        """(n_rows, n_windows): what a window's samples add up to."""
        samples = samples_of(windows)
        below, above = np.empty((2, *samples.shape))
        n_known = self.sorted_.shape[1]
        for position, row in enumerate(rows):
            below[position] = np.searchsorted(self.sorted_[row], samples[position], side="right")
            above[position] = n_known - np.searchsorted(self.sorted_[row], samples[position], side="left")
        left, right = (-np.log((count + 1) / (n_known + 1)) for count in (below, above))
        rare = self._of_both_sides(left, right, self.skewness_[rows])
        return np.asarray(np.lib.stride_tricks.sliding_window_view(rare, self.width, axis=1).sum(axis=-1))

    def _of_both_sides(self, left: FloatArray, right: FloatArray, skewness: FloatArray) -> FloatArray:
        """Rarity of each sample from those of the two sides; `skewness` is -1, 0 or 1."""
        return np.maximum(left, right)


@dataclass(kw_only=True, eq=False)
class Copod(Ecod):
    """The same with the mean of both sides, or that of the longer tail where it is rarer.

    References
    ----------
    Li et al. (2020), COPOD: Copula-Based Outlier Detection.
    """

    def _of_both_sides(self, left: FloatArray, right: FloatArray, skewness: FloatArray) -> FloatArray:
        longer = left * (skewness <= 0) + right * (skewness >= 0)
        return np.asarray(np.maximum(longer, (left + right) / 2))
