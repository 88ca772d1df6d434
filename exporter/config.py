"""The configuration: every key with its default, unit and reason. Unknown keys are refused."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from exporter.config_calendars import (
    AlertmanagerSection,
    CalendarSection,
    MaintenanceSection,
    Timezone,
    VerdictsSection,
    Word,
)
from exporter.config_detectors import ConfiguredDetector
from exporter.config_forecast import Forecast
from exporter.config_limits import Capacity, Limit
from exporter.config_output import Output
from exporter.config_server import Age, PositiveDuration, at_most
from exporter.config_server import Section as _Section
from exporter.config_source import Source
from exporter.duration import Duration
from exporter.mistakes import MistakeAt
from series.occasions import Occasions
from sources.split import PLACEHOLDER

Direction = Literal["above", "below", "both"]


class MinimumDeviation(_Section):
    """Deviations smaller than this are never an anomaly, however rare they are: nobody gets up for less."""

    absolute: float = Field(default=0.0, ge=0, strict=False, allow_inf_nan=False)
    """In the unit of the query's values."""
    relative: float = Field(default=0.0, ge=0, strict=False, allow_inf_nan=False)
    """As a ratio of the expected value: 0.1 means ten per cent."""


class Alarm(_Section):
    """When scores are worth an alarm (forethought_anomaly_alarm), and when it is over."""

    hold: int = Field(default=2, ge=1)
    """An alarm starts when this many of the last `within` steps score above 1 ..."""
    within: int = Field(default=3, ge=1)
    """... so that one odd step wakes nobody."""
    at_once: float = Field(default=1.5, ge=1, strict=False)
    """A single score above this starts an alarm all the same."""
    quiet: Annotated[Duration, at_most(Duration(30 * 86_400))] = Duration(600)
    """How long scores must stay ordinary to end an alarm. An incident that comes and goes calls once."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.hold > self.within:
            raise ValueError(f"hold must be at most within ({self.within}). Got {self.hold}.")
        return self


# Years of minutes. More is a slip of the pen, and would not fit into memory for a single series.
MOST_STEPS = 2_000_000
MOST_STEPS_AHEAD = 100_000
LONGEST_STEP, LONGEST_HISTORY = Duration(30 * 86_400), Duration(20 * 365 * 86_400)


class QueryDefaults(_Section):
    """What a query may set for itself; under `defaults`, for all queries."""

    step: Annotated[PositiveDuration, at_most(LONGEST_STEP)] = Duration(60)
    """Time between two samples of the window. Patterns shorter than this are not seen."""
    interval: PositiveDuration | None = None
    """Time between two cycles. Default: the step, for no new sample comes sooner."""
    history: Annotated[PositiveDuration, at_most(LONGEST_HISTORY)] = Duration(14 * 86_400)
    """How much is kept in memory and learned from; a multiple of the step. Two weeks show a weekly pattern twice."""
    latency: Duration = Duration(30)
    """How late a sample may come. A step younger than this is incomplete and not judged."""
    late_samples: Duration = Duration(300)
    """A step of this age is asked for once more, as samples may have been written to it late."""
    series_limit: int = Field(default=1_000, ge=1)
    """Most series the query may return. A query that returns more is refused whole, not cut at random."""
    precision: Literal["float64", "float32"] = "float64"
    """Of the samples kept in memory. float32 halves it and keeps seven digits; values beyond 3.4e38 become infinite."""
    timezone: Timezone = "UTC"
    """IANA name of the zone whose days and weeks the workload follows, such as Europe/Berlin."""
    calendar: Word | None = None
    """Name of a calendar: baselines and forecasts heed holidays, days of the month and events; alerts name them."""
    direction: Direction = "both"
    """Which side of the band is an anomaly: above, below or both."""
    minimum_deviation: MinimumDeviation = MinimumDeviation()
    """Deviations smaller than this are never an anomaly."""
    detector: ConfiguredDetector = "ensemble"
    """What judges, a name of docs/detectors.md. The ensemble weighs a baseline and the shapes of two hours; any
    other judges alone."""
    agree: Literal[1, 2] = 1
    """How many kinds of detectors of the ensemble, level and shape, must call a sample strange."""
    detector_scores: bool = False
    """Whether the score of each detector is published too: several more results a series."""
    group_by: tuple[str, ...] = Field(default=(), strict=False)
    """Labels by whose values series belong together, as those of one service: such a group gets a joint score."""
    peers_by: tuple[str, ...] | None = Field(default=None, strict=False)
    """Labels by whose values series are like each other, as the instances of one job: one that differs from the others
    calls. An empty list: all series of the query. Default: nothing is compared."""
    importance: Literal["low", "normal", "high"] = "normal"
    """What the workload is worth: one point of severity less or more."""
    shadow: bool = False
    """Whether scores are published and alarms are not: to watch a new query before it may wake anybody."""
    alarm: Alarm = Alarm()
    """When scores are worth an alarm."""
    forecast: Forecast = Forecast()
    """What is forecast."""
    capacity: Capacity = Capacity()
    """How far ahead limits are looked for."""
    refit: Annotated[PositiveDuration, at_most(LONGEST_HISTORY)] = Duration(21_600)
    """How often the models learn anew from the history. New samples are judged every cycle all the same."""

    @model_validator(mode="after")
    def _whole_steps(self) -> Self:
        if self.history % self.step:
            raise MistakeAt(("history",), f"must be a multiple of the step {self.step}. Got {self.history}.")
        if not 2 <= self.history // self.step <= MOST_STEPS:
            problem = f"must be at least 2 and at most {MOST_STEPS} steps of {self.step}. Got {self.history}."
            raise MistakeAt(("history",), problem)
        for name in sorted({"interval", "latency", "late_samples"} & self.model_fields_set):
            if (span := getattr(self, name)) is not None and span > self.history:
                of = f" of {self.name}" if isinstance(self, Query) else ""  # of which only, where it is inherited
                raise MistakeAt((name,), f"must be at most the history{of}, {self.history}. Got {span}.")
        if (longest := max(self.forecast.horizons, default=0)) > MOST_STEPS_AHEAD * self.step:
            problem = f"must be at most {MOST_STEPS_AHEAD} steps of {self.step}. Got {longest}."
            raise MistakeAt(("forecast", "horizons"), problem)
        return self

    @model_validator(mode="after")
    def _groups(self) -> Self:
        for key, labels in (("group_by", self.group_by), ("peers_by", self.peers_by or ())):
            for label in labels:
                if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", label):
                    raise ValueError(f"{key} must be names of labels. Got {label!r}.")
            if len(set(labels)) != len(labels):
                raise ValueError(f"{key} must not name a label twice.")
        if self.group_by and self.detector != "ensemble":
            raise ValueError(f"group_by needs the detector ensemble. Got {self.detector}.")
        return self

    @property
    def cycle_interval(self) -> Duration:
        """Seconds between two cycles."""
        return self.interval or self.step


class Query(QueryDefaults):
    """One PromQL expression whose series are judged."""

    name: Word
    """Label `query` of everything published about it. Lower-case letters, digits and underscores."""
    query: str = Field(min_length=1)
    """PromQL that returns numbers: rate() for counters, histogram_quantile() or sum/count for histograms."""
    split_by: str | None = None
    """Label by whose values the query is asked in parts. Write $split into its selectors, as in rate(x{$split}[5m])."""
    split_match: str | None = None
    """Series selector that shows the values of that label. Default: all series of the server do."""
    split_limit: int = Field(default=100, ge=1, le=10_000)
    """Most values; each costs a request a cycle."""
    limits: tuple[Limit, ...] = Field(default=(), strict=False)
    """Values that must not be reached: quotas, sizes of disks, service levels. Their dates are forecast."""

    @field_validator("limits")
    @classmethod
    def _one_of_each_name(cls, value: tuple[Limit, ...]) -> tuple[Limit, ...]:
        names = [limit.name for limit in value]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"each limit needs a name of its own. Given twice: {', '.join(doubled)}.")
        return value

    @field_validator("query")
    @classmethod
    def _not_blank(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must be a PromQL expression. Got only white space.")
        return value

    @field_validator("split_by")
    @classmethod
    def _label(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", value):
            raise ValueError(f"must be the name of a label. Got {value!r}.")
        return value

    @model_validator(mode="after")
    def _split_where(self) -> Self:
        if self.split_by is not None and PLACEHOLDER not in self.query:
            raise ValueError(f"query must hold {PLACEHOLDER} where split_by puts its matcher. Got {self.query!r}.")
        if self.split_by is None and (self.split_match is not None or PLACEHOLDER in self.query):
            raise ValueError(f"split_match and {PLACEHOLDER} need split_by, the name of a label.")
        return self


class Configuration(_Section):
    """The whole file."""

    source: Source = Source()
    """Where samples come from."""
    defaults: QueryDefaults = QueryDefaults()
    """What holds for every query that does not say otherwise."""
    queries: tuple[Query, ...] = Field(strict=False)
    """What is judged."""
    calendars: tuple[CalendarSection, ...] = Field(default=(), strict=False)
    """Which days are unlike others; queries refer to them by name."""
    maintenance: tuple[MaintenanceSection, ...] = Field(default=(), strict=False)
    """Times in which alarms are held back."""
    alertmanager: AlertmanagerSection | None = None
    """Whose silences are heeded: a silenced series is judged and does not call. Default: nobody is asked."""
    verdicts: VerdictsSection = VerdictsSection()
    """What operators say of alerts."""
    memory_limit_bytes: int = Field(default=4_000_000_000, ge=1_000_000)
    """Most memory for the samples of all queries. A query that would pass it fails, with the reason memory_limit."""
    parallel_queries: int = Field(default=2, ge=1, le=64)
    """How many queries may be asked and judged at the same time. Those that took over 10 s share one more thread."""
    output: Output = Output()
    """Where results go beside /metrics, and in which portions."""
    stale_after: Age = Duration(300)
    """Results older than this disappear from /metrics and are stale on the pages, as the input has stopped. Prometheus'
    own look-back is 5m. A query with long intervals keeps its results for one and a half of them, and a minute."""

    @model_validator(mode="before")
    @classmethod
    def _inherit(cls, data: Any) -> Any:
        """Give each query the defaults it does not set itself."""
        if not isinstance(data, dict) or not isinstance(data.get("queries"), list | tuple):
            return data
        defaults = data.get("defaults")
        if not isinstance(defaults, dict):
            return data
        known = {key: value for key, value in defaults.items() if key in QueryDefaults.model_fields}
        return data | {"queries": [_merged(known, query) for query in data["queries"]]}

    @field_validator("queries")
    @classmethod
    def _distinct(cls, value: tuple[Query, ...]) -> tuple[Query, ...]:
        if not value:
            raise ValueError("at least one query is needed. Got an empty list.")
        names = [query.name for query in value]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"each query needs a name of its own. Given twice: {', '.join(doubled)}.")
        return value

    @field_validator("maintenance")
    @classmethod
    def _distinct_and_of_queries(
        cls, value: tuple[MaintenanceSection, ...], info: ValidationInfo
    ) -> tuple[MaintenanceSection, ...]:
        names = [window.name for window in value]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"each window needs a name of its own. Given twice: {', '.join(doubled)}.")
        known = {query.name for query in info.data["queries"]} if "queries" in info.data else None
        for place, window in enumerate(value):
            if known is not None and (unknown := sorted(set(window.queries) - known)):
                raise MistakeAt((place, "queries"), f"must be names under queries. Got {', '.join(unknown)}.")
        return value

    @model_validator(mode="after")
    def _calendars_are_there(self) -> Self:
        known = [calendar.name for calendar in self.calendars]
        if doubled := sorted({name for name in known if known.count(name) > 1}):
            raise ValueError(f"each calendar needs a name of its own. Given twice: {', '.join(doubled)}.")
        for place, query in enumerate(self.queries):
            if query.calendar is not None and query.calendar not in known:
                problem = f"must be the name of one under calendars. Got {query.calendar!r}."
                raise MistakeAt(("queries", place, "calendar"), problem)
        return self

    def occasions(self, query: QueryDefaults) -> Occasions | None:
        """The calendar a query refers to."""
        named = [calendar for calendar in self.calendars if calendar.name == query.calendar]
        return named[0].occasions() if named else None


def _merged(defaults: Any, own: Any) -> Any:
    if not isinstance(defaults, dict) or not isinstance(own, dict):
        return own
    inherited = {key: _merged(value, own[key]) if key in own else value for key, value in defaults.items()}
    return own | inherited
