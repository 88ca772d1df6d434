"""Coarser steps: long forecasts need no minutes."""

from __future__ import annotations

from typing import Literal

import numpy as np

from series import FloatArray, Window

Summary = Literal["mean", "highest", "lowest"]


def resampled(window: Window, step: int, summary: Summary) -> Window:
    """Put samples together to steps of `step` seconds, each ending at a multiple of it.

    Parameters
    ----------
    window : Window
        2 steps or more.
    step : int
        Seconds. A window whose own step is as long, or does not divide it, is given back as it is.
    summary : "mean", "highest" or "lowest"
        What stands for the samples of a step: of a value that must not rise to a limit, the highest.

    Returns
    -------
    Window
        Whole steps alone; NaN where fewer than half of the samples are there.

    Examples
    --------
    >>> window = Window.of([[9.0, 1, 2, 3, 4, 8]], step=30, start=60)
    >>> resampled(window, 60, "mean").times, resampled(window, 60, "mean").values
    (array([120., 180.]), array([[1.5, 3.5]]))
    """
    parts = round(step / window.step)
    if parts <= 1 or parts * window.step != step:
        return window
    # A sample stands for the time before it: the first column of a block is the one behind a multiple of the step.
    first = int(-(window.times[0] - window.step) // window.step % parts)
    count = max((window.n_steps - first) // parts, 0)
    inside = slice(first, first + count * parts)
    blocks = np.asarray(window.values[:, inside], dtype=np.float64).reshape(window.n_series, count, parts)
    return Window(window.keys, window.times[inside][parts - 1 :: parts], _summed_up(blocks, summary))


def _summed_up(blocks: FloatArray, summary: Summary) -> FloatArray:
    known = np.isfinite(blocks)
    count = known.sum(axis=2)
    if summary == "mean":
        found = np.where(known, blocks, 0.0).sum(axis=2) / np.maximum(count, 1)
    elif summary == "highest":
        found = np.where(known, blocks, -np.inf).max(axis=2, initial=-np.inf)
    else:
        found = np.where(known, blocks, np.inf).min(axis=2, initial=np.inf)
    return np.where(2 * count >= blocks.shape[2], found, np.nan)
