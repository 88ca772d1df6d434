"""A past without its daily and weekly rhythm, so that slow change shows."""

from __future__ import annotations

import numpy as np

from detectors.phase import Phase
from detectors.profile import cross_fit
from detectors.samples import finite
from series import Calendar, FloatArray, Window


def unseasoned(history: Window, calendar: Calendar) -> FloatArray:
    """Samples less their season, level included.

    The season is the one a baseline learns of the same history, so that what is dated here and what is expected there
    agree: changes of level are told apart from a weekly rhythm (`detectors.week_steps`).

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
    phase, values = Phase.of(history.times, calendar), finite(history.values)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(values - cross_fit(values, phase, history.step)[0].at(phase))
