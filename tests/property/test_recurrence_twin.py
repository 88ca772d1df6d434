"""Recurrences against python-dateutil's, which looks for one day after the other."""

import datetime as dt

import numpy as np
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from series.recurrence import Recurrence

WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
EPOCH, YEARS = dt.date(1970, 1, 1), range(2024, 2030)


@st.composite
def rules(draw):
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={frequency}"]
    if draw(st.booleans()):
        parts.append(f"INTERVAL={draw(st.integers(1, 5))}")
    if draw(st.booleans()):
        # Of counted days beside plain ones dateutil takes those that are both, where RFC 5545 says either.
        counted = frequency in ("MONTHLY", "YEARLY") and draw(st.booleans())
        which = st.sampled_from(["1", "2", "-1", "5"]) if counted else st.just("")
        days = draw(st.lists(st.tuples(which, st.sampled_from(WEEKDAYS)), min_size=1, max_size=3))
        parts.append("BYDAY=" + ",".join(map("".join, days)))
    if draw(st.integers(0, 2)) == 0:
        parts.append(
            "BYMONTHDAY=" + ",".join(map(str, draw(st.sets(st.sampled_from([1, 2, 15, 29, 31, -1, -31]), min_size=1))))
        )
    if draw(st.integers(0, 2)) == 0:
        parts.append("BYMONTH=" + ",".join(map(str, draw(st.sets(st.integers(1, 12), min_size=1, max_size=3)))))
    if draw(st.booleans()):
        parts.append("WKST=" + draw(st.sampled_from(WEEKDAYS)))
    if draw(st.booleans()):
        parts.append("UNTIL=20270615T120000")
    return ";".join(parts)


@settings(max_examples=300, deadline=None)
@given(rules(), st.datetimes(dt.datetime.fromisoformat("2024-01-01"), dt.datetime.fromisoformat("2026-12-31")))
def test_agrees_with_dateutil(rule, start):
    start = start.replace(microsecond=0)
    mine = Recurrence.parse(rule)
    days = [EPOCH + dt.timedelta(days=day) for year in YEARS for day in mine.days(start.date(), year).tolist()]
    moments = [dt.datetime.combine(day, start.time()) for day in days]
    found = [moment for moment in moments if mine.until is None or moment <= mine.until]
    assume(found)  # the other one would search to the end of time
    theirs = []
    for moment in rrulestr(rule, dtstart=start):
        if moment.year not in YEARS or len(theirs) > len(found):
            break
        theirs.append(moment)
        if moment == found[-1]:
            break
    assert found == theirs


def test_days_before_the_start_and_other_years_are_left_out():
    daily = Recurrence.parse("FREQ=DAILY")
    assert len(daily.days(dt.date(2026, 12, 30), 2026)) == 2
    assert len(daily.days(dt.date(2026, 12, 30), 2025)) == 0
    assert len(daily.days(dt.date(1, 1, 1), 2028)) == 366
    assert np.diff(daily.days(dt.date(2020, 1, 1), 2026)).max() == 1


def test_counted_and_plain_weekdays_are_either():
    either = Recurrence.parse("FREQ=MONTHLY;BYDAY=1MO,FR").days(dt.date(2026, 6, 1), 2026)
    assert [(EPOCH + dt.timedelta(days=day)).day for day in either[:5].tolist()] == [1, 5, 12, 19, 26]


def test_a_day_that_never_comes_is_found_never():
    assert len(Recurrence.parse("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30").days(dt.date(1, 1, 1), 2026)) == 0
