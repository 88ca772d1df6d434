"""Published data sets, turned into the folder formats that the quality benches read.

A data set is recognised by its files and columns, never by the name of its folder. A folder that already has the
bench's format is taken as it is, so one ``--data`` serves both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

# Two of the sets were published without dates; any Monday will do.
_UNDATED = pd.Timestamp("2020-01-06")
AnySet = TypeVar("AnySet")


@dataclass(frozen=True, eq=False)
class DetectionSet:
    """Labelled series, as `python -m benchmarks.detection` reads them.

    Attributes
    ----------
    name : str
    series : pandas.DataFrame
        Columns ``series, metric, timestamp, value, label, scored``.
    windows : pandas.DataFrame or None
        Columns ``series, start, end``, both ends included: what the NAB score is computed from.
    causes : pandas.DataFrame or None
        Columns ``series, start, end, metrics`` (names separated by blanks), both ends included.
    """

    name: str
    series: pd.DataFrame
    windows: pd.DataFrame | None = None
    causes: pd.DataFrame | None = None


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


def detection_sets(data: Path) -> Iterator[DetectionSet]:
    """Sets under `data`: the folder itself, or each folder in it that can be read, one at a time.

    Raises
    ------
    FileNotFoundError
        Where nothing under `data` is a set of labelled series.
    """
    yield from _read(data, _detection_set)


def forecasting_sets(data: Path) -> Iterator[ForecastingSet]:
    """Sets under `data`: the folder itself, or each folder in it that can be read, one at a time.

    Raises
    ------
    FileNotFoundError
        Where nothing under `data` is a set of histories and targets.
    """
    yield from _read(data, _forecasting_set)


def _read(data: Path, reader: Callable[[Path], AnySet | None]) -> Iterator[AnySet]:
    found = False
    for folder in [data, *sorted(path for path in data.iterdir() if path.is_dir())]:
        read = reader(folder)
        if read is not None:
            found = True
            yield read
        if read is not None and folder == data:
            return
    if not found:
        raise FileNotFoundError(f"--data must name a folder with series.parquet, or a folder of such. Got {data}.")


def _detection_set(folder: Path) -> DetectionSet | None:
    columns = _columns(folder / "series.parquet")
    if {"label", "scored"} <= columns:
        return DetectionSet(folder.name, _compact(pd.read_parquet(folder / "series.parquet")), *_tables(folder))
    if "in_window" in columns:
        return _nab(folder)
    if "label" in columns:
        return _mscloud(folder)
    if (folder / "servers.parquet").exists():
        return _wide(folder, "server", "servers.parquet")
    if (folder / "services.parquet").exists():
        return _wide(folder, "service", "services.parquet")
    return None


def _columns(path: Path) -> set[str]:
    return set(pq.read_schema(path).names) if path.exists() else set()


def _tables(folder: Path) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    windows, causes = (_optional_csv(folder / f"{name}.csv") for name in ("windows", "causes"))
    return windows, causes


def _optional_csv(path: Path) -> pd.DataFrame | None:
    return pd.read_csv(path, parse_dates=["start", "end"]) if path.exists() else None


def _compact(table: pd.DataFrame) -> pd.DataFrame:
    """Names as categories: a set of millions of rows would not fit otherwise."""
    if "metric" not in table:
        table["metric"] = "value"
    for column in ("series", "metric"):
        table[column] = table[column].astype("category")
    return table[["series", "metric", "timestamp", "value", "label", "scored"]]


def _nab(folder: Path) -> DetectionSet:
    """NAB: windows are the labels; 15 % of a file, 750 rows at most, is probation."""
    table = pd.read_parquet(folder / "series.parquet").rename(columns={"in_window": "label"})
    rows = table.groupby("series")["value"].transform("size")
    table["scored"] = table.groupby("series").cumcount() >= np.minimum((0.15 * rows).astype(int), 750)
    return DetectionSet(folder.name, _compact(table), _optional_csv(folder / "windows.csv"))


def _mscloud(folder: Path) -> DetectionSet:
    """Point labels throughout: the first quarter of each series is history."""
    table = pd.read_parquet(folder / "series.parquet")
    rows = table.groupby("series")["value"].transform("size")
    table["scored"] = table.groupby("series").cumcount() >= rows // 4
    return DetectionSet(folder.name, _compact(table))


def _wide(folder: Path, group: str, file: str) -> DetectionSet:
    """One row per instant, metrics m01 to m19 beside each other; the published split says what is scored."""
    wide = pd.read_parquet(folder / file)
    metrics = [column for column in wide.columns if column.startswith("m")]
    long = wide.melt([group, "split", "row", "label"], metrics, var_name="metric")
    table = pd.DataFrame(
        {
            "series": long[group],
            "metric": long["metric"],
            "timestamp": _timestamp(long["row"]),
            "value": long["value"].astype(np.float64),
            "label": long["label"],
            "scored": long["split"] == "test",
        }
    )
    return DetectionSet(folder.name, _compact(table), causes=_causes(folder, group))


def _timestamp(row: pd.Series) -> pd.Series:
    return _UNDATED + pd.to_timedelta(row.to_numpy(np.int64) * 300, unit="s")


def _causes(folder: Path, group: str) -> pd.DataFrame | None:
    if not (folder / "causes.csv").exists():
        return None
    causes = pd.read_csv(folder / "causes.csv")
    start, end = _timestamp(causes["first_row"]), _timestamp(causes["last_row"])
    return pd.DataFrame({"series": causes[group], "start": start, "end": end, "metrics": causes["metrics"]})


def _forecasting_set(folder: Path) -> ForecastingSet | None:
    columns = _columns(folder / "series.parquet")
    if "split" in columns:
        return ForecastingSet(folder.name, pd.read_parquet(folder / "series.parquet"))
    if (folder / "load.parquet").exists():
        return _load(folder)
    if (folder / "requests.parquet").exists():
        return _requests(folder)
    if (folder / "services.parquet").exists():
        return _services(folder)
    if "label" in columns and "in_window" not in columns:
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
    wide = wide[wide["split"] == "train"].assign(timestamp=lambda table: _timestamp(table["row"]))
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
