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
    reach : float, default 2
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
    reach: float = 2.0
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
        for rows in self._members():
            deviation = self._deviation(_finite(history.values[rows]))
            middle = median(deviation)
            around = np.abs(deviation - middle[:, None])
            width = self.reach * quantile(around, 0.99)
            common = median(width[None])[0]
            size = quantile(np.abs(_finite(history.values[rows])).reshape(1, -1), 0.9)[0]
            floor = max(np.nan_to_num(common), _ROUNDING * np.nan_to_num(size), np.finfo(np.float64).tiny)
            seen = np.count_nonzero(~np.isnan(deviation), axis=1) >= self.fewest
            self.middle_[rows] = middle
            self.half_[rows] = np.where(seen, np.fmax(width, floor), np.nan)
            self.shared_[rows] = floor
        self.warming_up_: BoolArray = np.isnan(self.half_)
        return self

    def score(self, window: Window) -> FloatArray:
        """Judge each step by itself: (n_series, n_steps), 0 where there is no group to compare with, NaN no sample."""
        scores = np.zeros(window.values.shape)
        for rows in self._members():
            values = _finite(window.values[rows])
            deviation = np.abs(self._deviation(values) - self.middle_[rows, None])
            distance = self._loneliness(values - self.middle_[rows, None])
            with np.errstate(over="ignore"):  # members that were equal so far have a width of next to nothing
                alone = distance / self.shared_[rows, None]
                scores[rows] = np.nan_to_num(np.minimum(deviation / self.half_[rows, None], alone))
        scores = np.minimum(scores, LARGEST_SCORE)
        scores[np.isnan(window.values)] = np.nan
        return scores

    def _members(self) -> list[IntArray]:
        names = np.unique(self.groups_[self.groups_ >= 0])
        members = [np.flatnonzero(self.groups_ == name) for name in names]
        return [rows for rows in members if len(rows) >= self.smallest_group]

    def _deviation(self, values: FloatArray) -> FloatArray:
        """Each member less the median of the group, NaN where too few of it have a sample."""
        middle = median(np.ascontiguousarray(values.T))
        enough = np.count_nonzero(~np.isnan(values), axis=0) >= self.smallest_group
        return values - np.where(enough, middle, np.nan)

    def _loneliness(self, values: FloatArray) -> FloatArray:
        """Distance of each member to the farthest of the nearest `neighbours` others at each step."""
        present = np.count_nonzero(~np.isnan(values), axis=0)
        wanted = np.maximum(1, np.floor(self.neighbours * present + 1e-9)).astype(np.intp)
        order = np.argsort(values, axis=0)
        ordered = np.take_along_axis(values, order, axis=0)
        nearest = np.full(values.shape, np.inf)
        for count in np.unique(wanted):
            columns = wanted == count
            nearest[:, columns] = _kth_nearest(ordered[:, columns], int(count))
        distance = np.empty_like(values)
        np.put_along_axis(distance, order, nearest, axis=0)
        return distance


def _kth_nearest(ordered: FloatArray, count: int) -> FloatArray:
    """Distance to the `count`-th nearest other of each value, in columns sorted upwards with NaN last."""
    n = len(ordered)
    best = np.full(ordered.shape, np.inf)
    for below in range(count + 1):  # so many of the nearest lie below, the others above
        low, high = np.arange(n) - below, np.arange(n) + count - below
        inside = (low >= 0) & (high < n)
        reach = np.fmax(ordered[inside] - ordered[low[inside]], ordered[high[inside]] - ordered[inside])
        reach[np.isnan(ordered[high[inside]])] = np.inf
        best[inside] = np.minimum(best[inside], reach)
    return best


def _finite(values: FloatArray) -> FloatArray:
    return np.where(np.abs(values) < 1e100, values, np.nan)
