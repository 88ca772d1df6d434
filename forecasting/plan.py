"""What is tried, and from where, for histories of one length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from forecasting.new_level import check_steps
from forecasting.origins import backtest_origins, sampled_leads
from forecasting.seasons import Seasons
from forecasting.shapes import Basis, Steps


@dataclass(frozen=True, eq=False)
class Plan:
    """What all series of a length and step share.

    Attributes
    ----------
    n_steps : int
    seasons : Seasons
    origins : list of int
        Ascending; forecasts are tried from these columns.
    leads : (n_leads,) int
        Ascending; for these distances.
    check : int
        Steps before the end of the history that the last forecast is checked from; 0 for not at all.
    basis : Basis
        Waves of the regression.
    """

    n_steps: int
    seasons: Seasons
    origins: list[int]
    leads: Steps
    check: int
    basis: Basis

    @classmethod
    def of(cls, step: float, n_steps: int) -> Self:
        """Plan for a history of `n_steps` columns, `step` seconds apart."""
        seasons = Seasons.of(step, n_steps)
        leads = sampled_leads(max(n_steps // 3, 1))
        check, basis = check_steps(seasons.unit, n_steps), Basis.of(seasons.waves, n_steps)
        return cls(n_steps, seasons, backtest_origins(seasons, n_steps), leads, check, basis)
