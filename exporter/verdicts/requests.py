"""What comes in over HTTP, checked."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from detectors.verdict import WEEKDAYS, About, KindOfTime, Opinion
from exporter.config_calendars import Matchers, Timezone
from exporter.config_file import dotted
from exporter.duration import Duration
from exporter.mistakes import in_words, path_of

_TIMES, _WORD = "times", "word"
# Parts of places that only the models here know of.
_TAGS = (_TIMES, _WORD, "function-after")
_SIDES = {"both": 0, "above": 1, "below": -1}
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _time_of_day(value: str) -> str:
    try:
        if value != "24:00":
            dt.time.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"must be a time of day such as 02:00. Got {value[:40]!r}.") from error
    return value


TimeOfDay = Annotated[str, Field(max_length=8), AfterValidator(_time_of_day)]


class When(BaseModel):
    """A part of the day on some days of the week."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    weekdays: tuple[Weekday, ...] = ()
    start: TimeOfDay = Field(default="00:00", alias="from")
    end: TimeOfDay = Field(default="24:00", alias="to")
    timezone: Timezone = "UTC"

    def kind_of_time(self) -> KindOfTime:
        """The kind of time that is meant."""
        return KindOfTime(
            weekdays=frozenset(map(WEEKDAYS.index, self.weekdays)),
            start=_seconds(self.start),
            end=_seconds(self.end),
            timezone=self.timezone,
        )


# Chosen by what was sent, so that a mistake is told of what was meant, and not of the other as well.
WhenOrWord = Annotated[
    Annotated[When, Tag(_TIMES)] | Annotated[Literal["weekday", "daily", "always"], Tag(_WORD)],
    Discriminator(lambda value: _WORD if isinstance(value, str) else _TIMES),
]


class NewVerdict(BaseModel):
    """A verdict as it is given: for an alert, or for a query and matchers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verdict: Opinion
    alert: str = Field(default="", max_length=64)
    query: str = Field(default="", max_length=100)
    matchers: Annotated[Matchers, Field(max_length=4_000)] = ""
    score: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    side: Literal["above", "below", "both"] | None = None
    when: WhenOrWord | None = None
    about: About = About.ANY
    lasts: Duration | None = None
    note: str = Field(default="", max_length=1_000)
    who: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if self.alert and (self.query or self.matchers):
            raise ValueError("alert must be left out, or query and matchers be.")
        if self.alert and self.about:
            raise ValueError("about must be left out with an alert, which says so itself.")
        if not (self.alert or self.query or self.matchers):
            raise ValueError("an alert, a query or matchers must be named. Got none.")
        if self.when and self.verdict is not Opinion.EXPECTED:
            raise ValueError(f"when must be left out, or the verdict be expected. Got {self.verdict}.")
        return self

    @property
    def side_number(self) -> int | None:
        """-1, 0 or 1; None where it was not said."""
        return None if self.side is None else _SIDES[self.side]


class WebhookAlert(BaseModel):
    """One alert of a notification."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel)

    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict)
    starts_at: dt.datetime
    ends_at: dt.datetime
    fingerprint: str = Field(min_length=1, max_length=64)


class Webhook(BaseModel):
    """A notification of Alertmanager (webhook, version 4)."""

    model_config = ConfigDict(extra="ignore")

    alerts: list[WebhookAlert] = Field(max_length=10_000)


def said(error: ValidationError, root: type[BaseModel]) -> str:
    """All mistakes in one line, each with its place in `root`."""
    mistakes = [(path_of(each, without=_TAGS), each) for each in error.errors(include_url=False)[:5]]
    return " ".join(f"{dotted(path) if path else 'body'}: {in_words(each, path, root)}" for path, each in mistakes)


def _seconds(time_of_day: str) -> float:
    if time_of_day == "24:00":
        return 86_400.0
    time = dt.time.fromisoformat(time_of_day)
    return time.hour * 3_600.0 + time.minute * 60 + time.second
