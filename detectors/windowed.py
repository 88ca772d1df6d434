"""What detectors share that judge a sample by the last few before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from detectors.calibrate import exceeded
from detectors.checks import above, at_least, share
from detectors.samples import LARGEST, LARGEST_SCORE, ROUNDING, filled, row_blocks, warming_up
from series import FloatArray, Window

# Windows are compared in usual deviations of the series; an error below a hundredth of one is not worth telling.
LEAST_ERROR = 0.01
# Usual deviations at which a sample is cut: beyond it single precision loses what is between.
LARGEST_DEVIATION = 1e6
# Samples at a time, each counted once for every window it is in: bounds the memory of a fit.
BLOCK_SAMPLES = 1_000_000

Rows = npt.NDArray[np.intp]
Single = npt.NDArray[np.float32]


@dataclass(kw_only=True, eq=False)
class Windowed:
    """Base of detectors whose score is a function of the last samples and of what the history taught.

    Samples are put in usual deviations of the series. What `_errors` gives for a window is divided by what the history
    exceeds `rate` times a day (`detectors.calibrate`). A missing sample counts as the one before it.

    Parameters
    ----------
    rate : float, default 0.1
        How often a day an ordinary window may score above 1.
    warm_up : float, default 86400
        Seconds a history must span.
    fewest : int, default 60
        Samples a history must hold.
    most_missing : float, default 0.8
        Share of the history's steps, from its first sample on, that may be missing.
    """

    rate: float = 0.1
    warm_up: float = 86_400.0
    fewest: int = 60
    most_missing: float = 0.8

    def __post_init__(self) -> None:
        at_least(self, warm_up=0, fewest=2)
        above(self, rate=0)
        share(self, "most_missing")

    def fit(self, history: Window) -> Self:
        """Learn from `history`, up to now."""
        self.learn(history)
        return self

    def learn(self, history: Window) -> FloatArray:
        """Fit, and say how strange each step of the history was: scores as those of `score`, 0 in the first window."""
        n_series, n_steps = history.values.shape
        self.warming_up_ = warming_up(history, span=self.warm_up, fewest=self.fewest, most_missing=self.most_missing)
        if n_steps <= self._span():
            self.warming_up_ = np.ones(n_series, dtype=np.bool_)
        self.centre_, self.scale_ = np.zeros((2, n_series, 1))
        self.threshold_ = np.ones((n_series, 1))
        self.tail_ = np.zeros((n_series, self._span() - 1))
        self._allocate(n_series)
        scores = np.zeros((n_series, n_steps))
        for rows in row_blocks(~self.warming_up_, n_steps * self._span(), BLOCK_SAMPLES):
            scores[rows, self._span() - 1 :] = self._learn(rows, filled(history.values[rows]), history.step)
        scores[np.isnan(history.values)] = np.nan
        return scores

    def advance(self, window: Window) -> None:
        """Take note of steps that will not change any more; what is judged from now on begins right after them."""
        joined = filled(np.concatenate([self.tail_, window.values], axis=1))
        self.tail_ = joined[:, joined.shape[1] - self._span() + 1 :].copy()

    def score(self, window: Window) -> FloatArray:
        """Judge the steps of `window`, which begin right after the last that is known."""
        scores = np.zeros(window.values.shape)
        if not window.n_steps:
            return scores
        for rows in row_blocks(~self.warming_up_, (window.n_steps + self._span()) * self._span(), BLOCK_SAMPLES):
            joined = filled(np.concatenate([self.tail_[rows], window.values[rows]], axis=1))
            errors = self._errors(rows, self._windows(rows, joined))
            scores[rows] = np.minimum(errors / self.threshold_[rows], LARGEST_SCORE)
        scores[(np.abs(window.values) >= LARGEST) & ~self.warming_up_[:, None]] = LARGEST_SCORE
        scores[np.isnan(window.values)] = np.nan
        return scores

    def _learn(self, rows: Rows, values: FloatArray, step: float) -> FloatArray:
        with np.errstate(over="ignore"):
            self.centre_[rows] = values.mean(axis=1, keepdims=True)
            spread = np.sqrt(np.mean((values - self.centre_[rows]) ** 2, axis=1, keepdims=True))
        constant = ~(spread > ROUNDING * np.abs(self.centre_[rows]))
        least = np.maximum(ROUNDING * np.abs(self.centre_[rows]), np.finfo(np.float64).tiny)
        self.scale_[rows] = np.where(constant, least, spread)
        windows = self._windows(rows, values)
        errors = self._learn_shape(rows, windows)
        least_error = np.where(constant, 1.0, LEAST_ERROR)
        self.threshold_[rows] = np.maximum(exceeded(errors, step, self.rate)[:, None], least_error)
        self.tail_[rows] = values[:, values.shape[1] - self._span() + 1 :]
        return np.asarray(np.minimum(errors / self.threshold_[rows], LARGEST_SCORE))

    def _windows(self, rows: Rows, values: FloatArray) -> Single:
        """(n_rows, n_windows, span): a view of the samples in usual deviations."""
        with np.errstate(over="ignore"):
            scaled = (values - self.centre_[rows]) / self.scale_[rows]
        single = np.clip(scaled, -LARGEST_DEVIATION, LARGEST_DEVIATION).astype(np.float32)
        return np.lib.stride_tricks.sliding_window_view(single, self._span(), axis=1)

    def _span(self) -> int:
        """Samples of a window, the newest included."""
        raise NotImplementedError

    def _allocate(self, n_series: int) -> None:
        """Make room for what `_learn_shape` learns of each row."""

    def _learn_shape(self, rows: Rows, windows: Single) -> FloatArray:
        """Learn from the windows of the history; their errors (n_rows, n_windows)."""
        return self._errors(rows, windows)

    def _errors(self, rows: Rows, windows: Single) -> FloatArray:
        """(n_rows, n_windows): how strange each of `windows` is, on any scale of the series' own."""
        raise NotImplementedError


def samples_of(windows: Single) -> Single:
    """(n_rows, n_windows + span - 1): the samples of successive windows (n_rows, n_windows, span), each once."""
    return np.concatenate([windows[:, 0, :-1], windows[..., -1]], axis=1)
