"""Earlier alarms: each counted once, the like ones found, bounded, kept over a restart."""

import numpy as np
import pytest

from detectors.verdict import JudgedAlarm
from exporter.alarm_history import LONGEST, MOST, STEPS, AlarmHistory
from series import SeriesKey
from series.matcher import parse_matchers

KEYS = [SeriesKey({"job": name}) for name in "abc"]


def note(history, time, *firing, course=None, keys=KEYS):
    deviation = np.tile(np.zeros(STEPS) if course is None else course, (len(keys), 1))
    history.note(keys, time, np.array([key["job"] in firing for key in keys]), deviation)


def test_an_alarm_counts_when_it_begins():
    history = AlarmHistory()
    for time, firing in enumerate(["", "a", "ab", "b", "", "a", ""]):
        note(history, float(time), *firing)
    assert [history.earlier(key) for key in KEYS] == [(1.0, 5.0), (2.0,), ()]


def test_rows_may_move():
    history = AlarmHistory()
    note(history, 1.0, "a")
    note(history, 2.0, "a", "c", keys=KEYS[::-1])
    note(history, 3.0)
    assert history.earlier(KEYS[0]) == (1.0,)
    assert history.earlier(KEYS[2]) == (2.0,)


def test_an_alarm_that_goes_on_is_no_earlier_one():
    history = AlarmHistory()
    rise = np.linspace(0, 4, STEPS)
    for time in (1.0, 2.0):
        note(history, time, "a", course=rise)
        assert history.earlier(KEYS[0]) == ()
        assert history.examples(KEYS[0], 9.0, rise) == ()
    note(history, 3.0)
    note(history, 4.0, "a", course=rise)
    assert history.earlier(KEYS[0]) == (1.0,)
    assert [example.time for example in history.examples(KEYS[0], 9.0, rise)] == [1.0]


def test_the_alarm_that_looked_alike_is_found_and_not_the_present_one():
    history = AlarmHistory()
    rise, dip = np.linspace(0, 4, STEPS), -np.linspace(0, 4, STEPS)
    for time, course in ((1.0, rise), (3.0, dip), (5.0, rise * 0.9)):
        note(history, time, "a", course=course)
        note(history, time + 1)
    found = history.examples(KEYS[0], 5.0, rise * 0.9)
    assert [example.time for example in found] == [1.0, 3.0]
    assert found[0].distance == pytest.approx(0.2, abs=0.01)
    assert history.examples(KEYS[1], 9.0, rise) == ()
    assert history.examples(KEYS[0], 1.0, rise) == ()
    assert [example.time for example in history.examples(KEYS[0], 9.0, rise[-20:], most=1)] == [1.0]


def test_many_and_old_ones_go():
    history = AlarmHistory()
    for time in range(0, 200, 2):
        note(history, float(time), "a")
        note(history, time + 1.0)
    assert len(history.earlier(KEYS[0])) == MOST
    note(history, 199.0 + LONGEST, "a")
    note(history, 200.0 + LONGEST)
    assert history.earlier(KEYS[0]) == (199.0 + LONGEST,)


def test_it_outlives_a_restart():
    before, after = AlarmHistory(), AlarmHistory()
    note(before, 1.0, "a", course=np.linspace(0, 4, STEPS))
    note(before, 2.0, "b", course=np.full(STEPS, np.nan))
    after.load(before.dump(KEYS.index), KEYS)
    note(after, 3.0)
    assert [after.earlier(key) for key in KEYS] == [(1.0,), (2.0,), ()]
    assert after.examples(KEYS[0], 3.0, np.linspace(0, 4, STEPS))[0].distance < 1e-6
    empty = AlarmHistory()
    empty.load(AlarmHistory().dump(KEYS.index), KEYS)
    assert empty.earlier(KEYS[0]) == ()


def test_a_verdict_on_one_series_is_about_its_own_alarm_although_another_has_more_labels():
    keys = (SeriesKey({"disk": "a"}), SeriesKey({"disk": "a", "part": "1"}))
    history = AlarmHistory()
    for time, firing in ((1.0, [True, False]), (2.0, [True, True])):
        votes = np.array([[time, 10 * time]])
        history.note(keys, time, np.array(firing), np.zeros((2, STEPS)), ("rank",), votes)
    assert history.last(parse_matchers('{disk="a"}'), 0.0, 9.0) == JudgedAlarm(1.0, (("rank", 1.0),))
    assert history.last(parse_matchers('{disk=~"a"}'), 0.0, 9.0) == JudgedAlarm(2.0, (("rank", 20.0),))
