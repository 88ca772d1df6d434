"""Counts that are mostly zero: how much comes, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from forecasting.plan import Plan
from forecasting.shapes import Steps
from forecasting.trialed import Continuation, TrialedForecaster
from series import FloatArray

Variant = Literal["classic", "sba", "tsb"]


@dataclass(kw_only=True, eq=False)
class Croston(TrialedForecaster):
    r"""Mean rate of a series that is mostly zero: smoothed size over smoothed interval.

    .. math:: \hat x = z / p, \quad \text{times } 1 - \alpha / 2 \text{ for ``sba``};
        \quad \hat x = z d \text{ for ``tsb``}

    with the size :math:`z`, the interval :math:`p` and the probability :math:`d` of a demand. ``tsb`` lets the rate
    fall while nothing comes; the others wait for the next demand. The forecast is a mean, made for sums over many
    steps: of a single step the median is mostly 0.

    Parameters
    ----------
    variant : {"classic", "sba", "tsb"}, default "tsb"
    alpha : float, default 0.1
        Smoothing, above 0 and up to 1.

    References
    ----------
    Croston (1972), Forecasting and stock control for intermittent demands; Syntetos and Boylan (2005), The accuracy of
    intermittent demand estimates; Teunter, Syntetos and Babai (2011), Intermittent demand: linking forecasting to
    inventory obsolescence.
    """

    variant: Variant = "tsb"
    alpha: float = 0.1

    centered: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.variant not in get_args(Variant):
            raise ValueError(f"Croston.variant must be one of {', '.join(get_args(Variant))}. Got {self.variant!r}.")
        if not 0 < self.alpha <= 1:
            raise ValueError(f"Croston.alpha must be above 0 and up to 1. Got {self.alpha!r}.")

    def _continue(self, values: FloatArray, plan: Plan, first: int) -> Continuation:
        return _Rates(_rates(values, self.alpha, self.variant))


@dataclass(frozen=True, eq=False)
class _Rates(Continuation):
    """Rate of each series after each step, (n_series, n_steps)."""

    rates: FloatArray

    def ahead(self, origin: int, leads: Steps) -> FloatArray:
        return np.repeat(self.rates[:, origin - 1 : origin], len(leads), axis=1)


def _rates(values: FloatArray, alpha: float, variant: Variant) -> FloatArray:
    """(n_series, n_steps): one pass along all series; the first demand sets size and interval."""
    rates = np.zeros_like(values)
    size, interval, chance = np.zeros(len(values)), np.ones(len(values)), np.zeros(len(values))
    waited, seen = np.ones(len(values)), np.zeros(len(values), dtype=bool)
    for step, value in enumerate(values.T):
        demand = value != 0
        first = demand & ~seen
        size = np.where(first, value, np.where(demand, size + alpha * (value - size), size))
        interval = np.where(first, waited, np.where(demand, interval + alpha * (waited - interval), interval))
        chance = np.where(first, 1 / waited, np.where(seen, chance + alpha * (demand - chance), 0.0))
        waited, seen = np.where(demand, 1.0, waited + 1), seen | demand
        rates[:, step] = size * chance if variant == "tsb" else size / interval
    return rates * (1 - alpha / 2) if variant == "sba" else rates
