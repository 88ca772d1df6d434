"""A long table of histories and targets, cut into windows that a forecaster takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from series import FloatArray, SeriesKey, Window
from series.calendar import DAY


@dataclass(frozen=True, eq=False)
class Case:
    """One series: what is known, and what came then.

    Attributes
    ----------
    name : str
    times, history : (n_steps,) float64
        On an even grid that ends with the last known sample; seconds since the epoch, and NaN where no row is.
    leads : (n_targets,) int
        Steps after the end of the history, 1 or more.
    actual : (n_targets,) float64
    rows : (n_targets,) int
        Rows of the table that the targets come from.
    season : int
        Steps: the hint of the table, else a day, else 1. Only scores and peers see it.
    """

    name: str
    times: FloatArray
    history: FloatArray
    leads: npt.NDArray[np.intp]
    actual: FloatArray
    rows: npt.NDArray[np.intp]
    season: int

    @property
    def step(self) -> float:
        """Seconds."""
        return float(self.times[1] - self.times[0])


def cases(table: pd.DataFrame) -> Iterator[Case]:
    """One case for each series of a table with the columns ``series, timestamp, value, split[, season]``.

    A series without a target, or whose step cannot be told, has none.
    """
    seconds = table["timestamp"].to_numpy("datetime64[us]").astype(np.int64) / 1e6
    values, known = table["value"].to_numpy(np.float64), (table["split"] == "history").to_numpy()
    hints = table["season"].to_numpy(np.float64) if "season" in table else np.full(len(table), np.nan)
    for name, rows in table.groupby("series", sort=False, observed=True).indices.items():
        past, ahead = rows[known[rows]], rows[~known[rows]]
        if len(past) < 2 or not len(ahead):
            continue
        step = float(np.median(np.diff(seconds[past])))
        columns = np.rint((seconds[past] - seconds[past][0]) / step).astype(np.intp)
        history = np.full(columns[-1] + 1, np.nan)
        history[columns] = values[past]
        times = seconds[past][0] + step * np.arange(len(history))
        leads = np.rint((seconds[ahead] - times[-1]) / step).astype(np.intp)
        season = _season(hints[past[0]], step, len(history))
        yield Case(str(name), times, history, leads, values[ahead], ahead, season)


def _season(hint: float, step: float, n_steps: int) -> int:
    season = int(hint) if np.isfinite(hint) else max(round(DAY / step), 1)
    return season if 2 * season <= n_steps else 1


def windows(all_cases: list[Case]) -> Iterator[tuple[list[Case], Window]]:
    """Cases with the same instants, as one window each."""
    groups: dict[tuple[float, float, int], list[Case]] = {}
    for case in all_cases:
        groups.setdefault((case.times[0], case.step, len(case.times)), []).append(case)
    for group in groups.values():
        keys = tuple(SeriesKey({"series": case.name}) for case in group)
        yield group, Window(keys, group[0].times, np.stack([case.history for case in group]))
