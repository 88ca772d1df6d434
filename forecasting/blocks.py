"""Days of a history, or shorter blocks of one that knows none: what slow change is told from."""

from __future__ import annotations

import numpy as np

from forecasting.seasons import Seasons
from series import FloatArray, Window

# Blocks that a history is cut into where it knows no day; fewest that a slope or a change is told from.
_BLOCKS, FEWEST_BLOCKS = 28, 5


def block_medians(history: Window) -> tuple[FloatArray, int]:
    """Medians of (n_series, n_blocks) days or shorter blocks that end with the history; and their steps."""
    periods = Seasons.of(history.step, history.n_steps).periods
    long = bool(periods) and history.n_steps >= FEWEST_BLOCKS * periods[0]
    length = periods[0] if long else max(history.n_steps // _BLOCKS, 1)
    count = history.n_steps // length
    parts = history.values[:, history.n_steps - count * length :].reshape(history.n_series, count, length)
    enough = np.isfinite(parts).sum(axis=2) * 2 >= length
    with_any = np.where(enough[..., np.newaxis], parts, 0.0)
    return np.where(enough, np.nanmedian(with_any, axis=2), np.nan), length
