"""One step of known series, read the quick way: the same as the plain way, whatever comes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from series import Grid, Reason, SeriesKey
from sources.backend import PROMETHEUS, Backend
from sources.base import Answer
from sources.connection import Connection
from sources.errors import AnswerIncomplete, QueryRefused, SourceError
from sources.newest import NewestStep
from sources.prometheus import PrometheusSource
from sources.thanos import thanos
from tests.fakes.http_server import FakeServer, Handler, Request

STEP = Grid(1_700_000_040, 60, 1)


def body(rows: list[tuple[dict[str, str], str]], time: int = STEP.start, kind: str = "matrix", **more: Any) -> bytes:
    result = [{"metric": labels, "values": [[time, value]]} for labels, value in rows]
    whole = {"status": "success", "data": {"resultType": kind, "result": result}, **more}
    return json.dumps(whole, separators=(",", ":")).encode()


class Script:
    """Gives one answer after the other."""

    def __init__(self, *bodies: bytes) -> None:
        self._bodies = iter(bodies)

    def __call__(self, handler: Handler, _: Request) -> None:
        handler.send(200, next(self._bodies))


def reads(*bodies: bytes, limit: int = 100, backend: Backend = PROMETHEUS) -> list[Answer | SourceError]:
    """What a source makes of some answers, one after the other, each for the one step."""
    found: list[Answer | SourceError] = []
    with FakeServer(Script(*bodies)) as server:
        source = PrometheusSource(Connection(url=server.url, retries=0), backend=backend)
        for _ in bodies:
            try:
                found.append(source.read_range("q", STEP, series_limit=limit))
            except SourceError as error:
                found.append(error)
        source.close()
    return found


def values(answer: Answer | SourceError) -> dict[SeriesKey, float]:
    assert isinstance(answer, Answer), answer
    assert answer.window.values.shape == (len(answer.window.keys), 1)
    return dict(zip(answer.window.keys, answer.window.values[:, 0].tolist(), strict=True))


A, B, C = {"job": "a"}, {"job": "b"}, {"job": 'c "d"\\ },"values":[['}


def test_the_same_series_again_have_the_same_keys() -> None:
    first, second = reads(body([(A, "1"), (B, "2")]), body([(A, "3"), (B, "4.5")]))
    assert values(second) == {SeriesKey(A): 3, SeriesKey(B): 4.5}
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert second.window.keys is first.window.keys
    assert (second.requests, second.samples) == (1, 2)
    assert second.received_bytes > 0


SERIES = st.lists(
    st.tuples(st.sampled_from([A, B, C, {}, {"x": "é"}]), st.sampled_from(["0", "1", "-0", "1e300", "+Inf"]))
)


@given(st.lists(SERIES.map(lambda rows: list({json.dumps(a): (a, v) for a, v in rows}.values())), max_size=6))
def test_series_that_come_and_go_and_change_places_are_read_right(
    pulls: list[list[tuple[dict[str, str], str]]],
) -> None:
    reader, known = NewestStep(), dict[bytes, SeriesKey]()
    for rows in pulls:
        found = reader.read("q", body(rows), STEP, series_limit=10, known=known)
        assert (found is None) == (not rows)  # the plain way reads an answer without series
        if found:
            assert found.window.keys == tuple(SeriesKey(labels) for labels, _ in rows)
            np.testing.assert_array_equal(found.window.values, [[float(value)] for _, value in rows])


def test_gone_series_are_let_go_of() -> None:
    reader, known = NewestStep(), dict[bytes, SeriesKey]()
    for pull in range(20):
        rows = [({"pod": f"{pull}-{n}"}, str(n)) for n in range(300)]
        found = reader.read("q", body(rows), STEP, series_limit=300, known=known)
        assert found
        assert found.window.values[:, 0].tolist() == list(range(300))
        assert len(reader._series.keys) <= 2 * 300 + 1000 + 300


def test_two_series_with_the_same_labels_are_counted() -> None:
    first, second = reads(body([(A, "1")]), body([(A, "2"), (A, "3"), (B, "4")]))
    assert values(first) == {SeriesKey(A): 1}
    assert values(second) == {SeriesKey(A): 2, SeriesKey(B): 4}
    assert isinstance(second, Answer)
    assert second.skipped == {Reason.DUPLICATE: 1}


def test_labels_in_another_order_are_the_same_series() -> None:
    one = {"a": "1", "b": "2"}
    first, second = reads(body([(one, "1")]), body([(dict(reversed(one.items())), "2")]))
    assert values(first).keys() == values(second).keys()


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (body([(A, "1")], kind="vector"), QueryRefused, "must give a matrix. Got a vector"),
        (body([(A, "1")], isPartial=True), AnswerIncomplete, "partial"),
        (body([(A, "1")], time=STEP.start + 1), AnswerIncomplete, "must lie at"),
        (body([(A, "1"), (B, "2"), (C, "3")]), QueryRefused, "at most 2 series. Got 3"),
        (body([(A, "1"), (B, "2")])[:-1], AnswerIncomplete, "end early"),
        (body([(A, "x")]), AnswerIncomplete, "JSON"),
        (body([(A, "1")], warnings=["receive series from Addr"]), AnswerIncomplete, "all stores"),
    ],
)
def test_what_is_no_such_step_is_refused_and_the_next_answer_is_read(
    answer: bytes, error: type[SourceError], says: str
) -> None:
    before, refused, after = reads(body([(A, "1")]), answer, body([(A, "2")]), limit=2, backend=thanos())
    assert isinstance(refused, error)
    assert says in str(refused)
    assert (values(before), values(after)) == ({SeriesKey(A): 1}, {SeriesKey(A): 2})
