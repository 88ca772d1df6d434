"""Results that are kept: by all they depend on, computed once, and no more of them than may be."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from exporter.remembered import Remembered, Same, fingerprint
from series import SeriesKey, Window


def test_a_result_is_computed_once_for_all_who_ask_at_the_same_time():
    known, begun, go, calls = Remembered[int](4), threading.Event(), threading.Event(), []

    def slow() -> int:
        calls.append(1)
        begun.set()
        assert go.wait(10)
        return 7

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(known.get, "a", slow)
        assert begun.wait(10)
        others = [threads.submit(known.get, "a", slow) for _ in range(2)]
        go.set()
        assert [each.result(10) for each in (first, *others)] == [7, 7, 7]
    assert len(calls) == 1


def test_what_was_not_asked_for_longest_is_forgotten_first():
    known = Remembered[str](2)
    for name in ("a", "b", "a", "c"):
        known.get(name, lambda name=name: name)
    assert len(known) == 2
    assert known.get("a", lambda: "anew") == "a"
    assert known.get("b", lambda: "anew") == "anew"


def test_a_failure_is_told_and_not_kept():
    known = Remembered[int](2)
    with pytest.raises(ValueError, match="not now"):
        known.get("a", lambda: (_ for _ in ()).throw(ValueError("not now")))
    assert len(known) == 0
    assert known.get("a", lambda: 1) == 1


def test_an_object_is_the_same_as_itself_only():
    one, like = [1], [1]
    assert Same(one) == Same(one)
    assert hash(Same(one)) == hash(Same(one))
    assert Same(one) != Same(like)


def test_a_fingerprint_tells_of_every_part_of_a_window():
    times, values = 60.0 * np.arange(4), np.array([[1.0, 2.0, np.nan, 4.0]])
    window = Window((SeriesKey({"job": "a"}),), times, values)
    assert fingerprint(window) == fingerprint(Window(window.keys, times.copy(), values.copy()))
    other = values.copy()
    other[0, 1] = 2.5
    for changed in (
        Window((SeriesKey({"job": "b"}),), times, values),
        Window(window.keys, times + 60, values),
        Window(window.keys, times, other),
        Window(window.keys, times, values.astype(np.float32)),
        window.until(3),
        window.since(1),
    ):
        assert fingerprint(changed) != fingerprint(window)
