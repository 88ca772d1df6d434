"""Is the shape of the last while one that the series usually has?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from detectors.calibrate import exceeded
from detectors.checks import above, at_least, share
from detectors.samples import LARGEST, LARGEST_SCORE, ROUNDING, filled, row_blocks, warming_up
from series import FloatArray, Window

# Windows are compared in usual deviations of the series; an error below a hundredth of one is not worth telling.
LEAST_ERROR = 0.01
# Usual deviations at which a sample is cut: beyond it float32 loses what is between.
LARGEST_DEVIATION = 1e6
# Samples at a time, each counted once for every window it is in: bounds the memory of a fit.
BLOCK_SAMPLES = 4_000_000


@dataclass(kw_only=True, eq=False)
class WindowPca:
    """How badly the last samples are rebuilt from the few shapes that windows of the series usually have.

    The windows of the history, a sample apart, span a space of `width` dimensions in which most lie near a subspace
    of `components` principal axes: the level, the slope, the bend of a while. The distance from that subspace is large
    for a spike, a jump, a flat line or an unusual restlessness, and small for a level that is merely high. It is
    divided by what the history exceeds `rate` times a day (`detectors.calibrate`). A missing sample counts as the one
    before it.

    Parameters
    ----------
    width : int, default 12
        Samples of a window, the newest included.
    components : int, default 3
        Principal axes kept, fewer than `width`.
    rate : float, default 0.1
        How often a day an ordinary window may score above 1.
    warm_up : float, default 86400
        Seconds a history must span.
    fewest : int, default 60
        Samples a history must hold.
    most_missing : float, default 0.8
        Share of the history's steps, from its first sample on, that may be missing.

    References
    ----------
    Jackson and Mudholkar (1979), Control Procedures for Residuals Associated With Principal Component Analysis.

    Examples
    --------
    >>> wave = np.sin(np.arange(2000) / 20) + np.tile([0.0, 0.1], 1000)
    >>> wave[1995:] = wave[1995]
    >>> window = Window.of([wave], step=300)
    >>> (WindowPca().fit(window.until(1990)).score(window.since(1990)) > 1).astype(int)
    array([[0, 0, 0, 0, 0, 0, 1, 1, 1, 1]])
    """

    width: int = 12
    components: int = 3
    rate: float = 0.1
    warm_up: float = 86_400.0
    fewest: int = 60
    most_missing: float = 0.8

    def __post_init__(self) -> None:
        at_least(self, width=2, components=1, warm_up=0, fewest=2)
        above(self, rate=0)
        share(self, "most_missing")
        if self.components >= self.width:
            raise ValueError(f"WindowPca.components must be below width ({self.width}). Got {self.components!r}.")

    def fit(self, history: Window) -> Self:
        """Learn from `history`, up to now."""
        self.learn(history)
        return self

    def learn(self, history: Window) -> FloatArray:
        """Fit, and say how strange each step of the history was: scores as those of `score`, 0 in the first window."""
        n_series, n_steps = history.values.shape
        self.warming_up_ = warming_up(history, span=self.warm_up, fewest=self.fewest, most_missing=self.most_missing)
        if n_steps <= self.width:
            self.warming_up_ = np.ones(n_series, dtype=np.bool_)
        self.centre_, self.scale_ = np.zeros((2, n_series, 1))
        self.mean_ = np.zeros((n_series, self.width), dtype=np.float32)
        self.axes_ = np.zeros((n_series, self.width, self.components), dtype=np.float32)
        self.threshold_ = np.ones((n_series, 1))
        self.tail_ = np.zeros((n_series, self.width - 1))
        scores = np.zeros((n_series, n_steps))
        for rows in row_blocks(~self.warming_up_, n_steps * self.width, BLOCK_SAMPLES):
            scores[rows, self.width - 1 :] = self._learn(rows, filled(history.values[rows]), history)
        scores[np.isnan(history.values)] = np.nan
        return scores

    def advance(self, window: Window) -> None:
        """Take note of steps that will not change any more; what is judged from now on begins right after them."""
        joined = filled(np.concatenate([self.tail_, window.values], axis=1))
        self.tail_ = joined[:, joined.shape[1] - self.width + 1 :]

    def score(self, window: Window) -> FloatArray:
        """Judge the steps of `window`, which begin right after the last that is known."""
        scores = np.zeros(window.values.shape)
        if not window.n_steps:
            return scores
        for rows in row_blocks(~self.warming_up_, (window.n_steps + self.width) * self.width, BLOCK_SAMPLES):
            joined = filled(np.concatenate([self.tail_[rows], window.values[rows]], axis=1))
            errors = _errors(
                _windows(self._scaled(rows, joined), self.width) - self.mean_[rows, None], self.axes_[rows]
            )
            scores[rows] = np.minimum(errors / self.threshold_[rows], LARGEST_SCORE)
        scores[(np.abs(window.values) >= LARGEST) & ~self.warming_up_[:, None]] = LARGEST_SCORE
        scores[np.isnan(window.values)] = np.nan
        return scores

    def _learn(self, rows: np.typing.NDArray[np.intp], values: FloatArray, history: Window) -> FloatArray:
        with np.errstate(over="ignore"):
            self.centre_[rows] = values.mean(axis=1, keepdims=True)
            spread = np.sqrt(np.mean((values - self.centre_[rows]) ** 2, axis=1, keepdims=True))
        constant = ~(spread > ROUNDING * np.abs(self.centre_[rows]))
        least = np.maximum(ROUNDING * np.abs(self.centre_[rows]), np.finfo(np.float64).tiny)
        self.scale_[rows] = np.where(constant, least, spread)
        windows = _windows(self._scaled(rows, values), self.width)
        self.mean_[rows] = windows.mean(axis=1)
        centred = windows - self.mean_[rows, None]
        _, axes = np.linalg.eigh(centred.transpose(0, 2, 1) @ centred)
        self.axes_[rows] = axes[:, :, -self.components :]
        errors = _errors(centred, self.axes_[rows])
        least_error = np.where(constant, 1.0, LEAST_ERROR)
        self.threshold_[rows] = np.maximum(exceeded(errors, history.step, self.rate)[:, None], least_error)
        self.tail_[rows] = values[:, values.shape[1] - self.width + 1 :]
        return np.asarray(np.minimum(errors / self.threshold_[rows], LARGEST_SCORE))

    def _scaled(self, rows: np.typing.NDArray[np.intp], values: FloatArray) -> np.typing.NDArray[np.float32]:
        with np.errstate(over="ignore"):
            scaled = (values - self.centre_[rows]) / self.scale_[rows]
        return np.clip(scaled, -LARGEST_DEVIATION, LARGEST_DEVIATION).astype(np.float32)


def _windows(values: np.typing.NDArray[np.float32], width: int) -> np.typing.NDArray[np.float32]:
    """(n_series, n_steps - width + 1, width): a view."""
    return np.lib.stride_tricks.sliding_window_view(values, width, axis=1)


def _errors(centred: np.typing.NDArray[np.float32], axes: np.typing.NDArray[np.float32]) -> FloatArray:
    """(n_series, n_windows): distance of each window from the space that `axes` span."""
    inside = centred @ axes
    rest = np.einsum("rnw,rnw->rn", centred, centred) - np.einsum("rnk,rnk->rn", inside, inside)
    return np.asarray(np.sqrt(np.maximum(rest, 0.0)), dtype=np.float64)
