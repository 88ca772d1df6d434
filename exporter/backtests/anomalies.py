"""From scores to stretches a person can look at."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from exporter.backtests.report import Anomaly, Curves
from series import BoolArray, FloatArray

Columns = npt.NDArray[np.intp]

THRESHOLD = 1.0
"""Scores above it are strange, for every detector and series (`detectors.base`)."""


def anomalies_of(times: FloatArray, curves: Curves, *, join: int) -> tuple[Anomaly, ...]:
    """Stretches of steps above the threshold, oldest first.

    Parameters
    ----------
    times : (n_steps,) float64
        Seconds since the epoch.
    curves : Curves
    join : int
        Ordinary or missing steps that may lie between two strange ones of the same stretch.

    Examples
    --------
    >>> from exporter.backtests.report import Ribbon
    >>> line = np.array([1.0, 9.0, 1.0, 8.0])
    >>> band = Ribbon(np.ones(4), np.zeros(4), np.full(4, 2.0))
    >>> found = anomalies_of(np.arange(4.0) * 60, Curves(line, abs(line - 1), band, band, band), join=1)
    >>> [(one.start, one.end, one.value, one.score) for one in found]
    [(60.0, 180.0, 9.0, 8.0)]
    """
    strange = np.flatnonzero(curves.scores > THRESHOLD)
    return tuple(_anomaly(times, curves, columns) for columns in _stretches(strange, join))


def alarms_of(times: FloatArray, curves: Curves, firing: BoolArray) -> tuple[Anomaly, ...]:
    """Stretches of steps in alarm, oldest first.

    Parameters
    ----------
    times : (n_steps,) float64
        Seconds since the epoch.
    curves : Curves
    firing : (n_steps,) bool
    """
    return tuple(_anomaly(times, curves, columns) for columns in _stretches(np.flatnonzero(firing), 0))


def _stretches(columns: Columns, join: int) -> Iterator[Columns]:
    if columns.size:
        yield from np.split(columns, np.flatnonzero(np.diff(columns) > join + 1) + 1)


def _anomaly(times: FloatArray, curves: Curves, columns: Columns) -> Anomaly:
    peak = columns[np.argmax(np.nan_to_num(curves.scores[columns]))]
    return Anomaly(
        start=float(times[columns[0]]),
        end=float(times[columns[-1]]),
        peak=float(times[peak]),
        score=float(curves.scores[peak]),
        value=float(curves.values[peak]),
        expected=float(curves.band.middle[peak]),
        lower=float(curves.band.lower[peak]),
        upper=float(curves.band.upper[peak]),
    )
