"""What is written with other libraries, a loop over the series: one fit each, then one new step each."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from series import FloatArray

# Samples of a window that an outlier model sees.
WINDOW = 12
A_DAY = 288

Step = Callable[[float], float]
"""The new sample of a series in, its score out."""
Fit = Callable[[FloatArray], Step]
"""History (n_steps,) of one series in."""


def installed() -> dict[str, Fit]:
    """Peers by name; those whose package is not there are left out, with a note."""
    peers: dict[str, tuple[str, Fit]] = {
        "statsmodels STL and MAD": ("statsmodels", _stl),
        "scikit-learn IsolationForest": ("sklearn", _isolation_forest),
        "pyod ECOD": ("pyod", _ecod),
    }
    missing = [name for name, (package, _) in peers.items() if not find_spec(package)]
    if missing:
        print(f"Left out, as the package is not installed: {', '.join(missing)}.", file=sys.stderr)
    return {name: fit for name, (_, fit) in peers.items() if name not in missing}


def _stl(history: FloatArray) -> Step:
    """Robust distance of the newest residual; STL knows no new sample, so that a step is another decomposition."""
    decompose = import_module("statsmodels.tsa.seasonal").STL

    def residual(values: FloatArray) -> FloatArray:
        return np.asarray(decompose(values, period=A_DAY).fit().resid)

    past = residual(history)
    spread = 1.4826 * float(np.median(np.abs(past - np.median(past))))
    return lambda value: float(abs(residual(np.append(history[1:], value))[-1]) / max(3 * spread, 1e-9))


def _isolation_forest(history: FloatArray) -> Step:
    kind = import_module("sklearn.ensemble").IsolationForest
    return _outlier(kind(n_estimators=100, random_state=0), history, sign=-1.0)


def _ecod(history: FloatArray) -> Step:
    return _outlier(import_module("pyod.models.ecod").ECOD(), history, sign=1.0)


def _outlier(model: Any, history: FloatArray, *, sign: float) -> Step:
    model.fit(np.lib.stride_tricks.sliding_window_view(history, WINDOW))
    latest = history[1 - WINDOW :]
    return lambda value: float(sign * model.decision_function(np.append(latest, value)[None])[0])
