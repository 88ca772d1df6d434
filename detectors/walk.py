"""Scores of a long past, each step judged by what was known before it."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np

from detectors.base import Band, Baseline
from series import BoolArray, FloatArray, Window


@dataclass(frozen=True, eq=False)
class Walk:
    """Result of `walk_forward`, all of shape (n_series, n_steps).

    Attributes
    ----------
    scores : float64
        0 before the first judged step and in warm-up, NaN where there is no sample.
    band : Band
        NaN before the first judged step and in warm-up.
    warming_up : bool
        True where the step was not judged for lack of history.
    """

    scores: FloatArray
    band: Band
    warming_up: BoolArray


def walk_forward(detector: Baseline, window: Window, *, history: int, refit: int, first: int = 1) -> Walk:
    """Refit on the trailing history every few steps and judge the steps in between, as the live process would.

    Parameters
    ----------
    detector : Baseline
        Its arguments are used; it is not changed.
    window : Window
        History and steps to judge, in one.
    history, refit : int
        Steps looked back on at most, and between two fits.
    first : int, default 1
        First column that is judged; those before are history only.

    Raises
    ------
    ValueError
        For numbers below 1.

    Examples
    --------
    >>> from detectors.seasonal import SeasonalBaseline
    >>> rows = np.tile(np.sin(np.arange(24) / 4), 10)
    >>> rows[200] = 9.0
    >>> walk = walk_forward(SeasonalBaseline(), Window.of([rows], step=3600), history=168, refit=24)
    >>> np.flatnonzero(walk.scores[0] > 1)
    array([200])
    """
    for name, value in (("history", history), ("refit", refit), ("first", first)):
        if value < 1:
            raise ValueError(f"walk_forward's {name} must be 1 step or more. Got {value}.")
    walk = _empty(window)
    fitted = copy.copy(detector)
    for start in range(first, window.n_steps, refit):
        stop = min(start + refit, window.n_steps)
        past, now = window.until(start).since(max(0, start - history)), window.until(stop).since(start)
        fitted.fit(past)
        band = fitted.expect(now)
        walk.scores[:, start:stop] = fitted.score_against(band, now)
        walk.warming_up[:, start:stop] = fitted.warming_up_[:, None]
        for whole, part in (
            (walk.band.expected, band.expected),
            (walk.band.lower, band.lower),
            (walk.band.upper, band.upper),
        ):
            whole[:, start:stop] = part
    return walk


def _empty(window: Window) -> Walk:
    shape = window.values.shape
    scores = np.where(np.isnan(window.values), np.nan, 0.0)
    return Walk(scores, Band(*(np.full(shape, np.nan) for _ in range(3))), np.ones(shape, dtype=np.bool_))
