"""Days by the local clock: holidays, ends of months, weekends, own events."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from series import Calendar
from series.event import Event
from series.holidays import PublicHolidays
from series.occasions import KINDS, Occasions

BERLIN = ZoneInfo("Europe/Berlin")


def at(*moments, zone=BERLIN):
    return np.array([dt.datetime(*moment, tzinfo=zone).timestamp() for moment in moments])


def kinds(occasions, *moments):
    rows = occasions.at(at(*moments))
    return [{name for name in rows.names if rows[name][column]} for column in range(len(moments))]


def test_kinds_of_days_in_germany():
    occasions = Occasions(Calendar("Europe/Berlin"), [PublicHolidays("DE")])
    assert kinds(occasions, (2026, 5, 1, 12), (2026, 4, 30, 23), (2026, 5, 2, 0), (2026, 5, 31, 12), (2026, 5, 29)) == [
        {"holiday", "first_of_month"},
        {"day_before_holiday", "last_of_month", "last_working_day"},
        {"day_after_holiday", "weekend"},
        {"weekend", "last_of_month"},
        {"last_working_day"},
    ]


def test_days_begin_at_local_midnight():
    occasions = Occasions(Calendar("Asia/Tokyo"), [PublicHolidays("JP")])
    new_year = at((2025, 12, 31, 14, 59), (2025, 12, 31, 15, 0), zone=dt.UTC)
    assert occasions.at(new_year)["holiday"].tolist() == [False, True]


def test_the_last_working_day_is_before_a_holiday_at_the_end_of_the_month():
    occasions = Occasions(Calendar("Europe/Stockholm"), [PublicHolidays("SE")])  # New Year's Eve is none there ...
    austria = Occasions(Calendar("Europe/Vienna"), [PublicHolidays("AT")])
    assert "last_working_day" in kinds(occasions, (2027, 5, 31, 9))[0]
    assert "last_working_day" in kinds(austria, (2023, 4, 28, 9))[0]  # 30 April was a Sunday


def test_weekends_are_those_of_the_country():
    friday = (2026, 6, 5, 12)
    assert "weekend" in kinds(Occasions(Calendar("Asia/Riyadh"), [PublicHolidays("SA")]), friday)[0]
    assert "weekend" not in kinds(Occasions(Calendar("Europe/Berlin")), friday)[0]


def test_subdivisions_have_days_of_their_own():
    epiphany = (2026, 1, 6, 12)
    assert "holiday" in kinds(Occasions(Calendar(), [PublicHolidays("DE", "BY")]), epiphany)[0]
    assert "holiday" not in kinds(Occasions(Calendar(), [PublicHolidays("DE", "BE")]), epiphany)[0]


def test_features_are_the_rows_as_numbers():
    event = Event(name="sale", start=dt.datetime.fromisoformat("2026-11-27"), lasts=86_400)
    occasions = Occasions(Calendar(), events=[event])
    times = at((2026, 11, 27, 12), (2026, 11, 29, 12))
    assert occasions.names == (*KINDS, "sale")
    assert occasions.features(times)[-1].tolist() == [1.0, 0.0]
    assert occasions.features(np.empty(0)).shape == (len(KINDS) + 1, 0)


@pytest.mark.parametrize(
    ("country", "subdivision", "message"),
    [("XX", "", "country must be"), ("DE", "XX", "subdivision must be one of"), ("", "", "country must be")],
)
def test_unknown_countries_are_refused(country, subdivision, message):
    with pytest.raises(ValueError, match=message):
        PublicHolidays(country, subdivision)


def test_two_events_of_one_name_are_refused():
    event = Event(name="sale", start=dt.datetime.fromisoformat("2026-11-27"), lasts=60)
    with pytest.raises(ValueError, match=r"a name of its own.*'sale'"):
        Occasions(Calendar(), events=[event, event])
    with pytest.raises(ValueError, match="'weekend'"):
        Occasions(Calendar(), events=[Event(name="weekend", start=dt.datetime.fromisoformat("2026-11-27"), lasts=60)])


def test_an_event_keeps_to_the_wall_clock_when_clocks_change():
    nightly = Event(
        name="backup",
        start=dt.datetime.fromisoformat("2026-03-20 03:00"),
        lasts=3_600,
        rule="FREQ=DAILY",
        timezone="Europe/Berlin",
    )
    for day in (27, 28, 29, 30):  # summer time began on 2026-03-29
        times = at((2026, 3, day, 3, 30), (2026, 3, day, 4, 30))
        assert nightly.during(times).tolist() == [True, False], day


def test_an_event_goes_on_over_the_end_of_a_year():
    freeze = Event(name="freeze", start=dt.datetime.fromisoformat("2025-12-20"), lasts=20 * 86_400, rule="FREQ=YEARLY")
    times = at((2026, 1, 5), (2026, 1, 12), (2026, 12, 24), (2024, 12, 24), zone=dt.UTC)
    assert freeze.during(times).tolist() == [True, False, True, False]


def test_a_rule_ends_where_it_says():
    event = Event(
        name="x",
        start=dt.datetime.fromisoformat("2026-01-01"),
        lasts=3_600,
        rule="FREQ=DAILY;INTERVAL=2;UNTIL=20260105T000000Z",
    )
    starts = event.starts(0.0, dt.datetime(2027, 1, 1, tzinfo=dt.UTC).timestamp())
    assert [dt.datetime.fromtimestamp(start, dt.UTC).day for start in starts] == [1, 3, 5]


def test_a_day_that_never_comes_takes_no_time():
    never = Event(
        name="never",
        start=dt.datetime.fromisoformat("2016-01-01"),
        lasts=60,
        rule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    )
    assert not never.during(at((2026, 2, 28))).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rule": "FREQ=SECONDLY"}, "FREQ must be"),
        ({"rule": "FREQ=DAILY;COUNT=5"}, "Got COUNT"),
        ({"rule": "every Monday"}, "must be an RRULE"),
        ({"rule": "FREQ=WEEKLY;BYDAY=XX"}, "MO to SU"),
        ({"rule": "FREQ=WEEKLY;BYDAY=1MO"}, "MONTHLY and YEARLY only"),
        ({"rule": "FREQ=MONTHLY;BYMONTHDAY=32"}, "whole and possible"),
        ({"rule": "FREQ=MONTHLY;INTERVAL=0"}, "whole and possible"),
        ({"rule": "FREQ=MONTHLY;UNTIL=20261399"}, "UNTIL must be a date"),
        ({"rule": "FREQ=WEEKLY;BYDAY"}, "must be an RRULE"),
        ({"lasts": 0.0}, "lasts must be above 0"),
        ({"lasts": float("nan")}, "lasts must be above 0"),
        ({"timezone": "Mars/Olympus"}, "IANA"),
        ({"start": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, "without an offset"),
    ],
)
def test_bad_events_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Event(**({"name": "x", "start": dt.datetime.fromisoformat("2026-01-01"), "lasts": 60.0} | change))
