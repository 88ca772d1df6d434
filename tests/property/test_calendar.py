"""The calendar against the standard library, one instant at a time."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from series import Calendar

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]


@given(st.lists(st.integers(0, 4_000_000_000), max_size=20), st.sampled_from(ZONES))
def test_agrees_with_datetime(times, zone):
    calendar = Calendar(zone)
    local = [dt.datetime.fromtimestamp(time, ZoneInfo(zone)) for time in times]
    seconds = [moment.hour * 3600 + moment.minute * 60 + moment.second for moment in local]
    array = np.array(times, dtype=float)
    assert calendar.second_of_day(array).tolist() == seconds
    assert calendar.weekday(array).tolist() == [moment.weekday() for moment in local]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "/etc/localtime"])
def test_an_unknown_zone_is_refused(zone):
    with pytest.raises(ValueError, match="timezone must be an IANA name"):
        Calendar(zone)
