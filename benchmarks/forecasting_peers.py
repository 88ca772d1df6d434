"""Forecasters of other libraries, at the settings their manuals name first.

None of them is a dependency: install `statsforecast` and `prophet` in an environment of their own, and run the bench
with that environment's Python.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.forecasting_cases import Case
from series import FloatArray
from series.calendar import WEEK

Peer = Callable[[Case, int, float], FloatArray]
"""Case, steps and coverage in; (3, steps) out: mean, lower and upper."""

# Longer seasons are left out: AutoETS drops them silently; AutoARIMA and AutoTheta do not end with them.
_LONGEST_SEASON = {"AutoETS": 24, "AutoARIMA": 24, "AutoTheta": 1_000}
# AutoTheta and AutoARIMA take minutes for one longer series: they see its last part alone.
_LONGEST_HISTORY = {"AutoARIMA": 2_016, "AutoTheta": 4_032}


def installed() -> dict[str, Peer]:
    """Peers that can be imported here, by name."""
    peers: dict[str, Peer] = {}
    if find_spec("statsforecast"):
        peers |= {
            name: partial(_statsforecast, name)
            for name in ("SeasonalNaive", "AutoETS", "AutoTheta", "MSTL", "AutoARIMA")
        }
    if find_spec("prophet"):
        peers["Prophet"] = _prophet
    return peers


def _statsforecast(name: str, case: Case, steps: int, coverage: float) -> FloatArray:
    model = _model(name, case)
    level = 100 * coverage
    known = _without_gaps(case.history)[-_LONGEST_HISTORY.get(name, len(case.history)) :]
    answer = model.forecast(y=known, h=steps, level=[level])
    bounds = (
        answer[key]
        for key in (
            "mean",
            *(key for key in answer if key.startswith("lo-")),
            *(key for key in answer if key.startswith("hi-")),
        )
    )
    return np.stack([np.asarray(bound, dtype=np.float64) for bound in bounds])


def _model(name: str, case: Case) -> Any:
    models = import_module("statsforecast.models")
    if name == "MSTL":
        week = round(WEEK / case.step)
        seasons = [case.season, week] if case.season < week and 2 * week < len(case.history) else [case.season]
        return models.MSTL(season_length=seasons) if case.season > 1 else models.AutoETS(season_length=1)
    short = case.season > _LONGEST_SEASON.get(name, case.season)
    return getattr(models, name)(season_length=1 if short else case.season)


def _prophet(case: Case, steps: int, coverage: float) -> FloatArray:
    for logger in ("prophet", "cmdstanpy"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    times = pd.to_datetime(case.times, unit="s")
    model = import_module("prophet").Prophet(interval_width=coverage)
    model.fit(pd.DataFrame({"ds": times, "y": case.history}))
    ahead = pd.to_datetime(case.times[-1] + case.step * np.arange(1, steps + 1), unit="s")
    answer = model.predict(pd.DataFrame({"ds": ahead}))
    bounds: FloatArray = answer[["yhat", "yhat_lower", "yhat_upper"]].to_numpy(np.float64).T
    return bounds


def _without_gaps(history: FloatArray) -> FloatArray:
    filled: FloatArray = pd.Series(history).interpolate(limit_direction="both").to_numpy(np.float64)
    return filled
