"""Maintenance windows and the sections of the configuration that describe them."""

import datetime as dt

import numpy as np
import pytest
from pydantic import ValidationError

from exporter.config_calendars import (
    AlertmanagerSection,
    CalendarSection,
    MaintenanceSection,
    PlannedEvent,
    VerdictsSection,
)
from exporter.maintenance import Maintenance, MaintenanceWindow
from exporter.published import PublishedIndex
from series import SeriesKey

KEYS = [SeriesKey({"__name__": "runs", "env": env}) for env in ("prod", "test")]
PATCHING = {
    "name": "patching",
    "start": "2026-01-03 02:00",
    "lasts": "2h",
    "rule": "FREQ=WEEKLY;BYDAY=SA",
    "timezone": "Europe/Berlin",
}


def hour(day, hour):
    return dt.datetime(2026, 6, day, hour, tzinfo=dt.UTC).timestamp()


def maintenance(*changes, query="rate"):
    windows = [MaintenanceWindow.of(MaintenanceSection(**(PATCHING | change))) for change in changes]
    return Maintenance(windows, query, PublishedIndex(KEYS))


def test_a_window_is_for_its_series_and_queries():
    times = np.array([hour(6, 0), hour(6, 2), hour(5, 0)])  # Saturday 02:00 and 04:00 in Berlin, and Friday
    assert maintenance({}).during(times).tolist() == [[True, False, False]] * 2
    assert maintenance({"matchers": '{env="prod"}'}).during(times).tolist() == [[True, False, False], [False] * 3]
    assert maintenance({"matchers": '{metric="runs"}'}).during(times).any()
    assert not maintenance({"queries": ["errors"]}).during(times).any()
    assert maintenance({"queries": ["errors", "rate"]}).during(times).any()
    assert not maintenance().during(times).any()


def test_the_first_window_is_named():
    named = maintenance({"name": "first", "matchers": '{env="prod"}'}, {"name": "second"})
    assert named.names(hour(6, 1)) == {0: "first", 1: "second"}
    assert named.names(hour(6, 3)) == {}


def test_a_calendar_says_what_day_it_is():
    calendar = CalendarSection(name="bavaria", timezone="Europe/Berlin", holidays=["DE-BY"], events=[PATCHING])
    rows = calendar.occasions().at(np.array([dt.datetime(2026, 1, 6, 12, tzinfo=dt.UTC).timestamp()]))
    assert rows["holiday"][0]
    assert not rows["patching"][0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": "tomorrow"}, "start must be a date and time such as"),
        ({"start": "2026-01-03 02:00+01:00"}, "without an offset"),
        ({"rule": "FREQ=HOURLY"}, "FREQ must be DAILY"),
        ({"lasts": "0s"}, "must be above 0s"),
        ({"lasts": "8d"}, "or it never ends. Got 8d"),
        ({"lasts": "1w"}, "or it never ends. Got 1w"),
        ({"lasts": "1d", "rule": "FREQ=DAILY"}, "by FREQ=DAILY, or it never ends. Got 1d"),
        ({"lasts": "4d", "rule": "FREQ=WEEKLY;BYDAY=MO,TH"}, "or it never ends. Got 4d"),
        ({"lasts": "500d"}, "must be at most 366d. Got 500d"),
        ({"timezone": "Mars"}, "IANA"),
        ({"name": "Patch Day"}, "lower-case letters"),
        ({"matchers": "{env=prod}"}, "matchers must look like"),
        ({"matchers": '{env=~"("}'}, "regular expression"),
        ({"colour": "red"}, "extra"),
    ],
)
def test_bad_windows_are_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        MaintenanceSection(**(PATCHING | change))


@pytest.mark.parametrize(
    ("section", "given", "message"),
    [
        (CalendarSection, {"name": "x", "holidays": ["XX"]}, "country must be"),
        (CalendarSection, {"name": "x", "holidays": ["DE-XX"]}, "subdivision must be"),
        (CalendarSection, {"name": "x", "events": [PATCHING, PATCHING]}, "name of its own"),
        (AlertmanagerSection, {"url": "http://me:secret@host"}, "must not hold a user name"),
        (AlertmanagerSection, {"severities": []}, "at least 1 item"),
        (VerdictsSection, {"lasts": "401d"}, "at most 400d"),
    ],
)
def test_bad_sections_are_refused(section, given, message):
    with pytest.raises(ValidationError, match=message):
        section(**given)


@pytest.mark.parametrize(
    "change",
    [
        {"lasts": "167h"},
        {"lasts": "8d", "rule": "FREQ=WEEKLY;UNTIL=20261231"},
        {"lasts": "3d", "rule": "FREQ=WEEKLY;BYDAY=MO,TH"},  # one runs into the next, and then it ends
        {"lasts": "30h", "rule": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"},
        {"lasts": "365d", "rule": "FREQ=YEARLY"},
    ],
)
def test_a_window_that_ends_now_and_then_is_accepted(change):
    assert not MaintenanceSection(**(PATCHING | change)).event().never_ends


def test_an_event_may_happen_once():
    once = PlannedEvent(name="migration", start="2026-06-06", lasts="1d").event()
    assert once.during(np.array([hour(6, 12), hour(13, 12)])).tolist() == [True, False]
