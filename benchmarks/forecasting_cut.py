"""Other histories and horizons of long series: ``python -m benchmarks.forecasting_cut --data DIR --out OUT ...``.

Writes a folder that ``python -m benchmarks.forecasting --data OUT`` reads, so that a figure does not hang on the few
origins of the published cuts.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import orjson
import pandas as pd


def main() -> None:
    arguments = _arguments()
    rng = np.random.default_rng(arguments.seed)
    parts = [
        part
        for name, series in _long_series(arguments.data)
        for part in cut(name, series, arguments.step, arguments.history, arguments.target, arguments.origins, rng)
    ]
    if not parts:
        raise SystemExit(f"--data must hold series longer than {arguments.history} and {arguments.target} together.")
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = pd.concat(parts, ignore_index=True)
    table.to_parquet(arguments.out / "series.parquet")
    print(orjson.dumps({"bench": "forecasting_cut", "series": len(parts), "rows": len(table)}).decode())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Cut long series into histories and targets at random origins.")
    parser.add_argument("--data", type=Path, required=True, help="a folder with load.parquet or series.parquet")
    parser.add_argument("--out", type=Path, required=True, help="where series.parquet goes")
    parser.add_argument("--step", type=pd.Timedelta, default=pd.Timedelta("1h"), help="means over so much: 1h, 1D, 7D")
    parser.add_argument("--history", type=pd.Timedelta, required=True, help="such as 56D")
    parser.add_argument("--target", type=pd.Timedelta, required=True, help="such as 2D")
    parser.add_argument("--origins", type=int, default=3, help="of each series")
    parser.add_argument("--seed", type=int, default=1, help="which origins are drawn")
    return parser.parse_args()


def _long_series(folder: Path) -> Iterator[tuple[str, pd.Series]]:
    """Columns of a wide table, or series of a long one, by time."""
    if (folder / "load.parquet").exists():
        wide = pd.read_parquet(folder / "load.parquet").set_index("timestamp")
        yield from ((str(name), wide[name].dropna()) for name in wide)
        return
    long = pd.read_parquet(folder / "series.parquet")
    for name, table in long.groupby("series", sort=False, observed=True):
        yield str(name), table.set_index("timestamp")["value"].sort_index()


def cut(
    name: str,
    series: pd.Series,
    step: pd.Timedelta,
    history: pd.Timedelta,
    target: pd.Timedelta,
    origins: int,
    rng: np.random.Generator,
) -> Iterator[pd.DataFrame]:
    """Histories with their targets, each from an origin drawn at random.

    Parameters
    ----------
    name : str
    series : pandas.Series
        Values by time.
    step : pandas.Timedelta
        What values are averaged over.
    history, target : pandas.Timedelta
        Before and after an origin.
    origins : int
        How many; fewer where the series has no room for them, none where it is too short.
    rng : numpy.random.Generator
    """
    values = series.resample(step).mean()
    before, after = round(history / step), round(target / step)
    room = len(values) - before - after + 1
    for start in sorted(rng.choice(max(0, room), min(origins, max(0, room)), replace=False)) if room > 0 else ():
        part = values.iloc[start : start + before + after]
        split = np.where(np.arange(len(part)) < before, "history", "target")
        yield pd.DataFrame(
            {"series": f"{name}@{start}", "timestamp": part.index, "value": part.to_numpy(float), "split": split}
        ).dropna()


if __name__ == "__main__":
    main()
