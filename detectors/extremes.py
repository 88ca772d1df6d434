"""Does a sample lie beyond what ordinary days reach?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from detectors.calibrate import FEWEST_BLOCKS
from detectors.checks import above, at_least, share
from detectors.phase import IntArray
from detectors.samples import LARGEST, LARGEST_SCORE, ROUNDING, finite, row_blocks, warming_up
from series import FloatArray, Window
from series.calendar import DAY

# What is added to samples that are never negative, in medians, before the logarithm: nothing is then a hundredth.
NOTHING = 0.01
# The range of the days is at least so many quartile distances on each side: days that were alike are no promise.
LEAST_REACH = 2.0
# Samples at a time: bounds the memory of a fit to a few times that of this many.
BLOCK_SAMPLES = 500_000


@dataclass(kw_only=True, eq=False)
class Extremes:
    r"""Distance from the median against what the days of the history reached, in ratios where no sample is negative.

    .. math:: s_{it} = \min(d, d^2), \quad d = |y_{it} - m_i| / (c \, r_i)

    with y the logarithm of a sample, or the sample itself where the series is negative at times; m its median; r the
    distance that all but a share `rate` of the days stayed within, on the side of the sample; and c = `margin`. Time of
    day does not matter: a value that no hour of any ordinary day had is strange at all of them, and traffic that falls
    to nothing is as far from its usual hundreds as thousands are, which no band of differences says. The days that are
    spared are those of past incidents. The square keeps the peak of every ordinary day well below the threshold;
    beyond it there is none, as a level that lasts would call with each peak until it is accepted.

    Parameters
    ----------
    rate : float, default 0.1
        Share of the days, those with the largest deviations, that are left out: rounded up to whole ones, a quarter of
        all at most. So often a day an ordinary series reaches beyond the others, and less often beyond `margin` of it.
    margin : float, default 1.5
        What the range is multiplied with.
    warm_up : float, default 86400
        Seconds a history must span.
    fewest : int, default 60
        Samples a history must hold.
    most_missing : float, default 0.8
        Share of the history's steps, from its first sample on, that may be missing.

    References
    ----------
    Laxhammar and Falkman (2014), Online Learning and Sequential Anomaly Detection in Trajectories: ranks among past
    extremes as a threshold.

    Examples
    --------
    >>> hours = np.arange(14 * 24)
    >>> busy = 100 + 50 * np.sin(2 * np.pi * hours / 24) + hours % 5
    >>> history = Window.of([busy], step=3600)
    >>> now = Window.of([[60.0, 170.0, 5.0]], step=3600, start=14 * 86400)
    >>> (Extremes().fit(history).score(now) > 1).astype(int)
    array([[0, 0, 1]])
    """

    rate: float = 0.1
    margin: float = 1.5
    warm_up: float = 86_400.0
    fewest: int = 60
    most_missing: float = 0.8

    def __post_init__(self) -> None:
        at_least(self, warm_up=0, fewest=2)
        above(self, rate=0, margin=0)
        share(self, "most_missing")

    def fit(self, history: Window) -> Self:
        """Learn from `history`, up to now."""
        self.learn(history)
        return self

    def learn(self, history: Window) -> FloatArray:
        """Fit, and say how strange each step of the history is: scores as those of `score`."""
        self.warming_up_ = warming_up(history, span=self.warm_up, fewest=self.fewest, most_missing=self.most_missing)
        step = history.step if history.n_steps > 1 else 1.0
        scores = np.where(np.isnan(history.values), np.nan, 0.0)
        self.offset_, self.middle_ = np.full((2, history.n_series, 1), np.nan)
        self.above_, self.below_ = np.ones((2, history.n_series, 1))
        for rows in row_blocks(~self.warming_up_, history.n_steps, BLOCK_SAMPLES):
            scores[rows] = self._learn(rows, finite(history.values[rows]), step)
        scores[np.isinf(history.values) & ~self.warming_up_[:, None]] = LARGEST_SCORE
        return scores

    def advance(self, window: Window) -> None:
        """Take note of nothing: only days count."""

    def score(self, window: Window) -> FloatArray:
        """Judge the steps of `window`, which begin right after the last that is known."""
        with np.errstate(over="ignore", invalid="ignore"):
            scores = self._scores(_scaled(window.values, self.offset_), slice(None))
        scores[np.abs(window.values) >= LARGEST] = LARGEST_SCORE
        scores[self.warming_up_] = 0.0
        scores[np.isnan(window.values)] = np.nan
        return scores

    def _learn(self, rows: IntArray, values: FloatArray, step: float) -> FloatArray:
        ordered = np.sort(values, axis=1)
        self.offset_[rows] = _offset(ordered)
        low, middle, high = (_scaled(_ranked(ordered, at), self.offset_[rows]) for at in (0.25, 0.5, 0.75))
        self.middle_[rows] = middle
        # Ratios have no unit; differences have that of the series.
        size = np.where(np.isnan(self.offset_[rows]), np.abs(middle), 1.0)
        least = np.maximum(LEAST_REACH * (high - low), np.maximum(ROUNDING * size, np.finfo(np.float64).tiny))
        scaled = _scaled(values, self.offset_[rows])
        highest, lowest = _days(scaled, step)
        spared = min(math.ceil(self.rate * values.shape[1] * step / DAY), highest.shape[1] // 4)
        for side, reached in ((self.above_, highest - middle), (self.below_, middle - lowest)):
            # A day without a sample is no deviation.
            reach = np.sort(np.where(np.isnan(reached), -np.inf, reached), axis=1)[:, -1 - spared, None]
            side[rows] = self.margin * np.maximum(reach, least)
        return self._scores(scaled, rows)

    def _scores(self, scaled: FloatArray, rows: IntArray | slice) -> FloatArray:
        deviation = scaled - self.middle_[rows]
        with np.errstate(over="ignore"):  # a series that was constant so far has a range of next to nothing
            distance = np.abs(deviation) / np.where(deviation > 0, self.above_[rows], self.below_[rows])
        distance = np.minimum(distance, LARGEST_SCORE)
        return np.asarray(np.minimum(distance, distance**2))


def _offset(ordered: FloatArray) -> FloatArray:
    """(n_series, 1): what is added before the logarithm; NaN where some are negative, or all as good as 0."""
    known, zeros = (np.count_nonzero(part, axis=1)[:, None] for part in (ordered == ordered, ordered == 0))
    place = np.minimum(zeros + (np.maximum(known - zeros, 1) - 1) // 2, ordered.shape[1] - 1)
    offset = NOTHING * np.take_along_axis(ordered, place, axis=1)
    return np.where((ordered[:, :1] >= 0) & (offset > 0), offset, np.nan)


def _scaled(values: FloatArray, offset: FloatArray) -> FloatArray:
    """Logarithms where there is an `offset` (n_series, 1), the values themselves where there is none."""
    ratios = ~np.isnan(offset[:, 0])
    scaled = np.array(values, dtype=np.float64)
    scaled[ratios] = np.log(np.maximum(scaled[ratios], 0.0) + offset[ratios])
    return scaled


def _ranked(ordered: FloatArray, share: float) -> FloatArray:
    """(n_series, 1): the sample of that rank, NaN left out."""
    last = np.count_nonzero(ordered == ordered, axis=1)[:, None] - 1
    return np.take_along_axis(ordered, np.round(share * last).astype(np.intp), axis=1)


def _days(scaled: FloatArray, step: float) -> tuple[FloatArray, FloatArray]:
    """Highest and lowest (n_series, n_days) of each day, counted back from the last step; parts of a short history."""
    n_series, n_steps = scaled.shape
    length = max(1, min(round(DAY / step), n_steps // FEWEST_BLOCKS))
    days = np.pad(scaled, ((0, 0), (-n_steps % length, 0)), constant_values=np.nan).reshape(n_series, -1, length)
    return np.fmax.reduce(days, axis=2), np.fmin.reduce(days, axis=2)
