"""Outlier models of scikit-learn and pyod, on the windows of a series."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from detectors.checks import at_least
from detectors.windowed import Rows, Single, Windowed
from series import FloatArray

ESTIMATORS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "isolation_forest": ("sklearn.ensemble", "IsolationForest", {"n_estimators": 50, "random_state": 0}),
    "local_outlier_factor": ("sklearn.neighbors", "LocalOutlierFactor", {"novelty": True}),
    "one_class_svm": ("sklearn.svm", "OneClassSVM", {"nu": 0.01}),
    "hbos": ("pyod.models.hbos", "HBOS", {}),
    "knn": ("pyod.models.knn", "KNN", {}),
}
"""Name to module, class and arguments. All judge a window by those they were fitted on, and by no other."""


@dataclass(kw_only=True, eq=False)
class OutlierModel(Windowed):
    """How far the last samples are an outlier among the windows of the history, as an estimator sees it.

    One estimator is fitted for each series, which costs 10 to 200 ms: for a few series that matter. Needs scikit-learn,
    and for the names of pyod that too. See `Windowed` for the other arguments.

    Parameters
    ----------
    estimator : str, default "isolation_forest"
        One of `ESTIMATORS`.
    width : int, default 12
        Samples of a window, the newest included.
    examples : int, default 1000
        Windows, evenly spaced over the history, that the estimator learns from; all of them are compared with it to
        find the threshold. Those that keep their examples would else cost their square.

    References
    ----------
    Liu, Ting and Zhou (2008), Isolation Forest; Breunig et al. (2000), LOF; Schölkopf et al. (2001), Estimating the
    Support of a High-Dimensional Distribution; Goldstein and Dengel (2012), Histogram-based Outlier Score; Ramaswamy,
    Rastogi and Shim (2000), Efficient Algorithms for Mining Outliers from Large Data Sets.
    """

    snapshots: ClassVar[bool] = False
    """Estimators are not kept over a restart: they are fitted again."""

    estimator: str = "isolation_forest"
    width: int = 12
    examples: int = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, width=2, examples=2)
        if self.estimator not in ESTIMATORS:
            raise ValueError(f"OutlierModel.estimator must be one of {', '.join(ESTIMATORS)}. Got {self.estimator!r}.")

    def _span(self) -> int:
        return self.width

    def _allocate(self, n_series: int) -> None:
        self.models_: list[Any] = [None] * n_series
        self.usual_ = np.zeros((n_series, 1))

    def _learn_shape(self, rows: Rows, windows: Single) -> FloatArray:
        module, name, arguments = ESTIMATORS[self.estimator]
        kind = getattr(importlib.import_module(module), name)
        n_windows = windows.shape[1]
        place = np.linspace(0, n_windows - 1, min(n_windows, self.examples)).astype(np.intp)
        for position, row in enumerate(rows):
            self.models_[row] = kind(**arguments).fit(windows[position, place].astype(np.float64))
        strangeness = self._strangeness(rows, windows)
        self.usual_[rows] = np.median(strangeness, axis=1, keepdims=True)
        return np.maximum(strangeness - self.usual_[rows], 0.0)

    def _errors(self, rows: Rows, windows: Single) -> FloatArray:
        return np.maximum(self._strangeness(rows, windows) - self.usual_[rows], 0.0)

    def _strangeness(self, rows: Rows, windows: Single) -> FloatArray:
        # The two libraries turn the sign: with scikit-learn low is strange, with pyod high is.
        sign = -1.0 if ESTIMATORS[self.estimator][0].startswith("sklearn") else 1.0
        found = [
            self.models_[row].decision_function(windows[position].astype(np.float64))
            for position, row in enumerate(rows)
        ]
        return sign * np.array(found, dtype=np.float64).reshape(windows.shape[:2])
