"""The parts of the configuration that say when, and what operators said: calendars, maintenance, silences, verdicts."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from exporter.config_server import Age, Endpoint, PositiveDuration, Section, Wait, at_most
from exporter.duration import Duration
from exporter.mistakes import MistakeAt
from series import Calendar
from series.event import Event
from series.holidays import PublicHolidays
from series.matcher import parse_matchers
from series.occasions import Occasions


def _word(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", value):
        raise ValueError(f"must be lower-case letters, digits and underscores, a letter first. Got {value!r}.")
    return value


def _timezone(value: str) -> str:
    Calendar(value)
    return value


def _matchers(value: str) -> str:
    parse_matchers(value)
    return value


Word = Annotated[str, Field(max_length=100), AfterValidator(_word)]
Timezone = Annotated[str, AfterValidator(_timezone)]
Matchers = Annotated[str, AfterValidator(_matchers)]


class PlannedEvent(Section):
    """Something that is planned, once or again and again."""

    name: Word
    """Lower-case letters, digits and underscores."""
    start: str
    """When it begins for the first time, by the wall clock: 2026-01-03 02:00."""
    lasts: Annotated[PositiveDuration, at_most(Duration(366 * 86_400))]
    """How long it takes each time; less than from one time to the next."""
    rule: str = ""
    """How it recurs, as an RRULE of iCalendar: FREQ=WEEKLY;BYDAY=SA. Default: once."""
    timezone: Timezone = "UTC"
    """IANA name of the zone of that wall clock. 02:00 stays 02:00 when the clocks change."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.event().never_ends:
            problem = (
                f"must be less than the time from one to the next by {self.rule}, or it never ends. Got {self.lasts}."
            )
            raise MistakeAt(("lasts",), problem)
        return self

    def event(self) -> Event:
        """The event that is meant. Raises ValueError where there is none."""
        try:
            start = dt.datetime.fromisoformat(self.start)
        except ValueError as error:
            raise ValueError(f"start must be a date and time such as 2026-01-03 02:00. Got {self.start!r}.") from error
        return Event(name=self.name, start=start, lasts=float(self.lasts), rule=self.rule, timezone=self.timezone)


class CalendarSection(Section):
    """Which days are unlike others."""

    name: Word
    """By which queries refer to it."""
    timezone: Timezone = "UTC"
    """IANA name of the zone in which days begin and end."""
    holidays: tuple[str, ...] = Field(default=(), strict=False)
    """Countries whose public holidays count, by ISO code: DE, or DE-BY for a part of one."""
    events: tuple[PlannedEvent, ...] = Field(default=(), strict=False)
    """Own events: sales, releases, closing of the books."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        self.occasions()
        return self

    def occasions(self) -> Occasions:
        """What it says of any time. Raises ValueError for a country that is not known."""
        countries = [code.partition("-") for code in self.holidays]
        return Occasions(
            Calendar(self.timezone),
            tuple(PublicHolidays(country, part) for country, _, part in countries),
            tuple(event.event() for event in self.events),
        )


class MaintenanceSection(PlannedEvent):
    """A time in which alarms are held back, as somebody works on the system."""

    queries: tuple[str, ...] = Field(default=(), strict=False)
    """Names of the queries it is for. Default: all."""
    matchers: Matchers = ""
    """Labels of the series it is for, as they are published: {env="prod", host=~"db.*"}. Default: all series."""


class AlertmanagerSection(Endpoint):
    """An Alertmanager whose silences are read."""

    url: str = "http://127.0.0.1:9093"
    """Its address, without /api/v2."""
    interval: Wait = Duration(30)
    """How often silences are read."""
    keep: Age = Duration(600)
    """For how long the last answer holds while it does not answer. After that nothing counts as silenced."""
    timeout: Wait = Duration(5)
    """How long a request may take."""
    severities: tuple[str, ...] = Field(default=("warning", "critical"), min_length=1, strict=False)
    """Severities of the alerts about a series. It counts as silenced where all of them are."""
    added_labels: dict[str, str] = Field(default_factory=lambda: {"job": "forethought"})
    """Labels that the scrape gives alerts about series that have none of the name."""


class VerdictsSection(Section):
    """What operators say of alerts."""

    lasts: Annotated[PositiveDuration, at_most(Duration(400 * 86_400))] = Duration(30 * 86_400)
    """How long a verdict has an effect where it does not say so itself. It fades out over the second half."""
