"""Curves that return every day, week or hour: what is left of a series once its level is taken off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from series import FloatArray

Steps = npt.NDArray[np.intp]


class Shape(Protocol):
    """A curve per row, known at every step of past and future."""

    def at(self, steps: Steps) -> FloatArray:
        """(n_series, len(steps)): the curve at these columns of the history, or beyond its end."""

    def mean(self, steps: Steps, weights: FloatArray) -> FloatArray:
        """(n_series,): weighted sum of the curve over these columns."""


@dataclass(frozen=True, eq=False)
class Flat:
    """No shape at all."""

    n_series: int

    def at(self, steps: Steps) -> FloatArray:
        """Zero throughout."""
        return np.zeros((self.n_series, len(steps)))

    def mean(self, steps: Steps, weights: FloatArray) -> FloatArray:
        """Zero."""
        return np.zeros(self.n_series)


@dataclass(frozen=True, eq=False)
class Profile:
    """One value per step of a period.

    Attributes
    ----------
    values : (n_series, period) float64
        Column 0 belongs to the history's columns 0, period, 2 period and so on.
    """

    values: FloatArray

    def at(self, steps: Steps) -> FloatArray:
        """The value of each step's phase."""
        return self.values[:, steps % self.values.shape[1]]

    def mean(self, steps: Steps, weights: FloatArray) -> FloatArray:
        """Weights of one phase are added first: one product of the length of a period."""
        period = self.values.shape[1]
        return self.values @ np.bincount(steps % period, weights, period)


@dataclass(frozen=True, eq=False)
class Earlier:
    """What was there a period before, or as many periods before as it takes.

    Attributes
    ----------
    past : (n_series, n_steps) float64
        No NaN.
    period : int
        Steps; the curve is not known at the first `period` columns.
    """

    past: FloatArray
    period: int

    def at(self, steps: Steps) -> FloatArray:
        """The value of an earlier column."""
        beyond = np.maximum(steps - self.past.shape[1], 0) // self.period
        return self.past[:, steps - self.period * (1 + beyond)]

    def mean(self, steps: Steps, weights: FloatArray) -> FloatArray:
        """Weighted sum of the earlier columns."""
        mean: FloatArray = self.at(steps) @ weights
        return mean


@dataclass(frozen=True, eq=False)
class Basis:
    """Sines and cosines of some periods, computed once for all columns of the history.

    Attributes
    ----------
    periods : (n_waves,) float64
        Steps.
    table : (n_steps, 2 n_waves) float64
        Sine and cosine of the first period, then of the second, and so on.
    """

    periods: FloatArray
    table: FloatArray

    @classmethod
    def of(cls, periods: FloatArray, n_steps: int) -> Self:
        """Basis for a history of `n_steps` columns."""
        return cls(periods, _waves(np.arange(n_steps), periods))

    def __call__(self, steps: Steps, n_waves: int) -> FloatArray:
        """(len(steps), 2 n_waves): the first waves at columns of the history, or beyond its end."""
        if len(steps) and steps[-1] >= len(self.table):
            return _waves(steps, self.periods[:n_waves])
        first = int(steps[0]) if len(steps) else 0
        if np.array_equal(steps, np.arange(first, first + len(steps))):  # so are most, and a view costs no copy
            return self.table[first : first + len(steps), : 2 * n_waves]
        return self.table[steps, : 2 * n_waves]


@dataclass(frozen=True, eq=False)
class Waves:
    """Sum of sines and cosines.

    Attributes
    ----------
    weights : (n_series, 2 n_waves) float64
        Of the first waves of the basis.
    """

    weights: FloatArray
    basis: Basis

    def at(self, steps: Steps) -> FloatArray:
        """The sum at each step."""
        return self.weights @ self.basis(steps, self.weights.shape[1] // 2).T

    def mean(self, steps: Steps, weights: FloatArray) -> FloatArray:
        """Each wave is summed first, then weighted."""
        return self.weights @ (weights @ self.basis(steps, self.weights.shape[1] // 2))


def _waves(steps: Steps, periods: FloatArray) -> FloatArray:
    angle = 2 * np.pi * steps[:, np.newaxis] / periods
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(len(steps), -1)


def mean_profile(past: FloatArray, period: int, cycles: int) -> Profile:
    """Mean of the last `cycles` cycles, each without its own mean.

    Parameters
    ----------
    past : (n_series, n_steps) float64
        No NaN; at least one cycle.
    """
    parts = _cycles(past, period, cycles, leveled=True)
    return _profile(sum(parts[1:], start=parts[0]) / len(parts), past.shape[1])


def median_profile(past: FloatArray, period: int, cycles: int, *, leveled: bool = True) -> Profile:
    """Median of the last `cycles` cycles, each without its own mean if `leveled`: one odd day does not show.

    An even number of cycles is made odd by leaving out the oldest.
    """
    parts = _cycles(past, period, cycles, leveled)
    return _profile(_middle(parts[-(len(parts) - 1 + len(parts) % 2) :]), past.shape[1])


def mixed(one: Profile, other: Profile) -> Profile:
    """Mean of two profiles, the period of the second a multiple of that of the first."""
    times = other.values.shape[1] // one.values.shape[1]
    return Profile((np.tile(one.values, (1, times)) + other.values) / 2)


def _cycles(past: FloatArray, period: int, most: int, leveled: bool) -> list[FloatArray]:
    """Oldest first, each (n_series, period), ending with the last step of the past."""
    n_steps = past.shape[1]
    count = min(most, n_steps // period)
    parts = [past[:, n_steps - back * period : n_steps - (back - 1) * period] for back in range(count, 0, -1)]
    return [part - part.mean(axis=1, keepdims=True) for part in parts] if leveled else parts


def _profile(cycle: FloatArray, n_steps: int) -> Profile:
    """Turn a cycle that ends with the last step so that it begins at a multiple of the period."""
    return Profile(np.roll(cycle, n_steps % cycle.shape[1], axis=1))


def _middle(parts: list[FloatArray]) -> FloatArray:
    """Median of an odd number of arrays, by an odd-even sorting network.

    For a handful of arrays twenty times faster than `numpy.median`, which selects in each column on its own.
    """
    ranked = list(parts)
    for turn in range(len(ranked)):
        for low in range(turn % 2, len(ranked) - 1, 2):
            one, other = ranked[low], ranked[low + 1]
            ranked[low], ranked[low + 1] = np.minimum(one, other), np.maximum(one, other)
    return ranked[len(ranked) // 2]
