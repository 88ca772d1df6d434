"""Severity: what the table of its formula says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.severity import IMPORTANCE, NAMES, SeverityRule


@pytest.mark.parametrize(
    ("score", "hours", "breadth", "importance", "severity"),
    [
        (0.9, 5.0, 0.5, "high", 0),
        (1.1, 0.0, 0.0, "normal", 1),
        (1.1, 0.0, 0.0, "low", 1),
        (1.1, 0.0, 0.0, "high", 2),
        (3.9, 0.0, 0.0, "normal", 1),
        (4.0, 0.0, 0.0, "normal", 2),
        (16.0, 0.0, 0.0, "normal", 3),
        (16.0, 0.0, 0.0, "low", 2),
        (64.0, 0.0, 0.0, "normal", 4),
        (1.1, 3.0, 0.0, "normal", 2),
        (4.0, 3.0, 0.0, "normal", 3),
        (4.0, 3.0, 0.5, "normal", 4),
        (1.1, 0.0, 1.0, "normal", 3),
        (100.0, 100.0, 1.0, "high", 4),
    ],
)
def test_the_table(score, hours, breadth, importance, severity):
    rule = SeverityRule()
    assert rule.of(np.array([score]), np.array([hours * 3_600]), breadth, IMPORTANCE[importance])[0] == severity
    assert NAMES[severity]


points = st.floats(0, 200)


@given(points, points, st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1), st.floats(0, 1))
def test_more_is_never_less_severe(score, more, length, longer, breadth, broader):
    rule = SeverityRule()
    less = rule.of(np.array([score]), np.array([length]), breadth)[0]
    worse = rule.of(np.array([score + more]), np.array([length + longer]), max(breadth, broader))[0]
    assert 0 <= less <= worse <= 4
    assert (less == 0) == (score <= 1)


def test_what_is_in_alarm_has_a_severity_although_its_score_is_quiet():
    score = np.array([0.3, np.nan, 5.0])
    assert SeverityRule().of(score, np.zeros(3), alarm=np.array([True, True, False])).tolist() == [1, 1, 0]


def test_breadth_needs_a_few_series():
    rule, judged = SeverityRule(), np.array([True] * 8 + [False] * 2)
    alarm = np.zeros(10, dtype=bool)
    alarm[:2] = True
    assert rule.breadth(alarm, judged) == 0
    alarm[:4] = alarm[9] = True
    assert rule.breadth(alarm, judged) == 0.5


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"SeverityRule.hour must be above 0. Got 0"):
        SeverityRule(hour=0)
