"""A past without its daily and weekly rhythm, so that slow change shows."""

from __future__ import annotations

import numpy as np

from detectors.phase import Phase
from detectors.profile import cross_fit
from series import Calendar, FloatArray, Window

# Values beyond it are not measurements, and their squares are not numbers.
LARGEST = 1e100


def unseasoned(history: Window, calendar: Calendar) -> FloatArray:
    """Samples less their season, level included.

    Parameters
    ----------
    history : Window
        Two steps or more.
    calendar : Calendar

    Returns
    -------
    (n_series, n_steps) float64
        NaN where there is no sample, or none that can be learned from.
    """
    phase = Phase.of(history.times, calendar)
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.where(np.abs(history.values) < LARGEST, history.values, np.nan)
        profile, _ = cross_fit(values, phase, history.step)
        return np.asarray(values - profile.at(phase))
