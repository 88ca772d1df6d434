"""Published data sets, cut into histories and targets as the forecasting bench reads them.

A data set is recognised by its files and columns, never by the name of its folder. A folder that already has the
bench's format is taken as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.adapters import UNDATED, columns_of, sets_under
from series.calendar import DAY

# Days of history and of target: the first for series of less than half an hour a step, the second for longer steps.
_SHORT_STEPS, _LONG_STEPS = (7, 1), (28, 2)
# Samples on either side: with fewer, scores are chance.
_FEWEST = 12


@dataclass(frozen=True, eq=False)
class ForecastingSet:
    """Histories and targets, as `python -m benchmarks.forecasting` reads them.

    Attributes
    ----------
    name : str
    series : pandas.DataFrame
        Columns ``series, timestamp, value, split`` (``history`` or ``target``).
    """

    name: str
    series: pd.DataFrame


def forecasting_sets(data: Path) -> Iterator[ForecastingSet]:
    """Sets under `data`: the folder itself, or each folder in it that can be read, one at a time.

    Raises
    ------
    FileNotFoundError
        Where nothing under `data` is a set of histories and targets.
    """
    yield from sets_under(data, _forecasting_set)


def _forecasting_set(folder: Path) -> ForecastingSet | None:
    columns = columns_of(folder / "series.parquet")
    if "split" in columns:
        return ForecastingSet(folder.name, pd.read_parquet(folder / "series.parquet"))
    if (folder / "load.parquet").exists():
        return _load(folder)
    if (folder / "requests.parquet").exists():
        return _requests(folder)
    if (folder / "services.parquet").exists():
        return _services(folder)
    if "in_window" in columns:
        return _mixed(folder)
    if "label" in columns:
        return _ingress(folder)
    return None


def _origins(name: str, series: pd.Series, first: int, every: int, history: int, target: int) -> Iterator[pd.DataFrame]:
    """Cut one long series into independent ones, each `history` + `target` rows, named after their place."""
    for start in range(first, len(series) - history - target + 1, every):
        part = series.iloc[start : start + history + target]
        split = np.where(np.arange(len(part)) < history, "history", "target")
        yield pd.DataFrame(
            {"series": f"{name}@{start}", "timestamp": part.index, "value": part.to_numpy(float), "split": split}
        )


def _load(folder: Path) -> ForecastingSet:
    """Hourly load: 8 weeks of history, 2 days ahead, from 5 origins spread over the years."""
    load = pd.read_parquet(folder / "load.parquet").set_index("timestamp")
    load = load.asfreq("h")
    parts = [part for region in load for part in _origins(region, load[region], 1_000, 7_957, 8 * 168, 48)]
    return ForecastingSet(folder.name, pd.concat(parts, ignore_index=True))


def _requests(folder: Path) -> ForecastingSet:
    """Requests of one hour, counted in 10 s bins: the last 5 minutes from what came before."""
    requests = pd.read_parquet(folder / "requests.parquet").set_index("timestamp")
    counts = {name: group.resample("10s").size().iloc[1:-1] for name, group in requests.groupby("service")}
    parts = [part for name, one in counts.items() for part in _origins(name, one, 0, 30, len(one) // 2, 30)]
    return ForecastingSet(folder.name, pd.concat(parts, ignore_index=True))


def _services(folder: Path) -> ForecastingSet:
    """Metrics of online services, 5 min: 14 days of the published training part, then one day."""
    wide = pd.read_parquet(folder / "services.parquet")
    wide = wide[wide["split"] == "train"].assign(
        timestamp=lambda table: UNDATED + pd.to_timedelta(table["row"].to_numpy(np.int64) * 300, unit="s")
    )
    parts: list[pd.DataFrame] = []
    for service, table in wide.groupby("service"):
        table = table.set_index("timestamp")
        for metric in (column for column in table.columns if column.startswith("m")):
            parts += _origins(f"{service}/{metric}", table[metric], 0, 1_440, 14 * 288, 288)
    return ForecastingSet(folder.name, pd.concat(parts, ignore_index=True))


def _ingress(folder: Path) -> ForecastingSet:
    """Production series of 1 min (7 days, then 6 hours) and of 1 hour (2 weeks, then a day)."""
    table = pd.read_parquet(folder / "series.parquet")
    parts: list[pd.DataFrame] = []
    for name, group in table.groupby("series"):
        values = group.set_index("timestamp")["value"]
        minutes = len(values) > 10_000
        parts += _origins(name, values, 0, *((2_880, 10_080, 360) if minutes else (120, 336, 24)))
    return ForecastingSet(folder.name, pd.concat(parts, ignore_index=True))


def _mixed(folder: Path) -> ForecastingSet:
    """Series of many services and steps: a week, then a day; or four weeks, then two days; at three origins."""
    table = pd.read_parquet(folder / "series.parquet")
    parts: list[pd.DataFrame] = []
    for name, group in table.groupby("series"):
        step = int(group["timestamp"].sort_values().diff().dt.total_seconds().median())
        values = group.set_index("timestamp")["value"].resample(f"{step}s").last()
        history, target = (days * DAY // step for days in (_SHORT_STEPS if step < 1_800 else _LONG_STEPS))
        every = max((len(values) - history - target) // 2, 1)
        cut = _origins(name, values, (len(values) - history - target) % 2, every, history, target)
        parts += [part for part in cut if part.groupby("split")["value"].count().ge(_FEWEST).all()]
    whole = pd.concat(parts, ignore_index=True)
    return ForecastingSet(folder.name, whole[whole["value"].notna()])
