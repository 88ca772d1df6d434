"""Why: the line, the whole, and the examples."""

import numpy as np
import pytest

from detectors.explain import Judged, explain, nearest, why

TUESDAY = 1_782_788_400.0  # 2026-06-30 03:00 UTC


def judged(**change):
    known = {"time": TUESDAY, "value": 412.0, "expected": 150.0, "lower": 120.0, "upper": 180.0, "score": 8.7}
    return Judged(**(known | change))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({}, "412 where 120..180 was expected (Tue 03:00)"),
        (
            {"timezone": "Europe/Berlin", "level": 1_234_567.0},
            "412 where 120..180 was expected (Tue 05:00, level 1,234,567)",
        ),
        ({"occasions": ["holiday"]}, "412 where 120..180 was expected (Tue 03:00, holiday)"),
        ({"votes": {"only": 2.0}}, "412 where 120..180 was expected (Tue 03:00)"),
        (
            {"votes": {"a": 2.0, "b": float("nan")}},
            "412 where 120..180 was expected (Tue 03:00)",
        ),
        (
            {"earlier": [TUESDAY - 86_400, TUESDAY - 15 * 86_400, TUESDAY]},
            "412 where 120..180 was expected (Tue 03:00); 2nd time in 14 days",
        ),
        (
            {"suppressed": "maintenance window patching"},
            "412 where 120..180 was expected (Tue 03:00); held back: maintenance window patching",
        ),
        (
            {"value": 160.0, "votes": {"knn": 2.0}},
            "160 where 120..180 was expected (Tue 03:00); within that, but strange to knn",
        ),
        (
            {"value": 160.0, "votes": {"seasonal": 0.4, "window_pca_6": 1.8, "window_pca_12": 2.5}},
            "160 where 120..180 was expected (Tue 03:00); within that, but strange to window_pca_12; "
            "2 of 3 detectors agree",
        ),
        ({"value": 160.0, "score": 0.4, "votes": {"knn": 0.4}}, "160 where 120..180 was expected (Tue 03:00)"),
        ({"value": float("nan")}, "no sample where 120..180 was expected (Tue 03:00)"),
        ({"lower": float("nan")}, "412 where nothing is expected yet"),
        (
            {"value": 1.23456e-7, "lower": -0.5, "upper": float("inf")},
            "1.235e-07 where -0.5..infinite was expected (Tue 03:00)",
        ),
    ],
)
def test_the_line(change, line):
    assert why(judged(**change)) == line


def test_ordinals():
    ends = {
        count: why(judged(earlier=[TUESDAY - 60.0 * n for n in range(1, count)])) for count in (2, 3, 4, 11, 12, 21, 23)
    }
    assert {count: line.split("; ")[1].split(" ")[0] for count, line in ends.items()} == {
        2: "2nd",
        3: "3rd",
        4: "4th",
        11: "11th",
        12: "12th",
        21: "21st",
        23: "23rd",
    }


def test_the_whole():
    told = explain(judged(votes={"a": 0.5, "b": 3.0, "c": 1.5}, earlier=[TUESDAY - 60.0], suppressed="verdict 7"))
    assert told.votes == (("b", 3.0, True), ("c", 1.5, True), ("a", 0.5, False))
    assert (told.times_before, told.days, told.suppressed) == (1, 14, "verdict 7")
    assert told.line.startswith(told.expected)


def test_the_nearest_examples_come_first_and_unknown_ones_not_at_all():
    rng = np.random.default_rng(1)
    now = rng.normal(size=20)
    past = np.stack([now + 0.1, -now * 9, now + 1.0, np.full(20, np.nan), now])
    past[4, :12] = np.nan
    found = nearest(now, past, np.arange(5.0))
    assert [example.time for example in found] == [0.0, 2.0, 1.0]
    assert found[0].distance == pytest.approx(0.1, abs=0.01)
    assert nearest(now, np.empty((0, 20)), np.empty(0)) == ()
