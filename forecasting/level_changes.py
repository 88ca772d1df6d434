"""When the level of a series changed, its season and its trend aside."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from forecasting.blocks import FEWEST_BLOCKS, block_medians
from series import BoolArray, FloatArray, Window
from series.calendar import DAY, WEEK

# Standard errors of a change, all others and season and trend being fitted with it.
_CLEAR = 4.0
# Blocks a level must last: neither one odd day nor a weekend is one. Where there are no three weeks, a weekend must be
# less than half of either side.
_LASTS, _OVER_A_WEEKEND = 3, 5.0 * DAY
# Blocks on either side between which at least half of a change must lie, else it is a bend.
_NEAR = 5
# Blocks to learn the days of the week from: with less, hardly more is fitted than known.
_FEWEST_DAYS = 17
# Spreads at which a single block leaves those around it as an odd day.
_ODD = 6.0
# Rounds of looking for odd days; and of weighing them and the changes against each other.
_SETTLED, _ROUNDS = 10, 3
_SIGMA = 1.4826
_ROUNDING, _TINY = 1e-9, 1e-300
# Share by which two places must differ to be told apart.
_TIE = 1e-6
# How much less steep a line is than another that is called far steeper.
_PLAIN = 0.2
# Square of what a step adds to the other terms below which it cannot be told from them; blocks.
_OWN = 0.1


@dataclass(frozen=True)
class ChangePoint:
    """A level that changed.

    Attributes
    ----------
    series : int
        Row of the window.
    time : float
        Seconds since the epoch: where the new level begins, to a block (a day, or a 28th of a shorter history).
    before, after : float
        Medians on both sides, up to the next change, in the series' unit: without the weekly rhythm, and at the height
        the trend has at `time`.
    """

    series: int
    time: float
    before: float
    after: float


def change_points(history: Window, *, most: int = 5) -> list[ChangePoint]:
    """Times at which a level changed, sorted by series, then by time.

    Level, straight line, days of the week and changes are fitted to the medians of days at once: a change is looked
    for in what the others leave, and the others in what it leaves, so that none is taken for another. Changes are
    added one by one where they explain most, then the least clear are dropped until all are clear.

    Parameters
    ----------
    most : int
        For each series.

    References
    ----------
    Bai and Perron (1998), Estimating and testing linear models with multiple structural changes; Pati, Rezaiifar and
    Krishnaprasad (1993), Orthogonal matching pursuit.
    """
    blocks, length = block_medians(history)
    first = history.n_steps - blocks.shape[1] * length
    found: list[ChangePoint] = []
    for series, row in enumerate(blocks):
        columns = np.flatnonzero(np.isfinite(row))
        if len(columns) < FEWEST_BLOCKS:
            continue
        exponent = int(np.frexp(np.abs(row[columns]).max())[1])  # squares of what is huge or tiny are no numbers
        told = _Blocks.of(np.ldexp(row[columns], -exponent), columns, length * history.step)
        for place, *levels in told.levels(told.changes(most)):
            time = float(history.times[first + columns[place] * length])
            found.append(ChangePoint(series, time, *np.ldexp(levels, exponent).tolist()))
    return found


@dataclass(frozen=True, eq=False)
class _Blocks:
    """The known blocks of a series.

    Attributes
    ----------
    values : (n_blocks,) float64
    season : (n_blocks, n_terms) float64
        One; and where enough weeks are known, the days of the week but one, and the week as it grows with the line.
    line : (n_blocks,) float64
        Places from their mean, as a share of all.
    least : int
        Blocks a level must last.
    """

    values: FloatArray
    season: FloatArray
    line: FloatArray
    least: int

    @classmethod
    def of(cls, values: FloatArray, columns: npt.NDArray[np.intp], seconds: float) -> _Blocks:
        span = int(columns[-1] - columns[0]) + 1
        daily = round(WEEK / seconds) == 7 and span >= _FEWEST_DAYS
        known = span * seconds >= 3 * WEEK
        least = _LASTS if known else max(_LASTS, int(np.ceil(_OVER_A_WEEKEND / seconds)))
        days = (columns % 7)[:, np.newaxis] == np.arange(6) if daily else np.zeros((len(values), 0))
        line = (columns - columns.mean()) / max(len(columns), 1)
        season = np.column_stack([np.ones(len(values)), days])
        if daily:
            season = np.column_stack([season, _week(values, columns) * line])
        return cls(values, season, line, least)

    def changes(self, most: int) -> list[int]:
        """Ascending places where a new level begins."""
        chosen = list[int]()
        for _ in range(_ROUNDS):  # what is odd is seen once the changes are known, and the other way round
            values = self._without_odd_days(chosen)
            known, chosen = chosen, self._dated(values, self._clear_changes(values, most))
            if chosen == known:
                break
        return chosen

    def _clear_changes(self, values: FloatArray, most: int) -> list[int]:
        chosen = list[int]()
        spare = len(values) // 2 - self.season.shape[1] - 1
        for _ in range(min(most, max(spare, 1))):
            gain = np.where(self._allowed(chosen), self._gain(values, chosen), 0.0)
            if not gain.any():
                break
            more = self._plainest(values, chosen, np.flatnonzero(gain >= (1 - _TIE) * gain.max()).tolist())
            if more is None:
                break
            chosen = sorted([*chosen, more])
        while chosen:
            clear = self._clearness(values, chosen)
            if clear.min() > _CLEAR:
                break
            del chosen[int(clear.argmin())]
        return chosen

    def _dated(self, values: FloatArray, changes: list[int]) -> list[int]:
        """Where the blocks themselves part best: one at the edge of a level may have been taken for an odd day."""
        terms = self._terms(changes)
        count = terms.shape[1] - len(changes)
        level = self.values - terms[:, :count] @ (np.linalg.pinv(terms) @ values)[:count]
        edges = [0, *changes, len(level)]
        dated = []
        for left, middle, right in zip(edges, edges[1:], edges[2:], strict=False):
            first, last = (
                max(middle - _NEAR // 2, (left + middle) // 2 + 1),
                min(middle + _NEAR // 2, (middle + right) // 2),
            )
            before, after = np.median(level[left:middle]), np.median(level[middle:right])
            cost = np.abs(level[first:last] - before) - np.abs(level[first:last] - after)
            dated.append(first + int(np.concatenate([[0.0], np.cumsum(cost)]).argmin()))
        return dated

    def levels(self, changes: list[int]) -> list[tuple[int, float, float]]:
        """Place of each change, and the levels before and after it."""
        weights = np.linalg.pinv(self._terms(changes)) @ self.values
        terms = self.season.shape[1]
        week = self.season[:, 1:] @ weights[1:terms]
        week, slope = week - week.mean(), weights[terms]
        edges = [0, *changes, len(self.values)]
        told = []
        for left, middle, right in zip(edges, edges[1:], edges[2:], strict=False):
            rhythm = week + slope * (self.line - self.line[middle])
            level = self.values - np.where(np.abs(rhythm) > _ROUNDING * np.abs(self.values).max(), rhythm, 0.0)
            told.append((middle, float(np.median(level[left:middle])), float(np.median(level[middle:right]))))
        return told

    def _plainest(self, values: FloatArray, chosen: list[int], alike: list[int]) -> int | None:
        """Of places that explain as much, the one beside which the line is far the least steep; None where none is.

        In three weeks, days of the week and a line can stand for a stair of weeks: a fall after two of them fits as
        well as a rise after one on a steep way down.
        """
        if len(alike) == 1:
            return alike[0]
        line = self.season.shape[1]
        weights = [np.linalg.pinv(self._terms(sorted([*chosen, place]))) @ values for place in alike]
        steep = sorted((abs(float(weight[line])), place) for weight, place in zip(weights, alike, strict=True))
        return steep[0][1] if steep[0][0] <= _PLAIN * steep[1][0] else None

    def _terms(self, changes: list[int]) -> FloatArray:
        """(n_blocks, n_terms): season, line, and a step for each change."""
        steps = np.arange(len(self.values))[:, np.newaxis] >= np.array(changes, dtype=np.intp)
        return np.column_stack([self.season, self.line, steps])

    def _without_odd_days(self, changes: list[int]) -> FloatArray:
        """Values, where a block that leaves its neighbours is put among them; a level that lasts stays as it is."""
        values, basis = self.values, _orthonormal(self._terms(changes))
        for _ in range(_SETTLED):
            rest = self.values - basis @ (basis.T @ values)
            odd = rest - np.median(sliding_window_view(np.pad(rest, _NEAR // 2, mode="reflect"), _NEAR), axis=1)
            least = max(_ODD * _SIGMA * float(np.median(np.abs(odd))), _ROUNDING * float(np.abs(self.values).max()))
            values = np.where(np.abs(odd) > least, self.values - odd, self.values)
        return values

    def _allowed(self, chosen: list[int]) -> BoolArray:
        """(n_blocks,): where a further change leaves every level its time."""
        allowed = np.zeros(len(self.values), dtype=np.bool_)
        for left, right in pairwise([0, *chosen, len(self.values)]):
            allowed[left + self.least : right - self.least + 1] = True
        return allowed

    def _gain(self, values: FloatArray, chosen: list[int]) -> FloatArray:
        """(n_blocks,): root of what a step at each place would explain of what is left; 0 where it would be a bend."""
        basis = _orthonormal(self._terms(chosen))
        rest = _rest(values, basis)
        known = np.cumsum(basis[::-1], axis=0)[::-1]  # of a step at each place, what the basis holds
        own = np.arange(len(rest), 0, -1) - (known**2).sum(axis=1)
        size = np.cumsum(rest[::-1])[::-1] / np.maximum(own, _ROUNDING)
        near = _jumps(rest) + size * (_jumps(basis) * known).sum(axis=1)
        gain = np.abs(size) * np.sqrt(np.maximum(own, 0.0))
        told = (own > _OWN) & (near * np.sign(size) > np.abs(size) / 2) & (gain > _ROUNDING * np.abs(values).max())
        return np.where(told, gain, 0.0)

    def _clearness(self, values: FloatArray, chosen: list[int]) -> FloatArray:
        """(len(chosen),): of each change beside the others, in standard errors; 0 for a bend."""
        terms = self._terms(chosen)
        inverse = np.linalg.pinv(terms)
        rest = values - terms @ (inverse @ values)
        size, error = (part[-len(chosen) :] for part in (inverse @ values, np.sqrt((inverse**2).sum(axis=1))))
        free = max(len(values) - terms.shape[1], 1)
        spread = max(np.sqrt(float(rest @ rest) / free), _ROUNDING * float(np.abs(values).max()), _TINY)
        bent = np.array([self._beside_bend(values, terms, chosen, number) for number in range(len(chosen))])
        lasting = np.minimum((_jumps(rest)[chosen] + size) * np.sign(size), bent * np.sign(size))
        return np.where(lasting > np.abs(size) / 2, np.abs(size) / (error * spread * _wider(free)), 0.0)

    def _beside_bend(self, values: FloatArray, terms: FloatArray, chosen: list[int], number: int) -> float:
        """Size of one of the changes where the line may bend there, too."""
        bend = np.maximum(self.line - self.line[chosen[number]], 0.0)
        weights = np.linalg.pinv(np.column_stack([terms, bend])) @ values
        return float(weights[terms.shape[1] - len(chosen) + number])


def _wider(free: int) -> float:
    """By how much Student's distribution is wider than the normal one at so many standard errors.

    References
    ----------
    Fisher and Cornish (1960), The percentile points of distributions having known cumulants.
    """
    z = _CLEAR
    return 1 + (z**2 + 1) / (4 * free) + (5 * z**4 + 16 * z**2 + 3) / (96 * free**2)


def _week(values: FloatArray, columns: npt.NDArray[np.intp]) -> FloatArray:
    """(n_blocks,): how each day of the week usually lies beside the week around it, 1 at most; no odd day shows."""
    beside = values - np.median(sliding_window_view(np.pad(values, 3, mode="reflect"), 7), axis=1)
    day = columns % 7
    usual = np.array([np.median(beside[day == one]) if (day == one).any() else 0.0 for one in range(7)])
    return np.asarray((usual - usual.mean())[day] / max(float(np.abs(usual).max()), _TINY))


def _orthonormal(terms: FloatArray) -> FloatArray:
    """(n_blocks, rank): what the terms span."""
    basis, weight, _ = np.linalg.svd(terms, full_matrices=False)
    return np.asarray(basis[:, weight > _ROUNDING * weight.max()])


def _rest(values: FloatArray, basis: FloatArray) -> FloatArray:
    return values - basis @ (basis.T @ values)


def _jumps(curves: FloatArray) -> FloatArray:
    """By how much the next blocks lie above the last ones, at each block of (n_blocks,) or (n_blocks, n_curves)."""
    around = [(_NEAR, _NEAR), *[(0, 0)] * (curves.ndim - 1)]
    middle = np.median(sliding_window_view(np.pad(curves, around, mode="reflect"), _NEAR, axis=0), axis=-1)
    return np.asarray(middle[_NEAR : _NEAR + len(curves)] - middle[: len(curves)])
