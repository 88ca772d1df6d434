"""Instant answers: known series, order, and what is refused."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from sources.errors import AnswerIncomplete, QueryRefused, SourceError
from sources.instant import InstantDecoder

TIME = 1_700_000_000.123


def point(labels: dict[str, str], value: str) -> dict[str, Any]:
    return {"metric": labels, "value": [TIME, value]}


def answer(*result: dict[str, Any], kind: str = "vector", **envelope: Any) -> bytes:
    whole = {"status": "success", "data": {"resultType": kind, "result": list(result)}, **envelope}
    return json.dumps(whole, separators=(",", ":")).encode()


def test_points_are_matched_to_rows_in_any_order() -> None:
    decoder = InstantDecoder({b'{"job":"a"}': 0, b'{"job":"b"}': 1, b'{"job":"gone"}': 2})
    a, b, new = point({"job": "a"}, "1.5"), point({"job": "b"}, "-2"), point({"job": "new"}, "3")
    for order, rows in (([a, b], [0, 1]), ([a, b], [0, 1]), ([b, new, a], [1, -1, 0]), ([a], [0]), ([b], [1])):
        newest = decoder.decode("q", answer(*order))
        assert newest.rows.tolist() == rows
        assert newest.values.tolist() == [float(one["value"][1]) for one in order]
        assert newest.time == TIME
        assert newest.unknown == ((b'{"job":"new"}',) if -1 in rows else ())


def test_labels_of_the_same_length_are_told_apart() -> None:
    decoder = InstantDecoder({b'{"job":"a"}': 0, b'{"job":"b"}': 1})
    assert decoder.decode("q", answer(point({"job": "a"}, "1"))).rows.tolist() == [0]
    assert decoder.decode("q", answer(point({"job": "b"}, "1"))).rows.tolist() == [1]


def test_more_points_than_one_block_are_read() -> None:
    values = np.random.default_rng(1).normal(size=5_000)
    body = answer(*(point({"n": str(n)}, repr(value)) for n, value in enumerate(values.tolist())))
    decoder = InstantDecoder({b'{"n":"%d"}' % n: n for n in range(5_000)})
    for _ in range(2):
        newest = decoder.decode("q", body)
        np.testing.assert_array_equal(newest.values, values)
        np.testing.assert_array_equal(newest.rows, np.arange(5_000))


def test_one_long_label_set_among_short_ones_is_read_again_and_again() -> None:
    names = [{"n": str(n)} for n in range(50)] + [{"n": "long " * 1_000}]
    body = answer(*(point(labels, "1") for labels in names))
    rows = {json.dumps(labels, separators=(",", ":")).encode(): row for row, labels in enumerate(names)}
    decoder = InstantDecoder(rows)
    for _ in range(3):
        assert decoder.decode("q", body).rows.tolist() == list(range(51))


def test_special_values_are_read() -> None:
    names = ("NaN", "+Inf", "-Inf", "-0", "123456789012345680000", "0")
    newest = InstantDecoder({}).decode("q", answer(*(point({"n": name}, name) for name in names)))
    assert math.isnan(newest.values[0])
    assert newest.values[1:].tolist() == [math.inf, -math.inf, 0, 123456789012345680000.0, 0]
    assert math.copysign(1, newest.values[3]) == -1


def test_native_histograms_are_left_out() -> None:
    histogram = {"metric": {"n": "h"}, "histogram": [TIME, {"count": "1", "sum": "2"}]}
    for order in ([point({"n": "1"}, "1"), histogram, point({"n": "2"}, "2")], [histogram, point({"n": "1"}, "1")]):
        newest = InstantDecoder({}).decode("q", answer(*order))
        assert newest.values.tolist() == [float(one["value"][1]) for one in order if "value" in one]
        assert all(json.loads(label)["n"] in "12" for label in newest.unknown)


def test_an_answer_without_points_is_empty() -> None:
    newest = InstantDecoder({}).decode("q", answer(warnings=["beware"]))
    assert (newest.rows.tolist(), newest.values.tolist(), newest.warnings) == ([], [], ("beware",))


@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        (answer(kind="matrix"), QueryRefused, "must give a vector. Got a matrix. Take the range selector"),
        (answer(kind="scalar"), QueryRefused, "Got a scalar. Wrap it in vector"),
        (answer(point({}, "1"), isPartial=True), AnswerIncomplete, "partial"),
        (answer(point({"a": "b"}, "x")), AnswerIncomplete, "JSON"),
        (answer(point({"a": "b"}, "1,2")), AnswerIncomplete, "JSON"),
        (answer(point({"a": "b"}, "1"))[:-1], AnswerIncomplete, "end early"),
        (answer(point({"a": "b"}, "1")).replace(b'"b"', b"5"), AnswerIncomplete, "JSON"),
        (b"<html>", AnswerIncomplete, "web page"),
    ],
)
def test_what_is_no_vector_is_refused(body: bytes, error: type[SourceError], says: str) -> None:
    with pytest.raises(error) as caught:
        InstantDecoder({}).decode("q", body)
    assert says in str(caught.value)
