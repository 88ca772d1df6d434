"""One of several like series differs: members of a group are compared with each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from detectors.phase import IntArray
from detectors.robust import median, quantile
from series import BoolArray, FloatArray, Window

LARGEST_SCORE = 100.0
_ROUNDING = 2.0**-21
# Samples at a time, so that memory stays bounded.
_BLOCK_SAMPLES = 500_000


@dataclass(kw_only=True, eq=False)
class Peers:
    r"""How far a series is from its peers, against how far it usually is.

    A member's deviation from the group's median at each step has a usual middle and a usual reach: one server of
    five always serves more than the others. The score is what lies beyond:

    .. math:: s_{it} = \min(|d_{it} - m_i| / h_i,\; n_{it} / \bar h_g)

    with deviation d, its median m and half width h: `reach` times its 99th percentile around m, at least the
    group's own, so that a member that was calm by chance is not judged more strictly than the others. The second
    part is that of DBSCAN: n is the distance within which a `neighbours` share of the group lies, so that a large part
    that moves together, such as the half of a fleet that was updated, is not a crowd of outliers.

    Parameters
    ----------
    smallest_group : int, default 4
        Members with a sample at a step, below which nobody is judged: of two that differ neither is the odd one.
    reach : float, default 1.5
    neighbours : float, default 0.4
        Share of the group, at least one other, that must be near for a member not to be alone.
    fewest : int, default 60
        Steps of the history with enough members.

    References
    ----------
    Ester, Kriegel, Sander and Xu (1996), DBSCAN; Rousseeuw and Croux (1993) for the median absolute deviation.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> together = np.sin(np.arange(300) / 20) * 50 + rng.normal(size=(5, 300))
    >>> together[3, 250:] += 40
    >>> window = Window.of(together, step=60)
    >>> scores = Peers().fit(window.until(200), np.zeros(5, dtype=int)).score(window.since(200))
    >>> (scores[:, 60] > 1).tolist()
    [False, False, False, True, False]
    """

    smallest_group: int = 4
    reach: float = 1.5
    neighbours: float = 0.4
    fewest: int = 60

    def __post_init__(self) -> None:
        if self.smallest_group < 3:
            raise ValueError(f"Peers.smallest_group must be 3 or more. Got {self.smallest_group!r}.")
        if not 0 < self.reach < np.inf:
            raise ValueError(f"Peers.reach must be above 0. Got {self.reach!r}.")
        if not 0 < self.neighbours < 1:
            raise ValueError(f"Peers.neighbours must be above 0 and below 1. Got {self.neighbours!r}.")
        if self.fewest < 2:
            raise ValueError(f"Peers.fewest must be 2 or more. Got {self.fewest!r}.")

    def fit(self, history: Window, groups: IntArray) -> Self:
        """Learn how far each member usually is from its group.

        Parameters
        ----------
        history : Window
            Up to now.
        groups : (n_series,) int
            Group of each series; negative for none.
        """
        if groups.shape != (history.n_series,):
            raise ValueError(f"groups must have shape {(history.n_series,)}. Got {groups.shape}.")
        self.groups_ = groups
        self.middle_, self.half_, self.shared_ = (np.full(history.n_series, np.nan) for _ in range(3))
        for rows in self._batches(history.n_steps):
            self._learn(rows, _gathered(history.values, rows))
        self.warming_up_: BoolArray = np.isnan(self.half_)
        return self

    def score(self, window: Window) -> FloatArray:
        """Judge each step by itself: (n_series, n_steps), 0 where there is no group to compare with, NaN no sample."""
        scores = np.zeros(window.values.shape)
        for rows in self._batches(window.n_steps):
            values = _gathered(window.values, rows)
            middle, half, shared = (_padded(each, rows)[:, None] for each in (self.middle_, self.half_, self.shared_))
            deviation = np.abs(self._deviation(values) - middle)
            distance = self._loneliness(values - middle)
            with np.errstate(over="ignore"):  # members that were equal so far have a width of next to nothing
                found = np.nan_to_num(np.minimum(deviation / half, distance / shared))
            member = rows >= 0
            scores[rows[member]] = found.swapaxes(1, 2)[member]
        scores = np.minimum(scores, LARGEST_SCORE)
        scores[np.isnan(window.values)] = np.nan
        return scores

    def _learn(self, rows: IntArray, values: FloatArray) -> None:
        deviation = np.ascontiguousarray(self._deviation(values).swapaxes(1, 2))
        middle = median(deviation)
        width = self.reach * quantile(np.abs(deviation - middle[..., None]), 0.99)
        size = quantile(np.abs(values).reshape(len(rows), -1), 0.9)
        floor = np.fmax(np.fmax(median(width), _ROUNDING * size), np.finfo(np.float64).tiny)[:, None]
        seen = np.count_nonzero(~np.isnan(deviation), axis=-1) >= self.fewest
        member = rows >= 0
        self.middle_[rows[member]] = middle[member]
        self.half_[rows[member]] = np.where(seen, np.fmax(width, floor), np.nan)[member]
        self.shared_[rows[member]] = np.broadcast_to(floor, rows.shape)[member]

    def _batches(self, n_steps: int) -> list[IntArray]:
        """Rows of groups of about one size, (n_groups, size), -1 where a group has fewer members."""
        order = np.argsort(self.groups_, kind="stable")
        names, first, count = np.unique(self.groups_[order], return_index=True, return_counts=True)
        chosen = (names >= 0) & (count >= self.smallest_group)
        padded = (2 ** np.ceil(np.log2(count))).astype(np.intp)
        batches = []
        for size in np.unique(padded[chosen]):
            groups = np.flatnonzero(chosen & (padded == size))
            place = first[groups, None] + np.arange(size)
            rows = np.where(np.arange(size) < count[groups, None], order[np.minimum(place, len(order) - 1)], -1)
            most = max(1, _BLOCK_SAMPLES // int(size * max(1, n_steps)))
            batches += [rows[start : start + most] for start in range(0, len(rows), most)]
        return batches

    def _deviation(self, values: FloatArray) -> FloatArray:
        """Each member (n_groups, n_steps, size) less the group's median, NaN where too few of it have a sample."""
        enough = np.count_nonzero(~np.isnan(values), axis=-1) >= self.smallest_group
        return values - np.where(enough, median(values), np.nan)[..., None]

    def _loneliness(self, values: FloatArray) -> FloatArray:
        """Distance (n_groups, n_steps, size) within which each member has `neighbours` of the group beside it."""
        present = np.count_nonzero(~np.isnan(values), axis=-1)
        wanted = np.maximum(1, np.floor(self.neighbours * present + 1e-9)).astype(np.intp)
        order = np.argsort(values, axis=-1)
        ordered = np.take_along_axis(values, order, axis=-1)
        nearest = np.full(values.shape, np.inf)
        for count in np.unique(wanted):
            nearest[wanted == count] = _kth_nearest(ordered[wanted == count], int(count))
        distance = np.empty_like(values)
        np.put_along_axis(distance, order, nearest, axis=-1)
        return distance


def _kth_nearest(ordered: FloatArray, count: int) -> FloatArray:
    """Distance to the `count`-th nearest other of each value, in rows sorted upwards with NaN last."""
    n = ordered.shape[1]
    best = np.full(ordered.shape, np.inf)
    for below in range(count + 1):  # so many of the nearest lie below, the others above
        inside = slice(below, n - count + below)
        value, low, high = ordered[:, inside], ordered[:, : n - count], ordered[:, count:]
        reach = np.fmax(value - low, high - value)
        reach[np.isnan(high)] = np.inf
        best[:, inside] = np.minimum(best[:, inside], reach)
    return best


def _gathered(values: FloatArray, rows: IntArray) -> FloatArray:
    """(n_groups, n_steps, size): the members' finite values, NaN for a member that there is not."""
    found = _finite(values[rows])
    found[rows < 0] = np.nan
    return np.ascontiguousarray(found.swapaxes(1, 2))


def _padded(learned: FloatArray, rows: IntArray) -> FloatArray:
    return np.where(rows >= 0, learned[rows], np.nan)


def _finite(values: FloatArray) -> FloatArray:
    return np.where(np.abs(values) < 1e100, values, np.nan)
