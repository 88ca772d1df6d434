"""The rows of one group of a detection set, put on a time grid and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from series import SeriesKey, Window

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Group:
    """One service, machine or KPI.

    Attributes
    ----------
    name : str
    window : Window
        One row per metric.
    rows : pandas.DataFrame
        What is answered, in the order of the input: ``timestamp, label, scored``; one row per instant, or where
        there is one metric one per row of the input.
    column : (n_rows,) intp
        Column of the window that answers each of `rows`.
    first : int
        First column that is judged.
    """

    name: str
    window: Window
    rows: pd.DataFrame
    column: IntArray
    first: int


def groups(series: pd.DataFrame, limit: int | None = None) -> Iterator[Group]:
    """Groups of a set, in the order of their first rows, at most `limit` of them."""
    names = series["series"].drop_duplicates()
    parts = series.groupby("series", observed=True, sort=False).indices
    for name in names[:limit]:
        yield group(str(name), series.iloc[np.sort(parts[name])])


def group(name: str, table: pd.DataFrame) -> Group:
    """One group from its rows; the step is the commonest distance of two samples."""
    metrics = [str(metric) for metric in table["metric"].drop_duplicates()]
    rows = table if len(metrics) == 1 else table.drop_duplicates("timestamp")
    seconds = _seconds(rows["timestamp"])
    step = usual_step(seconds)
    columns = dict(zip(rows.index, place(seconds, step), strict=True))
    column = np.fromiter(columns.values(), dtype=np.intp, count=len(columns))
    by_time = dict(zip(seconds, column, strict=True))
    start = np.round(seconds.min() / step) * step
    values = np.full((len(metrics), int(column.max()) + 1), np.nan)
    for row, metric in enumerate(metrics):
        own = table[table["metric"] == metric] if len(metrics) > 1 else table
        at = column if len(metrics) == 1 else np.array([by_time[second] for second in _seconds(own["timestamp"])])
        order = np.argsort(_seconds(own["timestamp"]), kind="stable")
        values[row, at[order]] = own["value"].to_numpy(np.float64)[order]  # of several in one step the last stays
    times = start + step * np.arange(values.shape[1], dtype=np.float64)
    window = Window(tuple(SeriesKey.named(metric) for metric in metrics), times, values)
    scored = rows["scored"].to_numpy(bool)
    first = int(column[scored].min()) if scored.any() else window.n_steps
    return Group(name, window, rows[["timestamp", "label", "scored"]], column, max(1, first))


def usual_step(seconds: npt.NDArray[np.float64]) -> float:
    """The commonest distance between two instants, in whole seconds where it is a second or more."""
    apart = np.diff(np.unique(seconds))
    if len(apart) == 0:
        return 1.0
    apart = np.round(apart) if np.median(apart) >= 1 else np.round(apart, 3)
    values, counts = np.unique(apart[apart > 0], return_counts=True)
    return float(values[counts.argmax()])


def place(seconds: npt.NDArray[np.float64], step: float) -> IntArray:
    """Column of each instant: the nearest one, or the next where jitter puts two into one and it is free.

    Examples
    --------
    >>> place(np.array([0.0, 60.0, 170.0, 200.0, 300.0]), 60).tolist()
    [0, 1, 3, 4, 5]
    """
    order = np.argsort(seconds, kind="stable")
    nearest = np.round((seconds - seconds.min()) / step).astype(np.intp)[order]
    ahead = np.append(nearest[1:], nearest[-1] + 2)
    late = np.append(False, nearest[1:] == nearest[:-1]) & (ahead > nearest + 1)
    late &= np.append(True, seconds[order][1:] != seconds[order][:-1])
    column = np.empty(len(seconds), dtype=np.intp)
    column[order] = nearest + late
    return column


def _seconds(timestamps: pd.Series) -> npt.NDArray[np.float64]:
    return np.asarray(timestamps.to_numpy("datetime64[ms]").astype(np.int64) / 1e3)
