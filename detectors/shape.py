"""Circular shapes of day and week: folded from the history, smoothed, shrunk to what is supported."""

from __future__ import annotations

import numpy as np

from detectors.phase import HOURS, IntArray, Phase
from detectors.robust import mean, median
from detectors.week_steps import without_steps
from series import FloatArray
from series.calendar import DAY

# A weekly shape seen in one week cannot be told from a level that moved.
FEWEST_WEEKS = 2
# A component whose two halves agree less than this is noise: using it would cost more than it gives.
LEAST_WEIGHT = 0.3
# With longer bins than a quarter of an hour a bin early is early.
FEWEST_JITTER_BINS = 96


def fold(values: FloatArray, cell: IntArray, cells: int, *, most: int = 1) -> FloatArray:
    """Median of the samples in each cell.

    Parameters
    ----------
    values : (n_series, n_steps) float64
    cell : (n_steps,) intp, in [0, cells)
    cells, most : int
        Number of cells, and of samples in one. What is beyond, in the hour that clocks repeat, is left out.

    Returns
    -------
    (n_series, cells) float64
        NaN for a cell without a sample.
    """
    order = np.argsort(cell, kind="stable")
    ranked = cell[order]
    rank = np.arange(len(cell)) - np.searchsorted(ranked, ranked)
    kept = rank < most
    spread = np.full((len(values), cells * most), np.nan)
    spread[:, ranked[kept] * most + rank[kept]] = values[:, order[kept]]
    return median(spread.reshape(len(values), cells, most))


def daily_shape(folded: FloatArray) -> list[FloatArray]:
    """Daily shape (n_series, bins) of (n_series, days, bins), then those of the even and of the odd days."""
    centred = folded - median(folded)[..., None]
    # A day that is only partly there has another level than its neighbours; the first shape tells by how much.
    residual = folded - median(centred.swapaxes(1, 2))[:, None]
    by_bin = (folded - median(residual)[..., None]).swapaxes(1, 2)
    return _shrunk([_parts(median(by_bin[..., which])) for which in _HALVES])


def weekly_shape(residual: FloatArray, phase: Phase) -> list[FloatArray] | None:
    """The same by hour of the week from what the daily shape leaves; None for less than two weeks.

    A level that changed among the weeks is no part of the shape (`detectors.week_steps`).
    """
    n_series, days, bins = residual.shape
    weeks = phase.weeks
    if weeks < FEWEST_WEEKS:
        return None
    hours = HOURS if bins % HOURS == 0 else bins
    hourly = median(residual.reshape(n_series, days, hours, bins // hours))
    middle = np.tile((np.arange(hours) + 0.5) * (DAY / hours), days)
    grid = Phase(middle, phase.day[0] + np.repeat(np.arange(days), hours))
    ago = grid.weeks_back(phase)
    whole = np.flatnonzero((ago >= 0) & (ago < weeks))
    place = ago[whole] * (7 * hours) + grid.of_week(hours)[whole]
    # Aligned at the last whole hour; the first of the oldest week may be missing.
    in_order = np.full((n_series, weeks * 7 * hours), np.nan)
    in_order[:, in_order.shape[1] - len(whole) :] = hourly.reshape(n_series, -1)[:, whole]
    level = without_steps(in_order.reshape(n_series, weeks, 7 * hours)).reshape(in_order.shape)[:, -len(whole) :]
    folded = fold(level, place, weeks * 7 * hours).reshape(n_series, weeks, -1)
    by_hour = (folded - median(folded)[..., None]).swapaxes(1, 2)
    return _shrunk([(np.nan_to_num(smooth(median(by_hour[..., which]), 1)),) for which in _HALVES])


# All, even, odd: days or weeks on the last axis.
_HALVES = (slice(None), slice(0, None, 2), slice(1, None, 2))


def _parts(shape: FloatArray) -> tuple[FloatArray, ...]:
    """A circular shape as its running mean over about an hour and the rest, both 0 where nothing is known."""
    coarse = smooth(shape, shape.shape[1] // 48)
    coarse = coarse - mean(coarse)[:, None]
    detail = shape - mean(shape)[:, None] - coarse
    return np.nan_to_num(coarse), np.nan_to_num(detail)


def _shrunk(parts: list[tuple[FloatArray, ...]]) -> list[FloatArray]:
    """Whole, even and odd shape, each the weighted sum of its parts."""
    _, even, odd = parts
    weights = [shrinkage(first, second) for first, second in zip(even, odd, strict=True)]
    return [np.sum([w * part for w, part in zip(weights, one, strict=True)], axis=0) for one in parts]


def smooth(shape: FloatArray, reach: int) -> FloatArray:
    """Circular running mean over ``2 * reach + 1`` bins, NaN left out."""
    known = shape == shape
    total, count = (_moving_sum(part, reach) for part in (np.where(known, shape, 0.0), known.astype(np.float64)))
    return np.where(count > 0.5, total / np.maximum(count, 1), np.nan)


def _moving_sum(circle: FloatArray, reach: int) -> FloatArray:
    # Sums of neighbours, not differences of a running total: those would leave rounding where all values are equal.
    padded = np.pad(circle, ((0, 0), (reach, reach)), mode="wrap")
    neighbours = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1)
    return np.asarray(neighbours.sum(axis=-1), dtype=np.float64)


def shrinkage(first: FloatArray, second: FloatArray) -> FloatArray:
    """Weight (n_series, 1) of a part that two halves of the history estimate as `first` and `second`."""
    signal = mean(first * second)
    total = signal + mean((first - second) ** 2) / 4
    weight = np.where(total > 0, signal / np.where(total > 0, total, 1.0), 0.0)
    return np.where(weight < LEAST_WEIGHT, 0.0, weight)[:, None]


def jitter(daily: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What a band needs above and below where a narrow peak or dip of (n_series, bins) may come a bin off.

    A job of a minute at 02:00 draws a peak of one bin. If it comes a bin later, or is left out, that alone is no
    news. A peak is what a morphological opening over three bins takes away, a dip what the closing fills.
    """
    if daily.shape[1] < FEWEST_JITTER_BINS:
        return np.zeros_like(daily), np.zeros_like(daily)
    peak = daily - _highest(_lowest(daily))
    dip = _lowest(_highest(daily)) - daily
    return np.maximum(_highest(peak) - peak, dip), np.maximum(_highest(dip) - dip, peak)


def _highest(circle: FloatArray) -> FloatArray:
    return np.maximum(circle, np.maximum(np.roll(circle, 1, axis=1), np.roll(circle, -1, axis=1)))


def _lowest(circle: FloatArray) -> FloatArray:
    return np.minimum(circle, np.minimum(np.roll(circle, 1, axis=1), np.roll(circle, -1, axis=1)))
