"""How much the intervals hold of what comes, drawn; needs matplotlib, which is no dependency.

``python -m benchmarks.forecasting_calibration --data DIR --out FILE``
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.forecasting_cases import Case, cases, windows
from benchmarks.forecasting_sets import forecasting_sets
from forecasting import HarmonicRegression

_COVERAGES = (0.2, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw how much the intervals hold of what comes.")
    parser.add_argument("--data", type=Path, required=True, help="a set, or a folder of sets")
    parser.add_argument("--out", type=Path, required=True, help="the picture, .svg or .png")
    arguments = parser.parse_args()
    table = pd.DataFrame({one.name: _held(list(cases(one.series))) for one in forecasting_sets(arguments.data)})
    table.index = pd.Index(_COVERAGES, name="asked")
    print(table.round(3).to_string())
    _draw(table, arguments.out)


def _held(every: list[Case]) -> list[float]:
    """Mean share inside over the series, for each coverage."""
    held: dict[float, list[float]] = {coverage: [] for coverage in _COVERAGES}
    for group, window in windows(every):
        fitted, steps = HarmonicRegression().fit(window), max(int(case.leads.max()) for case in group)
        for coverage in _COVERAGES:
            forecast = fitted.forecast(steps, coverage=coverage)
            for row, case in enumerate(group):
                lower, upper = forecast.lower[row, case.leads - 1], forecast.upper[row, case.leads - 1]
                known = np.isfinite(case.actual) & np.isfinite(lower)
                if known.any():
                    inside = (lower <= case.actual) & (case.actual <= upper)
                    held[coverage].append(float(inside[known].mean()))
    return [float(np.mean(held[coverage])) for coverage in _COVERAGES]


def _draw(table: pd.DataFrame, out: Path) -> None:
    figure, axes = import_module("matplotlib.pyplot").subplots(figsize=(6, 5), layout="constrained")
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, label="as asked")
    for name in table:
        axes.plot(table.index, table[name], marker="o", markersize=4, label=name)
    axes.set(xlabel="coverage asked", ylabel="share inside", xlim=(0, 1), ylim=(0, 1), title="What the intervals hold")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(out, dpi=110)


if __name__ == "__main__":
    main()
