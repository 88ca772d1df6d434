"""One of several like series differs: members of a group are compared with each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

import numpy as np

from detectors.base import Band
from detectors.checks import above, at_least
from detectors.phase import IntArray
from detectors.robust import median, quantile
from detectors.samples import LARGEST_SCORE, ROUNDING
from detectors.worth_telling import worth_telling
from series import BoolArray, FloatArray, Window

# Steps of a history that are learned from, drawn by chance: every tenth would never see what happens at five past.
MOST_STEPS = 2_016
# Samples at a time, so that memory stays bounded.
_BLOCK_SAMPLES = 500_000


class Compared(NamedTuple):
    """What `Peers` says of a window.

    Attributes
    ----------
    scores : (n_series, n_steps) float64
        0 where there is no group to compare with, NaN where there is no sample.
    band : Band
        Where each member was expected, beside its peers; NaN where it was not compared.
    """

    scores: FloatArray
    band: Band


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
    direction : {"both", "above", "below"}, default "both"
        Side of its peers on which a member can be odd; on the other the score is 0.
    minimum_absolute : float, default 0
        Smallest deviation that may score above 1, in the unit of the series.
    minimum_relative : float, default 0
        The same as a ratio of what was expected: 0.1 is a tenth.
    smallest_group : int, default 4
        Members with a sample at a step, below which nobody is judged: of two that differ neither is the odd one.
    reach : float, default 1.5
    neighbours : float, default 0.4
        Share of the group, at least one other, that must be near for a member not to be alone.
    fewest : int, default 60
        Steps of the history with enough members ...
    warm_up : float, default 86400
        ... and seconds that they must span: a member may differ at night.

    References
    ----------
    Ester, Kriegel, Sander and Xu (1996), DBSCAN; Rousseeuw and Croux (1993) for the median absolute deviation.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> together = np.sin(np.arange(300) / 20) * 50 + rng.normal(size=(5, 300))
    >>> together[3, 250:] += 40
    >>> window = Window.of(together, step=600)
    >>> scores = Peers().fit(window.until(200), np.zeros(5, dtype=int)).score(window.since(200))
    >>> (scores[:, 60] > 1).tolist()
    [False, False, False, True, False]
    """

    direction: Literal["both", "above", "below"] = "both"
    minimum_absolute: float = 0.0
    minimum_relative: float = 0.0
    smallest_group: int = 4
    reach: float = 1.5
    neighbours: float = 0.4
    fewest: int = 60
    warm_up: float = 86_400.0

    def __post_init__(self) -> None:
        if self.direction not in ("both", "above", "below"):
            raise ValueError(f"Peers.direction must be both, above or below. Got {self.direction!r}.")
        at_least(self, minimum_absolute=0, minimum_relative=0, smallest_group=3, fewest=2, warm_up=0)
        above(self, reach=0)
        if not 0 < self.neighbours < 1:
            raise ValueError(f"Peers.neighbours must be above 0 and below 1. Got {self.neighbours!r}.")

    def fit(self, history: Window, groups: IntArray) -> Self:
        """Learn how far each member usually is from its group.

        Parameters
        ----------
        history : Window
            Up to now; some of its steps will do, see `drawn_steps`.
        groups : (n_series,) int
            Group of each series; negative for none.
        """
        if groups.shape != (history.n_series,):
            raise ValueError(f"groups must have shape {(history.n_series,)}. Got {groups.shape}.")
        self.groups_ = groups
        self.middle_, self.half_, self.shared_ = (np.full(history.n_series, np.nan) for _ in range(3))
        for rows in self._batches(history.n_steps):
            self._learn(rows, history)
        self.warming_up_: BoolArray = np.isnan(self.half_)
        return self

    def score(self, window: Window) -> FloatArray:
        """The scores that `judge` gives."""
        return self.judge(window).scores

    def judge(self, window: Window) -> Compared:
        """Compare the members at each step by itself."""
        scores = np.zeros(window.values.shape)
        expected, half = np.full(scores.shape, np.nan), np.full(scores.shape, np.nan)
        for rows in self._batches(window.n_steps):
            values = _gathered(window.values, rows)
            middle, width, shared = (_padded(each, rows)[:, None] for each in (self.middle_, self.half_, self.shared_))
            centre = self._centre(values)[..., None] + middle
            with np.errstate(over="ignore"):  # members that were equal so far have a width of next to nothing
                found = np.minimum(np.abs(values - centre) / width, self._loneliness(values - middle) / shared)
            member = rows >= 0
            for into, what in (
                (scores, np.nan_to_num(found)),
                (expected, centre + 0 * width),
                (half, width + 0 * centre),
            ):
                into[rows[member]] = what.swapaxes(1, 2)[member]
        band = Band(expected, expected - half, expected + half)
        return Compared(self._worth_telling(scores, window.values, band), band)

    def _worth_telling(self, scores: FloatArray, values: FloatArray, band: Band) -> FloatArray:
        found = worth_telling(np.minimum(scores, LARGEST_SCORE), values, band.expected, self)
        found[np.isnan(values)] = np.nan
        return found

    def _learn(self, rows: IntArray, history: Window) -> None:
        """Learn the groups in `rows` (n_groups, size), a part of the steps or of the members at a time."""
        centre = np.empty((len(rows), history.n_steps))
        width = max(1, _BLOCK_SAMPLES // rows.size)
        for first in range(0, history.n_steps, width):
            part = slice(first, first + width)
            centre[:, part] = self._centre(_gathered(history.values[:, part], rows))
        found = np.empty((4, *rows.shape))
        width = max(1, _BLOCK_SAMPLES // centre.size)
        for first in range(0, rows.shape[1], width):
            block = rows[:, first : first + width]
            found[..., first : first + width] = self._members(block, history, centre)
        middle, half, size, seen = found
        floor = np.fmax(np.fmax(median(half), ROUNDING * median(size)), np.finfo(np.float64).tiny)[:, None]
        member = rows >= 0
        self.middle_[rows[member]] = middle[member]
        self.half_[rows[member]] = np.where(seen > 0, np.fmax(half, floor), np.nan)[member]
        self.shared_[rows[member]] = np.broadcast_to(floor, rows.shape)[member]

    def _members(self, rows: IntArray, history: Window, centre: FloatArray) -> FloatArray:
        """(4, n_groups, n): middle, half width, usual size, and whether enough is known, of each of `rows`."""
        values = _finite(history.values[rows])
        values[rows < 0] = np.nan
        deviation = values - centre[:, None]
        middle = median(deviation)
        half = self.reach * quantile(np.abs(deviation - middle[..., None]), 0.99)
        known, times = ~np.isnan(deviation), history.times
        count = known.sum(axis=-1)
        span = times[-1 - known[..., ::-1].argmax(axis=-1)] - times[known.argmax(axis=-1)]
        span = np.round(span * count / np.maximum(count - 1, 1))  # the first and last hour of a day are 23 hours apart
        seen = (count >= self.fewest) & (span >= self.warm_up)
        return np.stack([middle, half, quantile(np.abs(values), 0.9), seen])

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

    def _centre(self, values: FloatArray) -> FloatArray:
        """Median of each group (n_groups, n_steps) of `values` (n_groups, n_steps, size); NaN for too few."""
        enough = np.count_nonzero(~np.isnan(values), axis=-1) >= self.smallest_group
        return np.where(enough, median(values), np.nan)

    def _loneliness(self, values: FloatArray) -> FloatArray:
        """Distance (n_groups, n_steps, size) within which each member has `neighbours` of the group beside it."""
        present = np.count_nonzero(~np.isnan(values), axis=-1)
        wanted = np.maximum(1, np.floor(self.neighbours * present + 1e-9)).astype(np.intp)
        order = np.argsort(values, axis=-1)
        distance = np.empty_like(values)
        np.put_along_axis(distance, order, _kth_nearest(np.take_along_axis(values, order, axis=-1), wanted), axis=-1)
        return distance


def drawn_steps(n_steps: int) -> IntArray:
    """Columns of a history to learn from: all of them, or `MOST_STEPS` drawn by chance, always the same, in order.

    Examples
    --------
    >>> drawn_steps(3).tolist(), len(drawn_steps(20_160))
    ([0, 1, 2], 2016)
    """
    if n_steps <= MOST_STEPS:
        return np.arange(n_steps)
    return np.sort(np.random.default_rng(n_steps).choice(n_steps, MOST_STEPS, replace=False))


def _kth_nearest(ordered: FloatArray, count: IntArray) -> FloatArray:
    """Distance to the `count`-th nearest other of each value.

    Parameters
    ----------
    ordered : (..., n) float64
        Upwards, NaN last.
    count : (...) int

    Notes
    -----
    The nearest ones lie side by side. Of the windows of `count` + 1 values that hold a value, the further up one
    begins, the nearer is its lower end and the farther its upper: the best is found by halving.
    """
    n, beyond = ordered.shape[-1], np.full((*ordered.shape[:-1], 1), np.inf)
    values = np.concatenate([np.where(np.isnan(ordered), np.inf, ordered), beyond], axis=-1)
    place, count = np.broadcast_to(np.arange(n), ordered.shape), count[..., None]

    def reach(begin: IntArray) -> tuple[FloatArray, FloatArray]:
        below = ordered - np.take_along_axis(values, np.maximum(begin, 0), axis=-1)
        return below, np.take_along_axis(values, np.minimum(begin + count, n), axis=-1) - ordered

    lowest = np.maximum(place - count, 0)
    low, high = lowest, place
    for _ in range(int(np.max(count, initial=1)).bit_length()):
        middle = (low + high) // 2
        below, up = reach(middle)
        low, high = np.where(up >= below, low, np.minimum(middle + 1, high)), np.where(up >= below, middle, high)
    before = np.where(low > lowest, np.maximum(*reach(low - 1)), np.inf)
    return np.asarray(np.minimum(np.maximum(*reach(low)), before))


def _gathered(values: FloatArray, rows: IntArray) -> FloatArray:
    """(n_groups, n_steps, size): the members' finite values, NaN for a member that there is not."""
    found = _finite(values[rows])
    found[rows < 0] = np.nan
    return np.ascontiguousarray(found.swapaxes(1, 2))


def _padded(learned: FloatArray, rows: IntArray) -> FloatArray:
    return np.where(rows >= 0, learned[rows], np.nan)


def _finite(values: FloatArray) -> FloatArray:
    return np.where(np.abs(values) < 1e100, values, np.nan)
