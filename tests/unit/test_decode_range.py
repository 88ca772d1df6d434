"""Range answers: what is decoded, what is left out, what is refused."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from series import Grid, Reason, SeriesKey
from sources.decode import RangeDecoder
from sources.errors import AnswerIncomplete, QueryRefused, QueryTooLarge, SourceError, SourceUnavailable

GRID = Grid(1_700_000_040, 60, 4)
TIMES = [int(time) for time in GRID.times]


def series(labels: dict[str, str], *values: str | None) -> dict[str, Any]:
    return {
        "metric": labels,
        "values": [[time, value] for time, value in zip(TIMES, values, strict=False) if value is not None],
    }


def answer(*result: dict[str, Any], compact: bool = True, **envelope: Any) -> bytes:
    whole = {"status": "success", "data": {"resultType": "matrix", "result": list(result)}, **envelope}
    return json.dumps(whole, separators=(",", ":") if compact else None, indent=None if compact else 2).encode()


def decoder(**changes: Any) -> RangeDecoder:
    return RangeDecoder("up", GRID, **{"series_limit": 10, **changes})


def values_of(body: bytes) -> list[list[float]]:
    collected = decoder()
    collected.add(body, GRID)
    rows: list[list[float]] = collected.window().values.tolist()
    return rows


@pytest.mark.parametrize("compact", [True, False])
def test_gaps_are_nan_and_everything_stands_at_its_time(compact: bool) -> None:
    collected = decoder()
    body = answer(
        series({"__name__": "up", "job": "a"}, "1", None, "2.5", None),
        series({"job": "b"}, None, "-3e-07", None, "1e+21"),
        compact=compact,
    )
    assert collected.add(body, GRID) == 4
    window = collected.window()
    assert window.keys == (SeriesKey({"__name__": "up", "job": "a"}), SeriesKey({"job": "b"}))
    np.testing.assert_array_equal(window.values, [[1, np.nan, 2.5, np.nan], [np.nan, -3e-07, np.nan, 1e21]])


def test_nan_and_infinities_are_read() -> None:
    (row,) = values_of(answer(series({}, "NaN", "+Inf", "-Inf", "-0")))
    assert math.isnan(row[0])
    assert row[1:3] == [math.inf, -math.inf]
    assert math.copysign(1, row[3]) == -1


def test_parts_that_hold_different_series_are_joined() -> None:
    older, newer = GRID.split(2)
    collected = decoder()
    collected.add(answer({"metric": {"job": "new"}, "values": [[newer.start, "3"]]}), newer)
    collected.add(
        answer(
            {"metric": {"job": "old"}, "values": [[older.start, "1"]]},
            {"metric": {"job": "new"}, "values": [[older.end, "2"]]},
        ),
        older,
    )
    window = collected.window()
    assert [key["job"] for key in window.keys] == ["new", "old"]
    np.testing.assert_array_equal(window.values, [[np.nan, 2, 3, np.nan], [1, np.nan, np.nan, np.nan]])
    assert collected.samples == 3


def test_a_known_series_keeps_its_key_object() -> None:
    known: dict[bytes, SeriesKey] = {}
    body = answer(series({"job": "a"}, "1", "2"))
    for _ in range(2):
        collected = decoder(known=known)
        collected.add(body, GRID)
    assert collected.window().keys[0] is known[b'{"job":"a"}']


@pytest.mark.parametrize("inside", [[], [[0, "1", "2", "2"]]])
def test_native_histograms_are_left_out_unless_there_are_floats_too(inside: list[list[Any]]) -> None:
    buckets = [[TIMES[0], {"count": "2", "sum": "3", "buckets": inside}]]
    collected = decoder()
    collected.add(
        answer(
            {"metric": {"job": "both"}, **series({"job": "both"}, "1", "2"), "histograms": buckets},
            {"metric": {"job": "histogram"}, "histograms": buckets},
        ),
        GRID,
    )
    assert [key["job"] for key in collected.window().keys] == ["both"]
    assert collected.skipped == {Reason.HISTOGRAM: 1}


def test_a_series_without_samples_does_not_swallow_the_next() -> None:
    empty = {"metric": {"job": "empty"}, "values": []}
    first, second = values_of(answer(empty, series({"job": "a"}, "1", "2", "3", "4")))
    assert all(math.isnan(value) for value in first)
    assert second == [1, 2, 3, 4]


def test_the_second_of_two_equal_label_sets_is_left_out() -> None:
    collected = decoder()
    collected.add(answer(series({"a": "1", "b": "2"}, "1"), series({"b": "2", "a": "1"}, "9")), GRID)
    assert collected.skipped == {Reason.DUPLICATE: 1}
    assert collected.window().values[0, 0] == 1


def test_an_answer_without_series_is_an_empty_window() -> None:
    collected = decoder()
    assert collected.add(answer(), GRID) == 0
    assert collected.window().values.shape == (0, 4)


@pytest.mark.parametrize("compact", [True, False])
def test_warnings_are_handed_on_once_and_other_keys_do_not_matter(compact: bool) -> None:
    collected = decoder()
    body = answer(series({}, "1"), compact=compact, warnings=["beware"], infos=["a hint"], stats={"result": [1]})
    collected.add(body, GRID)
    collected.add(body, GRID)
    assert collected.warnings == ("beware",)


def test_another_order_of_keys_is_understood() -> None:
    body = (
        b'{"stats":{"result":[{"metric":{"x":"y"},"values":[[1,"2"]]}]},"data":{"result":[{"values":[[%d,"7"]],"metric":{}}],'
        b'"resultType":"matrix"},"status":"success"}' % TIMES[0]
    )
    assert values_of(body)[0][0] == 7


@pytest.mark.parametrize(
    ("envelope", "error", "says"),
    [
        ({"data": {"resultType": "scalar", "result": [1, "2"]}}, QueryRefused, "Got a scalar. Wrap it in vector(...)."),
        ({"data": {"resultType": "string", "result": [1, "x"]}}, QueryRefused, "must give a matrix. Got a string"),
        ({"data": {"resultType": "vector", "result": []}}, QueryRefused, "Got a vector"),
        ({"data": {"result": []}}, QueryRefused, "result without type"),
        ({"data": None}, AnswerIncomplete, "status must be success or error"),
        ({"status": "ok"}, AnswerIncomplete, "Got 'ok'"),
        ({"isPartial": True}, AnswerIncomplete, "partial answer"),
        ({"status": "error", "errorType": "bad_data", "error": "parse error"}, QueryRefused, "bad_data: parse error."),
        ({"status": "error", "errorType": "timeout", "error": "slow"}, SourceUnavailable, "timeout: slow"),
        (
            {"status": "error", "errorType": "execution", "error": "query processing would load too many samples"},
            QueryTooLarge,
            "too many samples",
        ),
    ],
)
def test_what_is_not_a_whole_matrix_is_refused(envelope: dict[str, Any], error: type[SourceError], says: str) -> None:
    with pytest.raises(error) as caught:
        decoder().add(answer(**envelope), GRID)
    assert type(caught.value) is error
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "Got nothing"),
        (b"  \n", "Got nothing"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "Got a web page"),
        (b'{"status":"success","data":{"resultType":"matr', "that end early"),
        (b"[]", "Expected `object`"),
        (b"upstream connect error", "'upstream connect error'"),
        (b"\xff\xfe", "must be answered by whole JSON"),
        (
            b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"\xff"},"values":[[1,"2"]]}]}}',
            "JSON",
        ),
        (
            b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":1},"values":[[1,"2"]]}]}}',
            "JSON",
        ),
        (
            b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"]]}]}} and more',
            "JSON",
        ),
        (b'{"status":"success","data":' + b"[" * 100_000, "JSON"),
    ],
)
def test_what_is_not_an_answer_is_incomplete(body: bytes, says: str) -> None:
    with pytest.raises(AnswerIncomplete) as caught:
        decoder().add(body, GRID)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        '[1,"2"]',
        '[[1700000040,"1"],[1700000100]]',
        '[[1700000040,"1","2"]]',
        '[[1700000040,"1,5"],[1700000100,"2"]]',
        '[[1700000040,"1"],[1700000100,"x"]]',
        '[[1700000040,"1"],[1700000100,""]]',
        '[[1700000040,"1"],[1700000100,null]]',
        "null",
    ],
)
def test_a_broken_sample_is_never_read_as_another(values: str) -> None:
    body = answer(series({}, "0")).replace(b'[[1700000040,"0"]]', values.encode())
    with pytest.raises(AnswerIncomplete):
        decoder().add(body, GRID)


@pytest.mark.parametrize("time", ["1700000041", "1700000040.5", "1699999980", "1700000280", "1e300"])
def test_a_sample_beside_the_grid_is_incomplete(time: str) -> None:
    body = answer(series({}, "0")).replace(b"1700000040", time.encode())
    with pytest.raises(AnswerIncomplete, match=r"samples must lie at 1700000040, 1700000100, \.\.\. 1700000220"):
        decoder().add(body, GRID)


def test_more_series_than_allowed_are_refused_with_their_number() -> None:
    body = answer(*(series({"n": str(n)}, "1") for n in range(11)))
    with pytest.raises(QueryRefused, match=r"at most 10 series\. Got 11\..*raise series_limit"):
        decoder().add(body, GRID)


def test_more_series_than_allowed_in_all_parts_together_are_refused() -> None:
    older, newer = GRID.split(2)
    collected = decoder(series_limit=1)
    collected.add(answer({"metric": {"n": "1"}, "values": [[newer.start, "3"]]}), newer)
    with pytest.raises(QueryRefused, match="Got 2"):
        collected.add(answer({"metric": {"n": "2"}, "values": [[older.start, "3"]]}), older)
