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
UNDATED = pd.Timestamp("2020-01-06")
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


def detection_sets(data: Path) -> Iterator[DetectionSet]:
    """Sets under `data`: the folder itself, or each folder in it that can be read, one at a time.

    Raises
    ------
    FileNotFoundError
        Where nothing under `data` is a set of labelled series.
    """
    yield from sets_under(data, _detection_set)


def sets_under(data: Path, reader: Callable[[Path], AnySet | None]) -> Iterator[AnySet]:
    """What `reader` makes of the folder itself, or of each folder in it that it can read, one at a time.

    Raises
    ------
    FileNotFoundError
        Where it can read none.
    """
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
    columns = columns_of(folder / "series.parquet")
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


def columns_of(path: Path) -> set[str]:
    """Names in a Parquet file; none where there is no file."""
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
    return UNDATED + pd.to_timedelta(row.to_numpy(np.int64) * 300, unit="s")


def _causes(folder: Path, group: str) -> pd.DataFrame | None:
    if not (folder / "causes.csv").exists():
        return None
    causes = pd.read_csv(folder / "causes.csv")
    start, end = _timestamp(causes["first_row"]), _timestamp(causes["last_row"])
    return pd.DataFrame({"series": causes[group], "start": start, "end": end, "metrics": causes["metrics"]})
