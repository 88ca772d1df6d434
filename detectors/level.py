"""The level of a series, followed slowly and without being pulled along by an incident."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from detectors.robust import mean, median
from series import FloatArray

# Seconds of which one median is taken before the level moves: a short burst does not move it at all.
BLOCK = 1_800.0


@dataclass(frozen=True, eq=False)
class Level:
    """Where each series stands, less its season.

    The samples of a block (half an hour, or one step where steps are longer) give one median. After the block the
    level goes a fixed share of the way to that median, yet never faster than `reach` times that share, so that an
    incident bends it by little and a lasting change is accepted in time (an exponential average under Huber's
    loss).

    Attributes
    ----------
    value : (n_series,) float64
    reach : (n_series,) float64
        Largest distance that counts, in the unit of the series.

    References
    ----------
    Gelper, Fried and Croux (2010), Robust forecasting with exponential and Holt-Winters smoothing.
    """

    value: FloatArray
    reach: FloatArray

    @classmethod
    def at_start(cls, residual: FloatArray, step: float) -> Level:
        """Level before the first column of `residual` (n_series, n_steps), and how far its blocks usually stray."""
        length = block_length(step)
        first = median(residual[:, : max(1, round(86_400 / step))])
        blocks = _block_medians(residual, length)
        centre = median(blocks)
        stray = np.abs(blocks - centre[:, None])
        spread = np.where(median(stray) > 0, 1.4826 * median(stray), mean(stray))
        return cls(np.where(np.isnan(first), np.nan_to_num(centre), first), np.nan_to_num(spread))

    def follow(self, residual: FloatArray, step: float, memory: float) -> tuple[FloatArray, Level]:
        """The level known before each block, and the one after the last.

        Parameters
        ----------
        residual : (n_series, n_steps) float64
            Samples less their season.
        step, memory : float
            Seconds; `memory` is the time constant.

        Returns
        -------
        known : (n_series, n_steps) float64
            Of a column: the level when its block began.
        level : Level
            For the columns after these.
        """
        length = block_length(step)
        share = 1 - math.exp(-length * step / memory)
        medians = _block_medians(residual, length)
        known = np.empty_like(medians)
        value = self.value
        for block in range(medians.shape[1]):
            known[:, block] = value
            move = np.clip(medians[:, block] - value, -self.reach, self.reach)
            value = value + share * np.where(np.isnan(move), 0.0, move)
        return np.repeat(known, length, axis=1)[:, : residual.shape[1]], Level(value, self.reach)


def block_length(step: float) -> int:
    """Number of steps, `step` seconds apart, that move the level together."""
    return max(1, round(BLOCK / step))


def _block_medians(residual: FloatArray, length: int) -> FloatArray:
    """(n_series, blocks): median of each `length` columns; the last block may hold fewer."""
    n_series, n_steps = residual.shape
    padded = np.pad(residual, ((0, 0), (0, -n_steps % length)), constant_values=np.nan)
    return median(padded.reshape(n_series, -1, length))
