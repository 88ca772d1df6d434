"""Matchers as Prometheus and Alertmanager read them, and the rows they mean."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from series import SeriesKey
from series.label_index import LabelIndex
from series.matcher import OPERATORS, Matcher, parse_matchers, written

KEYS = [SeriesKey({"job": job, "zone": zone}) for job in ("api", "web", "") for zone in ("a", "b", "é\n")]


@pytest.mark.parametrize(
    ("matcher", "value", "holds"),
    [
        (Matcher("a", "=", "x"), "x", True),
        (Matcher("a", "=", ""), "", True),
        (Matcher("a", "!=", "x"), "", True),
        (Matcher("a", "=~", "x"), "xx", False),
        (Matcher("a", "=~", "x|y"), "y", True),
        (Matcher("a", "=~", ".*"), "two\nlines", True),
        (Matcher("a", "!~", "x.*"), "xy", False),
        (Matcher("a", "=~", "(?i)ABC"), "abc", True),
    ],
)
def test_a_matcher_holds(matcher, value, holds):
    assert matcher.matches(value) is holds


@pytest.mark.parametrize(
    "text", ["", "{}", '{a="x"}', 'a="x",b!="y",', "{ a =~ \"x|y\" , b!~'z' }", '{a="q\\"\\\\\\n"}']
)
def test_written_matchers_are_read_again(text):
    matchers = parse_matchers(text)
    assert parse_matchers(written(matchers)) == matchers


def test_names_of_prometheus_3_are_quoted():
    matcher = Matcher('my."label"', "=", "x")
    assert str(matcher) == '"my.\\"label\\""="x"'
    assert parse_matchers(written((matcher, Matcher("b", "!=", "y")))) == (matcher, Matcher("b", "!=", "y"))


@pytest.mark.parametrize(
    "text", ["up{a='x'}", "{a=x}", '{a="x" b="y"}', '{="x"}', '{a=="x"}', '{a="x}', 'a="x"}', "rate(x[5m])"]
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="matchers must look like"):
        parse_matchers(text)


@pytest.mark.parametrize("value", ["(", "a{1001}", "(?=x)", "\\1", "\ud800"])
def test_what_is_no_regular_expression_of_prometheus_is_refused(value, capfd):
    with pytest.raises(ValueError, match="must be a regular expression"):
        Matcher("a", "=~", value)
    assert capfd.readouterr().err == ""


def test_an_evil_pattern_stops_nothing():
    started = time.perf_counter()
    assert not Matcher("a", "=~", "(a+)+$").matches("a" * 5_000 + "b")
    assert time.perf_counter() - started < 1


matchers = st.builds(
    Matcher,
    st.sampled_from(["job", "zone", "none"]),
    st.sampled_from(OPERATORS),
    st.sampled_from(["api", "a|web", "", ".+"]),
)


@given(st.lists(matchers, max_size=3))
def test_the_index_finds_what_a_look_at_every_key_finds(wanted):
    twin = [all(matcher.matches(key.get(matcher.label)) for matcher in wanted) for key in KEYS]
    np.testing.assert_array_equal(LabelIndex(KEYS).where(wanted), twin)
