"""Parts of the configuration about what is forecast."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from exporter.config_server import PositiveDuration, Section
from exporter.duration import Duration

Forecaster = Literal[
    "harmonic",
    "seasonal_naive",
    "seasonal_median",
    "drift",
    "holt_winters",
    "theta",
    "croston",
    "arima",
    "unobserved_components",
    "boosting",
    "auto_ets",
    "auto_theta",
    "auto_arima",
    "mstl",
    "prophet",
    "chronos",
]
# These need a library that may not be installed.
_ON_DEMAND = ("auto_ets", "auto_theta", "auto_arima", "mstl", "prophet", "chronos")


class Forecast(Section):
    """What is forecast."""

    forecaster: Forecaster = "harmonic"
    """How: harmonic blends many simple ones by their past errors; docs/forecasters.md tells of the others."""
    weights: Path | None = Field(default=None, strict=False)
    """Folder of the pretrained model, for the forecaster chronos alone. Nothing is ever downloaded."""
    horizons: tuple[PositiveDuration, ...] = Field(default=(Duration(3_600), Duration(86_400)), strict=False)
    """How far ahead. Each is rounded up to whole steps. An empty list turns forecasting off."""
    coverage: float = Field(default=0.95, gt=0, lt=1)
    """Share of actual values that shall fall into the interval, as a ratio."""

    @field_validator("horizons")
    @classmethod
    def _ascending(cls, value: tuple[Duration, ...]) -> tuple[Duration, ...]:
        if len(set(value)) != len(value):
            raise ValueError("must not name a horizon twice.")
        return tuple(sorted(value))

    @model_validator(mode="after")
    def _can_be_made(self) -> Self:
        if self.forecaster == "chronos" and self.weights is None:
            raise ValueError("chronos needs weights, the folder of a pretrained model. Got none.")
        if self.forecaster != "chronos" and self.weights is not None:
            raise ValueError(f"weights goes with the forecaster chronos alone. Got {self.forecaster}.")
        if self.forecaster in _ON_DEMAND:
            from forecasting.external import EXTRA_FORECASTERS

            chosen: type[Any] = EXTRA_FORECASTERS[self.forecaster]
            chosen(**({"weights": self.weights} if self.weights else {}))
        return self
