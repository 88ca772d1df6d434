"""What kind of series it is: which detectors can say something of it, and what a person should know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detectors.robust import mean, quantile
from detectors.samples import LARGEST, ROUNDING
from series import BoolArray, FloatArray, Window

# Share of the usual deviation that the season must explain; a chance rhythm is already shrunk (`detectors.profile`).
SEASONAL = 0.1
# A series is sparse where fewer of its steps hold a sample: a window of six then holds two measurements or less.
SPARSE = 1 / 3
# It is intermittent where fewer of its samples are not 0: demands come two and more samples apart, well beyond the 1.32
# of Syntetos, Boylan and Croston (2005).
OFTEN = 0.5
# Deviation that a hundredth of the samples exceed, in median deviations: 3.8 of normal data, 15 of lognormal.
BURSTY = 10.0
# A counter falls when it is reset, and hardly ever else; one that rises this seldom is a level with few changes.
FALLS = 0.01
RISES = 0.1
# Samples a character is taken from at most: evenly spaced but for counters, which need neighbours.
ENOUGH = 256

KINDS = ("constant", "sparse", "intermittent", "counter_like", "bursty", "seasonal")


@dataclass(frozen=True, eq=False)
class Character:
    """What kind each series is; more than one may hold.

    Attributes
    ----------
    constant : (n_series,) bool
        All samples are equal but for rounding.
    sparse : (n_series,) bool
        More than two of three steps since the first sample hold none.
    intermittent : (n_series,) bool
        More than half of the samples are 0, but not all.
    counter_like : (n_series,) bool
        It rises and hardly ever falls: a counter without its `rate()`, or something that fills up.
    bursty : (n_series,) bool
        Not intermittent, and deviations of ten usual ones happen in a hundredth of the samples.
    seasonal : (n_series,) bool
        Time of day and week explain a tenth of the usual deviation or more.
    """

    constant: BoolArray
    sparse: BoolArray
    intermittent: BoolArray
    counter_like: BoolArray
    bursty: BoolArray
    seasonal: BoolArray

    @classmethod
    def of(cls, history: Window, season: FloatArray) -> Character:
        """Character of each series of a history.

        Parameters
        ----------
        history : Window
        season : (n_series, len(sample(history))) float64
            What time of day and week add at those steps; NaN where that is not known.

        Examples
        --------
        >>> history = Window.of([np.full(96, 3.0), np.arange(96.0)], step=900)
        >>> list(Character.of(history, np.zeros((2, 96))))
        [('constant',), ('counter_like',)]
        """
        known = np.abs(history.values) < LARGEST
        values = np.where(known, history.values, np.nan)
        count, lowest, highest = known.sum(axis=1), *_range(values)
        constant = (count > 0) & (highest - lowest <= ROUNDING * np.maximum(np.abs(lowest), np.abs(highest)))
        age = np.where(known.any(axis=1), history.n_steps - _first(known), 0)
        zero = np.count_nonzero(values == 0, axis=1)
        some = values[:, sample(history.n_steps)]
        usual, large = _deviations(some)
        left = _mean_deviation(some - np.nan_to_num(season))
        intermittent = ~constant & (zero > (1 - OFTEN) * count)
        return cls(
            constant,
            sparse=count < SPARSE * age,
            intermittent=intermittent,
            counter_like=~constant & _counter_like(values),
            bursty=~constant & ~intermittent & (large > BURSTY * usual),
            seasonal=~constant & (left < (1 - SEASONAL) * _mean_deviation(some)),
        )

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        """Names of what holds, for each series."""
        for row in np.stack([getattr(self, kind) for kind in KINDS], axis=1):
            yield tuple(kind for kind, holds in zip(KINDS, row, strict=True) if holds)


def sample(n_steps: int) -> np.typing.NDArray[np.intp]:
    """Steps of a history that are looked at: evenly spaced, no divisor of a day apart, the last one included."""
    apart = max(1, n_steps // ENOUGH) | 1
    return np.arange(n_steps - 1, -1, -apart)[::-1]


def _first(known: BoolArray) -> np.typing.NDArray[np.intp]:
    return known.argmax(axis=1) if known.shape[1] else np.zeros(len(known), dtype=np.intp)


def _range(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest, NaN for a row without a sample."""
    return np.fmin.reduce(values, axis=1, initial=np.nan), np.fmax.reduce(values, axis=1, initial=np.nan)


def _deviations(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n_series,) each: median distance from the median, and the one that a hundredth of the samples exceed."""
    apart = np.abs(values - quantile(values, 0.5)[:, None])
    return quantile(apart, 0.5), quantile(apart, 0.99)


def _mean_deviation(values: FloatArray) -> FloatArray:
    """(n_series,): mean distance from the median. A peak an hour a day counts here, in a median it would not."""
    apart = np.abs(values - quantile(values, 0.5)[:, None])
    return np.nan_to_num(mean(apart))


def _counter_like(values: FloatArray) -> BoolArray:
    change = np.diff(values, axis=1)
    rises, falls, steps = (np.count_nonzero(part, axis=1) for part in (change > 0, change < 0, change == change))
    return np.asarray((rises > RISES * steps) & (falls <= FALLS * steps))
