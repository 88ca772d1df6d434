"""How the models of a query are made and how often they learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from detectors.ensemble import Consensus
from detectors.peers import Peers
from detectors.suppress import Suppression
from exporter.duration import Duration
from forecasting.base import Forecaster
from series import BoolArray, FloatArray, Window
from series.occasions import Occasions


class Judge(Protocol):
    """A detector that says all at once: `detectors.ensemble.Ensemble`, or `exporter.models.single.Single`."""

    @property
    def warming_up_(self) -> BoolArray:
        """(n_series,) bool: the history is too short or too full of gaps to judge by."""

    @property
    def members_(self) -> tuple[str, ...]:
        """Names of the detectors, in the order of their votes."""

    def fit(self, history: Window, groups: npt.NDArray[np.intp] | None = None) -> Self:
        """Learn from samples that are known now; equal `groups` (n_series,) belong together."""

    def advance(self, window: Window) -> None:
        """Take note of steps that will not change any more."""

    def season(self, times: FloatArray) -> FloatArray:
        """What time of day and week add to the level at `times`: (n_series, n_steps), NaN where that is not known."""

    def judge(self, window: Window) -> Consensus:
        """All that is said of steps right after the last that is known."""


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
    timezone : str
        Of the days and weeks of the series.
    importance : float
        What the query is worth, in points of severity.
    minimum_absolute, minimum_relative : float
        Smallest deviation worth telling, in the unit of the series and as a ratio of what is usual.
    occasions : Occasions or None
        Which days are unlike others.
    group_by : tuple of str
        Labels by whose values series belong together; empty for each alone.
    peers_by : tuple of str or None
        Labels by whose values series are like each other, empty for all of a query; None where nothing is compared.
    peers : callable
        Gives what compares them, not fitted yet.
    weighted : callable or None
        Gives a new detector whose members count as told, by name; None for one of which none can.
    forecaster_name : str
        As it is configured.
    """

    detector: Callable[[], Judge]
    forecaster: Callable[[], Forecaster]
    suppression: Suppression
    step: float
    horizons: tuple[Duration, ...]
    coverage: float
    refit: Duration
    offset: float = 0.0
    late: float = 0.0
    timezone: str = "UTC"
    importance: float = 0.0
    minimum_absolute: float = 0.0
    minimum_relative: float = 0.0
    occasions: Occasions | None = None
    group_by: tuple[str, ...] = ()
    peers_by: tuple[str, ...] | None = None
    peers: Callable[[], Peers] = Peers
    weighted: Callable[[Mapping[str, float]], Judge] | None = None
    forecaster_name: str = "harmonic"

    def judge(self, weights: Callable[[float], Mapping[str, float]], time: float) -> Judge:
        """A new, unfitted detector whose members count, where they can, as `weights` says of what was known then."""
        known = weights(time) if self.weighted else {}
        return self.weighted(known) if self.weighted and known else self.detector()

    @property
    def forecast_refit(self) -> float:
        """Seconds between two fits of the forecaster: a forecast 15 minutes ahead cannot be an hour old."""
        return min([float(self.refit), *(horizon / 2 for horizon in self.horizons)])
