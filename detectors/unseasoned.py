"""A past without its daily and weekly rhythm, so that slow change shows."""

from __future__ import annotations

import numpy as np

from detectors.changepoint import ChangePoints, Changes, moved
from detectors.phase import Phase
from detectors.profile import Profile, cross_fit
from detectors.robust import median
from series import Calendar, FloatArray, Window
from series.calendar import WEEK

# Values beyond it are not measurements, and their squares are not numbers.
LARGEST = 1e100


def unseasoned(history: Window, calendar: Calendar) -> FloatArray:
    """Samples less their season, level included.

    A level that changed within two weeks looks like a weekly rhythm to whoever learns one from them. So the season is
    learned once more from a past whose changes of level were taken out, and that one is taken where it fits better. Old
    changes are found without a weekly rhythm, recent ones by the difference from the week before.

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
    phase, step = Phase.of(history.times, calendar), history.step
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.where(np.abs(history.values) < LARGEST, history.values, np.nan)
        season = cross_fit(values, phase, step)[0]
        residual: FloatArray = values - season.at(phase)
        old = ChangePoints().find(values - Profile(season.daily, None, season.fine).at(phase), step, weekly=False)
        level = moved(values, old)
        recent = _recent(level, step)
        seen = ChangePoints().find(residual, step)
        if len(rows := np.unique(np.concatenate([old.row, recent.row, seen.row]))):
            level = moved(level, recent)[rows]
            other = values[rows] - cross_fit(level, phase, step)[0].at(phase)
            better = _roughness(other, step) < _roughness(residual[rows], step)
            residual[rows[better]] = other[better]
        return residual


def _recent(values: FloatArray, step: float) -> Changes:
    """Changes of the last week, as it differs from the one before; none where there are not two weeks."""
    week = round(WEEK / step)
    if values.shape[1] < 2 * week:
        return ChangePoints().find(values[:0], step)
    found = ChangePoints().find(values[:, -week:] - values[:, -2 * week : -week], step, weekly=True)
    # Where the difference ends in place of beginning, it was the week before that had changed.
    here = np.abs(found.before) < np.abs(found.after) / 3
    return Changes(found.row[here], found.step[here] + values.shape[1] - week, found.before[here], found.after[here])


def _roughness(residual: FloatArray, step: float) -> FloatArray:
    """(n_series,): usual distance from the levels that are found, a tenth more for each of them."""
    changes = ChangePoints().find(residual, step)
    level = moved(residual, changes)
    count = np.bincount(changes.row, minlength=len(residual))
    return median(np.abs(level - median(level)[:, None])) * (1 + 0.1 * count)
