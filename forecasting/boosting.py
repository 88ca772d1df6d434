"""Gradient boosting on lags, one model for all series of a query, by scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from forecasting.plan import Plan
from forecasting.shapes import Steps
from forecasting.trialed import Continuation, TrialedForecaster
from series import FloatArray

# Examples learned from at most, and origins they are taken from.
_MOST_EXAMPLES, _ORIGINS = 40_000, 60
_CYCLES = 3


@dataclass(kw_only=True, eq=False)
class Boosting(TrialedForecaster):
    """Learns from all series together how the last levels and the same phase of earlier days go on.

    Values are divided by the spread of their series, so that large and small ones teach each other. Only what lies
    before the first trial is learned from. Unlike with the other forecasters, a forecast depends on the series that
    stand beside it.

    Parameters
    ----------
    seed : int, default 0
        Of the choice of examples.

    References
    ----------
    Ke et al. (2017), LightGBM (histogram-based boosting); Montero-Manso and Hyndman (2021), Principles and algorithms
    for forecasting groups of time series: locality and globality.
    """

    seed: int = 0

    most_trials: ClassVar[int] = 4
    cross_series: ClassVar[bool] = True

    def _continue(self, values: FloatArray, plan: Plan, first: int) -> Continuation:
        regressor = import_module("sklearn.ensemble").HistGradientBoostingRegressor
        period = plan.seasons.periods[0] if plan.seasons.periods else 0
        features, target = self._examples(values[:, :first], period, int(plan.leads[-1]))
        model = regressor(
            loss="absolute_error", max_iter=100, learning_rate=0.1, early_stopping=False, random_state=self.seed
        )
        return _Boosted(values, period, model.fit(features, target) if len(target) else None)

    def _examples(self, past: FloatArray, period: int, furthest: int) -> tuple[FloatArray, FloatArray]:
        """Features and targets of some origins, leads and series, drawn with the seed."""
        random, n_steps = np.random.default_rng(self.seed), past.shape[1]
        least = min(max(2 * period, 4), n_steps - 2)
        found: list[tuple[FloatArray, FloatArray]] = []
        per_origin = max(_MOST_EXAMPLES // _ORIGINS // max(len(past), 1), 1)
        for origin in np.unique(random.integers(least, n_steps - 1, _ORIGINS)):
            leads = np.unique(random.integers(1, min(furthest, n_steps - origin) + 1, per_origin))
            table, level = _features(past, int(origin), leads, period)
            found.append((table.reshape(-1, table.shape[-1]), (past[:, origin - 1 + leads] - level).ravel()))
        features, target = np.concatenate([one for one, _ in found]), np.concatenate([one for _, one in found])
        features[:, np.isnan(features).all(axis=0)] = 0.0  # scikit-learn cannot bin a column without any value
        return features, target


@dataclass(frozen=True, eq=False)
class _Boosted(Continuation):
    values: FloatArray
    period: int
    model: Any

    def ahead(self, origin: int, leads: Steps) -> FloatArray:
        features, level = _features(self.values, origin, leads, self.period)
        if self.model is None:
            return np.repeat(level, len(leads), axis=1)
        told = self.model.predict(features.reshape(-1, features.shape[-1])).reshape(len(self.values), len(leads))
        whole: FloatArray = level + told
        return whole


def _features(values: FloatArray, origin: int, leads: Steps, period: int) -> tuple[FloatArray, FloatArray]:
    """(n_series, n_leads, n_features), and the last level, (n_series, 1), that features and target are relative to.

    The lead; the last samples; means of longer pasts; the same phase of the last days.
    """
    past = values[:, :origin]
    last = past[:, -1:]
    means = [past[:, -span:].mean(axis=1, keepdims=True) for span in _spans(period, values.shape[1])]
    recent = [past[:, max(origin - back, 0)][:, np.newaxis] for back in (2, 3, 4)]
    columns = [np.broadcast_to(one - last, (len(past), len(leads))) for one in (*recent, *means)]
    for back in range(_CYCLES if period else 0):
        steps = origin - 1 + leads - period * (np.ceil(leads / period).astype(np.intp) + back)
        columns.append(np.where(steps >= 0, past[:, np.maximum(steps, 0)] - last, np.nan))
    columns.append(np.broadcast_to(np.log1p(leads), (len(past), len(leads))))
    return np.stack(columns, axis=-1), last


def _spans(period: int, n_steps: int) -> tuple[int, ...]:
    rhythm = period or max(n_steps // 8, 4)
    return max(rhythm // 24, 2), max(rhythm // 4, 3), rhythm, 7 * rhythm
