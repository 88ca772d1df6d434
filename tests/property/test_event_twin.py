"""Recurring events against a search through every day, one instant at a time."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from series.event import Event

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
FIRST = dt.datetime.fromisoformat("2025-01-01")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1_735_000_000, 1_830_000_000), min_size=1, max_size=10),
    st.integers(0, 23),
    st.sampled_from([600, 7_200, 3 * 86_400]),
    st.sets(st.integers(0, 6), min_size=1),
    st.sampled_from(ZONES),
)
def test_weekly_events_are_what_a_search_finds(times, hour, lasts, weekdays, zone):
    days = ",".join(("MO", "TU", "WE", "TH", "FR", "SA", "SU")[day] for day in sorted(weekdays))
    event = Event(
        name="x", start=FIRST.replace(hour=hour), lasts=lasts, rule=f"FREQ=WEEKLY;BYDAY={days}", timezone=zone
    )
    expected = [is_on(time, hour, lasts, weekdays, ZoneInfo(zone)) for time in times]
    assert event.during(np.array(times, dtype=float)).tolist() == expected


def is_on(time, hour, lasts, weekdays, zone):
    local = dt.datetime.fromtimestamp(time, zone).replace(tzinfo=None)
    for back in range(-1, 6):
        day = (local - dt.timedelta(days=back)).replace(hour=hour, minute=0, second=0, microsecond=0)
        start = day.replace(tzinfo=zone).timestamp()
        if day.weekday() in weekdays and day >= FIRST and start <= time < start + lasts:
            return True
    return False
