"""A query in parts by a label: every series once, none left out, none joined wrongly."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from series import Grid, SeriesKey
from sources.connection import Connection
from sources.errors import AnswerIncomplete, QueryRefused, SourceError
from sources.prometheus import PrometheusSource
from sources.split import SplitSource
from tests.fakes.http_server import Answer, FakeServer, Handler, Request, always

GRID = Grid(1_700_000_040, 60, 3)
ODD = 'a "b"\\'
QUERY = 'rate(runs{env="prod",$split}[5m])'
LABELS = [{"team": "a", "n": "1"}, {"team": "a", "n": "2"}, {"team": ODD, "n": "3"}, {"n": "4"}]


def evaluate(handler: Handler, request: Request) -> None:
    """Answer for the series of one team, as the query names it."""
    if request.path.endswith("/values"):
        handler.send(200, json.dumps({"status": "success", "data": [ODD, "a", "gone"]}).encode())
        return
    found = re.fullmatch(r'rate\(runs\{env="prod",team=("(?:[^"\\]|\\.)*")\}\[5m\]\)', request.params["query"])
    assert found, request.params["query"]
    team = json.loads(found[1])
    start, end, step = (int(request.params[name]) for name in ("start", "end", "step"))
    rows = [
        {"metric": labels, "values": [[time, labels["n"]] for time in range(start, end + 1, step)]}
        for labels in LABELS
        if labels.get("team", "") == team
    ]
    handler.send(200, json.dumps({"status": "success", "data": {"resultType": "matrix", "result": rows}}).encode())


@contextmanager
def split(answer: Answer = evaluate, **settings: object) -> Iterator[tuple[SplitSource, FakeServer]]:
    with FakeServer(answer) as server:
        whole = PrometheusSource(Connection(url=server.url, retries=0))
        try:
            yield SplitSource(whole, "team", **settings), server  # type: ignore[arg-type]
        finally:
            whole.close()


def test_parts_are_joined_to_the_whole() -> None:
    with split() as (one, _):
        answer = one.read_range(QUERY, GRID, series_limit=4)
    values = {key["n"]: row.tolist() for key, row in zip(answer.window.keys, answer.window.values, strict=True)}
    assert values == {n: [float(n)] * 3 for n in "1234"}
    assert set(answer.window.keys) == {SeriesKey(labels) for labels in LABELS}
    assert (answer.requests, answer.samples) == (4, 12)
    np.testing.assert_array_equal(answer.window.times, GRID.times)


def test_values_are_asked_for_with_time_to_look_back_and_by_the_selector() -> None:
    with split(match='runs{env="prod"}') as (one, server):
        one.read_range(QUERY, GRID, series_limit=4)
    first = server.requests[0]
    assert (first.method, first.path) == ("GET", "/api/v1/label/team/values")
    assert first.params == {"start": str(GRID.start - 86_400), "end": str(GRID.end), "match[]": 'runs{env="prod"}'}


def test_the_limit_of_series_holds_for_all_parts_together() -> None:
    with split() as (one, _), pytest.raises(QueryRefused, match=r"at most 3 series\. Got 4 or more"):
        one.read_range(QUERY, GRID, series_limit=3)


def test_too_many_values_are_refused_before_any_is_asked_for() -> None:
    with split(most=2) as (one, server), pytest.raises(QueryRefused, match=r"at most 2 values of 'team'\. Got 3"):
        one.read_range(QUERY, GRID, series_limit=4)
    assert len(server.requests) == 1


def test_an_aggregate_over_the_label_is_refused() -> None:
    def sums(handler: Handler, request: Request) -> None:
        if request.path.endswith("/values"):
            handler.send(200, b'{"status":"success","data":["a"]}')
            return
        row = {"metric": {}, "values": [[int(request.params["start"]), "1"]]}
        whole = {"status": "success", "data": {"resultType": "matrix", "result": [row]}}
        handler.send(200, json.dumps(whole).encode())

    with split(sums) as (one, _), pytest.raises(QueryRefused, match=r"must keep this label, as in sum by \(team\)"):
        one.read_range("sum(rate(runs{$split}[5m]))", Grid(GRID.start, 60, 1), series_limit=4)


@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        (b"<html>", AnswerIncomplete, "web page"),
        (b'{"status":"success","data":"a"}', AnswerIncomplete, "JSON"),
        (b'{"status":"success","isPartial":true,"data":[]}', AnswerIncomplete, "must be told whole"),
    ],
)
def test_values_that_cannot_be_read_are_an_error(body: bytes, error: type[SourceError], says: str) -> None:
    with split(always(200, body)) as (one, _), pytest.raises(error, match=says):
        one.read_range(QUERY, GRID, series_limit=4)
