"""How the models of a query are made and how often they learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from detectors.base import Baseline
from detectors.suppress import Suppression
from exporter.duration import Duration
from forecasting.base import Forecaster


@dataclass(frozen=True)
class ModelPlan:
    """How the models of a query are made and how often they learn.

    Attributes
    ----------
    detector, forecaster : callable
        Each gives a new, unfitted model.
    suppression : Suppression
        When scores become an alarm.
    step : float
        Seconds between two samples.
    horizons : tuple of Duration
        How far ahead is forecast; empty for not at all.
    coverage : float
        Of the forecast's intervals.
    refit : Duration
        Longest time between two fits.
    offset : float
        Seconds past a multiple of it.
    late : float
        Seconds for which samples may still change.
    """

    detector: Callable[[], Baseline]
    forecaster: Callable[[], Forecaster]
    suppression: Suppression
    step: float
    horizons: tuple[Duration, ...]
    coverage: float
    refit: Duration
    offset: float = 0.0
    late: float = 0.0

    @property
    def forecast_refit(self) -> float:
        """Seconds between two fits of the forecaster: a forecast 15 minutes ahead cannot be an hour old."""
        return min([float(self.refit), *(horizon / 4 for horizon in self.horizons)])
