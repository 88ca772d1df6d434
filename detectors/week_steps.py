"""Changes of level among weeks, told apart from a weekly rhythm."""

from __future__ import annotations

import numpy as np

from detectors.phase import IntArray
from detectors.robust import median
from detectors.samples import ROUNDING
from series import BoolArray, FloatArray

# A change below this many spreads of an hour hides in the noise; one of few hours must be larger: that many spreads
# over the root of the hours that tell of it.
SMALLEST = 3.0
SIGNIFICANCE = 10.0
# Deviations count as so many spreads at most while the place of a change is looked for.
CLIP = 5.0
# Share of the deviations it is read from that a change must explain, and of itself that must lie ...
EXPLAINED = 0.5
# ... between the hours on either side of it: a slope is no change.
NEAR = 6
# Changes that are looked for in one history.
MOST = 3
_SIGMA = 1.4826


def without_steps(weeks: FloatArray) -> FloatArray:
    r"""Weeks as if each series had always had its last level.

    A level that changes among a few weeks looks like a weekly rhythm of which the weeks do not agree. What a step at T
    leaves when the means by hour of the week are taken out is known, whatever the rhythm, and the step is looked for
    in what they leave of the samples:

    .. math:: \hat T = \arg\max_T \, |\langle y_\perp, h_{T\perp} \rangle| / \|h_{T\perp}\|

    As means are taken out already, the product is the sum of all hours from T on. An incident is no step: of two
    weeks, of which one cannot tell which is the odd one, that is read from where the samples jump.

    Parameters
    ----------
    weeks : (n_series, n_weeks, n_hours) float64
        Medians of hours, in the order of time; NaN where there is none. Two weeks or more.

    Examples
    --------
    >>> rhythm = np.repeat([20.0, 12.0], [5 * 24, 2 * 24]) + np.arange(168) % 3
    >>> weeks = np.tile(rhythm, (1, 2, 1))
    >>> weeks[0, 1, 60:] += 30
    >>> bool((without_steps(weeks) == rhythm + 30).all())
    True
    """
    values = weeks.reshape(len(weeks), weeks.shape[1] * weeks.shape[2]).copy()
    rows, hour = np.arange(len(weeks)), np.arange(values.shape[1])
    for _ in range(MOST):
        place, size = _steps(values[rows], weeks.shape[1:])
        rows, place, size = (part[size != 0] for part in (rows, place, size))
        if not len(rows):
            break
        values[rows] += np.where(hour < place[:, None], size[:, None], 0.0)
    return values.reshape(weeks.shape)


def _steps(values: FloatArray, shape: tuple[int, ...]) -> tuple[IntArray, FloatArray]:
    """(n_rows,) each: first hour of the clearest step of each row, and its size; 0 for none."""
    left = _means_out(values, shape)
    spread = _SIGMA * median(np.abs(left))[:, None]
    clipped = np.where(spread > 0, np.clip(left, -CLIP * spread, CLIP * spread), np.sign(left))
    clipped = _means_out(np.where(left != 0, clipped, np.nan), shape)
    place = (np.abs(np.cumsum(clipped[:, ::-1], axis=1)[:, ::-1]) / _lengths(shape)).argmax(axis=1)
    step = _means_out((np.arange(values.shape[1]) >= place[:, None]).astype(np.float64), shape)
    telling = np.abs(step) >= np.abs(step).max(axis=1, keepdims=True) / 2
    telling &= (step != 0) & (left != 0)
    size = np.nan_to_num(median(np.where(telling, left, np.nan) / np.where(telling, step, 1.0)))
    rest = left - size[:, None] * step
    # Means of few weeks take their share of the noise with them.
    noise = _SIGMA * median(np.abs(rest)) * np.sqrt(shape[0] / (shape[0] - 1))
    least = np.maximum(SMALLEST, SIGNIFICANCE / np.sqrt(np.maximum(telling.sum(axis=1) / shape[0], 1))) * noise
    kept = np.abs(size) > np.maximum(least, ROUNDING * np.nan_to_num(median(np.abs(values))))
    kept &= _energy(rest, telling) < (1 - EXPLAINED) * _energy(left, telling)
    size[~kept] = 0.0
    some = np.flatnonzero(kept)
    size[some[~_at_once(left[some], step[some], place[some], size[some])]] = 0.0
    if shape[0] == 2:
        some = np.flatnonzero(size)
        size[some[_incident(values[some], place[some], size[some])]] = 0.0
    return place, size


def _means_out(values: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """What the means by hour of the week leave; 0 where there is no sample, or no other to compare with."""
    weeks = values.reshape(len(values), *shape)
    known = weeks == weeks
    total = np.where(known, weeks, 0.0).sum(axis=1, keepdims=True)
    mean = total / np.maximum(known.sum(axis=1, keepdims=True), 1)
    return np.asarray(np.where(known, weeks - mean, 0.0).reshape(values.shape), dtype=np.float64)


def _lengths(shape: tuple[int, ...]) -> FloatArray:
    """(n,): length of what the means leave of a step at each hour; endless for one before all of them."""
    n_weeks, n_hours = shape
    week, hour = np.divmod(np.arange(n_weeks * n_hours), n_hours)
    after, before = n_weeks - week, n_weeks - week - 1
    square = ((n_hours - hour) * after * (n_weeks - after) + hour * before * (n_weeks - before)) / n_weeks
    return np.where(square > 0, np.sqrt(square), np.inf)


def _energy(values: FloatArray, where: BoolArray) -> FloatArray:
    return np.asarray(np.where(where, values**2, 0.0).sum(axis=1), dtype=np.float64)


def _at_once(left: FloatArray, step: FloatArray, place: IntArray, size: FloatArray) -> BoolArray:
    """(n_rows,) bool: enough of the step lies between the hours before and those after its place."""
    row = np.arange(len(place))
    whole = size * (step[row, place] - step[row, place - 1])
    near = np.full(len(place), NEAR)
    return np.asarray(_jump(left, place, near) * np.sign(whole) > EXPLAINED * np.abs(whole), dtype=np.bool_)


def _incident(values: FloatArray, place: IntArray, size: FloatArray) -> BoolArray:
    """(n_rows,) bool: of two weeks, the other one is the odd one.

    That the level is higher from Thursday of the second week on, and that it was lower from Thursday of the first week
    to its end, leave the same when the means are taken out. The two differ in where the samples jump.
    """
    half = values.shape[1] // 2
    other = np.where(place < half, place + half, place - half)
    apart = np.minimum(place % half, half - place % half)
    near = np.clip(np.where(apart == 0, NEAR, apart), 1, NEAR)
    here, there, middle = (_jump(values, at, near) for at in (place, other, np.full(len(place), half)))
    as_step = np.abs(here - size) + np.abs(there) + np.abs(middle)
    as_incident = np.abs(here) + np.abs(there + size) + np.abs(middle - size)
    return np.asarray((place != half) & (as_incident < as_step), dtype=np.bool_)


def _jump(values: FloatArray, place: IntArray, near: IntArray) -> FloatArray:
    """(n_rows,): median of the `near` hours from `place` on, less that of those before it."""
    ahead = np.arange(NEAR)
    sides = []
    for at in (place[:, None] + ahead, place[:, None] - 1 - ahead):
        inside = (ahead < near[:, None]) & (at >= 0) & (at < values.shape[1])
        held = np.take_along_axis(values, np.clip(at, 0, values.shape[1] - 1), axis=1)
        sides.append(median(np.where(inside, held, np.nan)))
    return np.nan_to_num(sides[0] - sides[1])
