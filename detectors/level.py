"""The level of a series, followed slowly and without being pulled along by an incident."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.robust import median
from series import FloatArray

# Seconds of which one median is taken before the level moves: a burst does not move it at all.
BLOCK = 3_600.0


@dataclass(frozen=True, eq=False)
class Level:
    """Where each series stands, less its season: the median of its latest blocks.

    The samples of a block (an hour, or one step where steps are longer) give one median, and the level is the median
    of those of the last `memory` seconds. So an incident shorter than half the memory leaves it nearly alone, and
    a lasting change is accepted after half the memory: a moving median does both, where an average that is slow
    enough for the one takes days for the other.

    Attributes
    ----------
    recent : (n_series, blocks) float64
        Medians of the last blocks, oldest first, NaN where there was no sample.
    fallback : (n_series,) float64
        Level until a block has a sample. Where the recent ones have none, the last that was known holds.
    begun : (n_series, less than a block) float64
        Samples of the block under way, which move the level when it is whole.
    """

    recent: FloatArray
    fallback: FloatArray
    begun: FloatArray

    @classmethod
    def before(cls, residual: FloatArray, step: float, memory: float) -> Level:
        """Level before the first column of `residual` (n_series, n_steps): that of its first `memory` seconds."""
        blocks = max(1, round(memory / (block_length(step) * step)))
        first = median(residual[:, : max(1, round(memory / step))])
        first = np.where(np.isnan(first), median(residual), first)
        return cls(np.full((len(residual), blocks), np.nan), first, residual[:, :0])

    def follow(self, residual: FloatArray, step: float) -> tuple[FloatArray, Level]:
        """The level known before each block, and the one after the last.

        Parameters
        ----------
        residual : (n_series, n_steps) float64
            Samples less their season.
        step : float
            Seconds.

        Returns
        -------
        known : (n_series, n_steps) float64
            Of a column: the level when its block began.
        level : Level
            For the columns after these.
        """
        length, size, begun = block_length(step), self.recent.shape[1], self.begun.shape[1]
        samples = np.concatenate([self.begun, residual], axis=1)
        joined = np.concatenate([self.recent, block_medians(samples, length)], axis=1)
        known = median(np.lib.stride_tricks.sliding_window_view(joined, size, axis=1))
        known = _held(known, self.fallback)
        steps = np.repeat(known, length, axis=1)[:, begun : samples.shape[1]]
        whole = samples.shape[1] // length
        # Copies: a view would keep all of the history alive.
        return steps, Level(
            joined[:, whole : whole + size].copy(), known[:, whole].copy(), samples[:, whole * length :].copy()
        )


def block_length(step: float) -> int:
    """Number of steps, `step` seconds apart, that move the level together."""
    return max(1, round(BLOCK / step))


def block_medians(residual: FloatArray, length: int) -> FloatArray:
    """(n_series, blocks): median of each `length` columns; the last block may hold fewer."""
    n_series, n_steps = residual.shape
    padded = np.pad(residual, ((0, 0), (0, -n_steps % length)), constant_values=np.nan)
    return median(padded.reshape(n_series, padded.shape[1] // length, length))


def _held(known: FloatArray, first: FloatArray) -> FloatArray:
    """`known` (n_series, n) with each NaN replaced by the value before it, or by `first` (n_series,) where none is."""
    missing = np.isnan(known)
    if not missing.any():
        return known
    latest = np.maximum.accumulate(np.where(missing, -1, np.arange(known.shape[1])), axis=1)
    held = np.take_along_axis(known, np.maximum(latest, 0), axis=1)
    return np.where(latest < 0, first[:, None], held)
