"""What holidays and planned events do to a series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from forecasting.shapes import Steps
from series import FloatArray

# An effect below this many of an ordinary day's deviations, for one time seen, is chance.
_CLEAR = 2.5
# Fewer ordinary samples than this have no rhythm to compare with.
_FEWEST = 24


class OccasionCalendar(Protocol):
    """Says which occasions an instant belongs to: `series.occasions.Occasions` does."""

    def features(self, times: FloatArray) -> FloatArray:
        """(n_kinds, n_steps) float64: 1 while an occasion is on, else 0; of past and future."""


@dataclass(frozen=True, eq=False)
class OccasionEffects:
    """Mean deviation from an ordinary day at each step of the day, for each kind of occasion.

    Effects that past occasions do not show clearly are 0, as are those of occasions that were never seen.

    Attributes
    ----------
    values : (n_series, n_kinds, period) float64
        In the unit of the series; phase 0 belongs to the history's column 0.
    """

    values: FloatArray

    @classmethod
    def of(cls, history: FloatArray, occasions: FloatArray, period: int) -> Self:
        """Learn from the past.

        Parameters
        ----------
        history : (n_series, n_steps) float64
            NaN where there is no sample.
        occasions : (n_kinds, n_steps) float64
            1 while on, else 0.
        period : int
            Steps of a day, or 1 where the history knows no day.
        """
        ordinary = np.where(occasions.any(axis=0), np.nan, history)
        n_series, n_kinds, phase = len(history), len(occasions), np.arange(history.shape[1]) % period
        values = np.zeros((n_series, n_kinds, period))
        if np.isfinite(ordinary).sum(axis=1).min(initial=_FEWEST) < _FEWEST:
            return cls(values)
        rest = history - _typical(ordinary, period)[:, phase]
        usual = _daily_deviation(np.where(occasions.any(axis=0), np.nan, rest), period)
        for kind in range(n_kinds):
            on = occasions[kind] > 0
            if on.any():
                values[:, kind] = _effect(rest[:, on], phase[on], period, usual)
                rest[:, on] -= values[:, kind][:, phase[on]]
        return cls(values)

    def at(self, occasions: FloatArray, columns: Steps) -> FloatArray:
        """(n_series, n_steps): sum of the effects of what is on.

        Parameters
        ----------
        occasions : (n_kinds, n_steps) float64
        columns : (n_steps,) int
            Columns of the history, or beyond its end.
        """
        effects = self.values[:, :, columns % self.values.shape[2]]
        summed: FloatArray = np.einsum("nks,ks->ns", effects, occasions)
        return summed


def _effect(rest: FloatArray, phase: Steps, period: int, usual: FloatArray) -> FloatArray:
    """(n_series, period): mean by phase, pulled towards 0 where seen once; all 0 where it is not clear."""
    known = np.isfinite(rest)
    seen = np.stack([np.bincount(phase, row, period) for row in known.astype(np.float64)])
    total = np.stack([np.bincount(phase, row, period) for row in np.where(known, rest, 0.0)])
    times = seen.max(axis=1)
    level = total.sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    clear = np.abs(level) * np.sqrt(times) > _CLEAR * usual
    effect: FloatArray = np.where(clear[:, np.newaxis], total / (seen + 0.5), 0.0)
    return effect


def _typical(ordinary: FloatArray, period: int) -> FloatArray:
    """(n_series, period): median at each step of the day; of all samples where a step was never ordinary."""
    days = -(-ordinary.shape[1] // period)
    padded = np.full((len(ordinary), days * period), np.nan)
    padded[:, : ordinary.shape[1]] = ordinary
    parts = padded.reshape(len(ordinary), days, period)
    whole = np.broadcast_to(np.nanmedian(ordinary, axis=1)[:, np.newaxis, np.newaxis], (len(ordinary), 1, period))
    never = np.isnan(parts).all(axis=1, keepdims=True)
    typical: FloatArray = np.nanmedian(np.concatenate([parts, np.where(never, whole, np.nan)], axis=1), axis=1)
    return typical


def _daily_deviation(rest: FloatArray, period: int) -> FloatArray:
    """(n_series,): standard deviation of the mean of an ordinary day."""
    days = rest.shape[1] // period
    parts = rest[:, : days * period].reshape(len(rest), days, period)
    known = np.isfinite(parts)
    count = known.sum(axis=2)
    mean = np.where(known, parts, 0.0).sum(axis=2) / np.maximum(count, 1)
    used = np.maximum((count > 0).sum(axis=1), 1)
    deviation: FloatArray = np.sqrt(np.where(count > 0, mean**2, 0.0).sum(axis=1) / used)
    return deviation
