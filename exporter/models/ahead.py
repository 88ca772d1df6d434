"""A batch of series with its forecasts, looked up until the next fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from exporter.duration import Duration
from exporter.models.batches import GONE, Batch, Rows
from exporter.models.stored import Tree
from forecasting.base import Forecast
from series import FloatArray, SeriesKey


@dataclass(frozen=True, eq=False)
class StandIn:
    """The seasonal naive forecast of series whose forecaster fell behind it.

    Attributes
    ----------
    rows : (n,) intp
        Of the batch.
    bounds : (3, n, columns) float64
    """

    rows: Rows
    bounds: FloatArray


@dataclass(eq=False)
class Ahead(Batch):
    """A batch with its forecasts.

    Attributes
    ----------
    kept : dict of Duration to (3, n_series, columns) float64
        Mean, lower and upper. The first column is that of the last step learned from + the horizon.
    stand_ins : dict of Duration to StandIn
    floor : (n_series,) float64
        0 where a series was never negative, else -inf.
    leads : dict of str to int
        How many series each kind of candidate leads.
    trial_ratio : (n_series,) float64
        Error over that of the naive forecast in the trials of the fit; NaN unknown.
    """

    kept: dict[Duration, FloatArray] = field(default_factory=dict)
    stand_ins: dict[Duration, StandIn] = field(default_factory=dict)
    floor: FloatArray = field(default_factory=lambda: np.empty(0))
    leads: dict[str, int] = field(default_factory=dict)
    trial_ratio: FloatArray = field(default_factory=lambda: np.empty(0))

    def look_up(
        self,
        column: int,
        own: Mapping[Duration, FloatArray],
        instead: Mapping[Duration, FloatArray],
        floor: FloatArray,
    ) -> bool:
        """Put what is said at `column` where the series stand in the window; False where nothing is said.

        Parameters
        ----------
        own, instead : mapping of Duration to (3, n) float64
            Filled with what the forecaster says, and with what stands in for it.
        floor : (n,) float64
            Filled with what no interval may pass.
        """
        here, found = self.rows != GONE, False
        for horizon, kept in self.kept.items():
            if horizon in own and 0 <= column < kept.shape[2]:
                own[horizon][:, self.rows[here]] = kept[:, here, column]
                found = True
        if found:
            floor[self.rows[here]] = self.floor[here]
        for horizon, one in self.stand_ins.items():
            if horizon in instead and 0 <= column < one.bounds.shape[2]:
                there = here[one.rows]
                instead[horizon][:, self.rows[one.rows[there]]] = one.bounds[:, there, column]
        return found

    def dump(self, number: Callable[[SeriesKey], int], epoch: int) -> dict[str, Tree]:
        """What outlives a restart, the forecasts included."""
        return super().dump(number, epoch) | {
            "kept": {str(int(horizon)): kept for horizon, kept in self.kept.items()},
            "stand_ins": {str(int(horizon)): [one.rows, one.bounds] for horizon, one in self.stand_ins.items()},
            "floor": self.floor,
            "leads": self.leads,
            "trial_ratio": self.trial_ratio,
        }

    def load(self, known: Tree, keys: Sequence[SeriesKey], epoch: int) -> None:
        """Take over what `dump` gave."""
        super().load(known, keys, epoch)
        self.kept = {Duration(int(seconds)): one for seconds, one in known["kept"].items()}
        self.stand_ins = {Duration(int(seconds)): StandIn(*one) for seconds, one in known["stand_ins"].items()}
        self.floor, self.leads, self.trial_ratio = known["floor"], known["leads"], known["trial_ratio"]


def part(forecast: Forecast, lead: int, ahead: int) -> FloatArray:
    """(3, n_series, ahead): mean, lower and upper of the steps from `lead` on."""
    return np.stack([side[:, lead - 1 : lead - 1 + ahead] for side in (forecast.mean, forecast.lower, forecast.upper)])
