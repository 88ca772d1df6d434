"""Parts of the configuration about limits: quotas, disks, service levels."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from exporter.config_calendars import Word
from exporter.config_server import PositiveDuration, Section, at_most
from exporter.duration import Duration

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# Two years of hours. A forecast of more would only look like one.
_FARTHEST = 730 * 86_400
# Keys of a query that say nothing of how its series are judged and forecast.
LIMIT_KEYS = {"limits", "capacity"}


class Scaling(Section):
    """What counts as enough capacity, for advice on how much to add or give back."""

    utilisation: float = Field(default=0.8, gt=0, le=1, strict=False)
    """Highest share of the limit that may be used, as a ratio."""
    unit: float = Field(default=1.0, gt=0, strict=False, allow_inf_nan=False)
    """Capacity comes in multiples of this, in the unit of the query's values: of a disk, a machine, a quota."""
    sure: float = Field(default=0.95, gt=0.5, lt=1, strict=False)
    """Probability with which the capacity shall suffice, as a ratio."""
    headroom: float = Field(default=1.2, ge=1, strict=False, allow_inf_nan=False)
    """Capacity is given back only where what is left would do for this many times the need."""
    lead_time: Annotated[Duration, at_most(Duration(_FARTHEST))] = Duration(0)
    """How long adding takes. Advice names a time that is this much earlier."""
    cost_per_hour: float | None = Field(default=None, ge=0, strict=False, allow_inf_nan=False)
    """Of one unit, in your currency. Default: advice names no cost."""
    cost_per_month: float | None = Field(default=None, ge=0, strict=False, allow_inf_nan=False)
    """The same for a month of 30.4375 days, in place of `cost_per_hour`."""
    currency: str = Field(default="", max_length=20)
    """What costs are told in, such as USD."""

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        if self.cost_per_hour is not None and self.cost_per_month is not None:
            raise ValueError("cost_per_hour and cost_per_month must not be given together.")
        return self

    @property
    def cost_per_second(self) -> float | None:
        """Of one unit; None where no price is given."""
        if self.cost_per_month is not None:
            return self.cost_per_month / (730.5 * 3_600)
        return None if self.cost_per_hour is None else self.cost_per_hour / 3_600


class Limit(Section):
    """A value that must not be reached."""

    name: Word
    """Label `limit` of what is published about it. Lower-case letters, digits and underscores."""
    value: float | None = Field(default=None, strict=False, allow_inf_nan=False)
    """The limit as a number, the same for all series of the query."""
    query: str | None = Field(default=None, min_length=1)
    """PromQL that gives the limit, asked hourly: one series, or one for each value of the labels in `on`."""
    on: tuple[str, ...] = Field(default=(), strict=False)
    """Labels that say which limit belongs to which series. Default: the one limit holds for all."""
    direction: Literal["rising", "falling"] = "rising"
    """Whether values reach it from below, as used space does, or from above, as free space does."""
    scaling: Scaling | None = None
    """Advice on how much to add or give back, where the limit is a capacity. Default: none is given."""

    @field_validator("on")
    @classmethod
    def _labels(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _LABEL.fullmatch(name):
                raise ValueError(f"must be names of labels. Got {name!r}.")
        return value

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.value is None) == (self.query is None):
            raise ValueError("either value or query must be given, and not both.")
        if self.on and self.query is None:
            raise ValueError("on needs a query: a value is the same for all series.")
        if self.scaling and self.direction == "falling":
            raise ValueError("scaling needs direction rising: advice compares what is used with what there is.")
        return self


class Capacity(Section):
    """How far ahead limits are looked for. It costs only where a query has limits."""

    horizons: tuple[PositiveDuration, ...] = Field(
        default=(Duration(86_400), Duration(7 * 86_400), Duration(30 * 86_400)), strict=False
    )
    """Times within which the probability of reaching a limit is told. A date is looked for up to the last one."""

    @field_validator("horizons")
    @classmethod
    def _ascending(cls, value: tuple[Duration, ...]) -> tuple[Duration, ...]:
        if not value or len(set(value)) != len(value):
            raise ValueError("must name at least one horizon, and none twice.")
        if max(value) > _FARTHEST:
            raise ValueError(f"must be at most {Duration(_FARTHEST)}. Got {max(value)}.")
        if min(value) < 3_600:
            raise ValueError(f"must be at least 1h: limits are looked for hour by hour. Got {min(value)}.")
        return tuple(sorted(value))
