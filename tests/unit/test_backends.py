"""Kinds of servers: what each is told, and what its recorded answers mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from exporter.config_file import ConfigError
from exporter.config_source import Source
from exporter.telemetry import Telemetry
from exporter.wiring import make_source
from series import Grid
from sources.backend import PROMETHEUS, Backend
from sources.connection import Connection
from sources.errors import AnswerIncomplete, QueryRefused, QueryTooLarge, SourceUnavailable
from sources.mimir import mimir
from sources.prometheus import PrometheusSource
from sources.thanos import thanos
from sources.victoriametrics import victoriametrics
from tests.fakes.http_server import Answer, FakeServer, always, header

GRID = Grid(1_700_000_040, 60, 2)
SERIES = '{"metric":{"job":"api"},"values":[[1700000040,"1"],[1700000100,"2"]]}'
PLAIN = '{"status":"success","data":{"resultType":"matrix","result":[' + SERIES + "]}%s}"
# In the forms that a VictoriaMetrics cluster (isPartial) and a Thanos Querier (warnings) give where a part is down.
VM_PARTIAL = '{"status":"success","isPartial":true,"data":{"resultType":"matrix","result":[' + SERIES + "]}}"
STORE_DOWN = (
    'fetch series for {cluster=\\"a\\"} Addr: 10.0.0.7:10901 LabelSets: {cluster=\\"a\\"} Mint: 1699990000000: '
    "receive series from Addr: 10.0.0.7:10901: rpc error: code = Unavailable desc = error reading from server: EOF"
)
WARNED = PLAIN % ',"warnings":["%s"]'


@contextmanager
def source(answer: Answer, backend: Backend) -> Iterator[tuple[PrometheusSource, FakeServer]]:
    with FakeServer(answer) as server:
        one = PrometheusSource(Connection(url=server.url, retries=0), backend=backend)
        try:
            yield one, server
        finally:
            one.close()


def read(answer: str, backend: Backend, status: int = 200) -> Any:
    with source(always(status, answer.encode()), backend) as (one, _):
        return one.read_range("rate(x[5m])", GRID, series_limit=10)


def test_thanos_is_told_to_join_replicas_and_to_fail_rather_than_to_leave_out() -> None:
    with source(always(200, (PLAIN % "").encode()), thanos(tenant="team-a")) as (one, server):
        one.read_range("q", GRID, series_limit=10)
    (request,) = server.requests
    assert request.path == "/api/v1/query_range"
    sent = {name: request.params[name] for name in ("dedup", "partial_response", "max_source_resolution")}
    assert sent == {"dedup": "true", "partial_response": "false", "max_source_resolution": "0s"}
    assert "replicaLabels[]" not in request.params
    assert header(request, "THANOS-TENANT") == "team-a"


def test_thanos_takes_replica_labels_and_downsampled_blocks() -> None:
    backend = thanos(deduplicate=False, replica_labels=("replica", "pod"), max_source_resolution=300)
    assert backend.params["replicaLabels[]"] == ("replica", "pod")
    assert (backend.params["dedup"], backend.params["max_source_resolution"]) == ("false", "300s")


def test_a_warning_of_thanos_about_a_store_refuses_the_answer() -> None:
    with pytest.raises(AnswerIncomplete, match=r"must be answered by all stores\. Got a warning: fetch series for"):
        read(WARNED % STORE_DOWN, thanos())


def test_a_warning_of_thanos_about_a_store_can_be_taken() -> None:
    answer = read(WARNED % STORE_DOWN, thanos(partial_response=True))
    assert answer.window.values.tolist() == [[1.0, 2.0]]
    assert answer.warnings[0].startswith("fetch series for")


@pytest.mark.parametrize(
    "warning",
    ["No StoreAPIs matched for this query", "PromQL info: metric might not be a counter, name does not end in _total"],
)
def test_warnings_of_thanos_that_tell_of_no_store_are_only_told(warning: str) -> None:
    assert read(WARNED % warning, thanos()).warnings == (warning,)


def test_prometheus_may_warn_of_anything() -> None:
    assert read(WARNED % "results may be incomplete", PROMETHEUS).warnings == ("results may be incomplete",)


def test_a_store_that_fails_is_an_error_of_the_moment() -> None:
    body = '{"status":"error","errorType":"execution","error":"expanding series: proxy Series(): ' + STORE_DOWN + '"}'
    with pytest.raises(SourceUnavailable, match="expanding series"):
        read(body, thanos(), status=503)


def test_mimir_is_told_the_tenant_and_the_shards() -> None:
    with source(always(200, (PLAIN % "").encode()), mimir(tenant="a|b", shards=0)) as (one, server):
        one.read_range("q", GRID, series_limit=10)
    (request,) = server.requests
    assert (header(request, "X-Scope-OrgID"), header(request, "Sharding-Control")) == ("a|b", "0")


def test_mimir_is_told_nothing_that_is_not_configured() -> None:
    assert mimir() == PROMETHEUS


def test_mimir_without_its_path_is_hinted_at() -> None:
    with pytest.raises(QueryRefused, match=r"Mimir: /prometheus"):
        read("404 page not found", mimir(), status=404)


@pytest.mark.parametrize(
    "error",
    [
        "the query time range exceeds the limit (query length: 337h0m0s, limit: 24h0m0s) (err-mimir-max-query-length)",
        "the query exceeded the maximum number of chunks (limit: 2000000 chunks) (err-mimir-max-chunks-per-query)",
        "cannot select more than -search.maxSamplesPerQuery=1000 samples; possible solutions: reduce time range",
        "not enough memory for processing 31104000 data points across 10000 time series with 3110 points in each",
        "rpc error: code = ResourceExhausted desc = exceeded samples limit: limit 100 violated (got 121)",
    ],
)
def test_limits_that_a_shorter_range_may_pass(error: str) -> None:
    with pytest.raises(QueryTooLarge):
        read(json.dumps({"status": "error", "errorType": "execution", "error": error}), PROMETHEUS, status=422)


def test_victoriametrics_is_asked_exactly_and_whole() -> None:
    filters = ('{env="prod"}', '{team=~"a|b"}')
    with source(always(200, (PLAIN % "").encode()), victoriametrics(tenant="42:7", extra_filters=filters)) as (
        one,
        server,
    ):
        one.read_range("q", GRID, series_limit=10)
    (request,) = server.requests
    assert request.path == "/select/42:7/prometheus/api/v1/query_range"
    assert (request.params["nocache"], request.params["deny_partial_response"]) == ("1", "1")
    assert one.client.connection.params["extra_filters[]"] == filters
    assert request.params["extra_filters[]"] == filters[-1]  # the last of them: the fake server keeps one


@pytest.mark.parametrize(
    ("backend", "asked"), [(victoriametrics(), [10, 30_000]), (PROMETHEUS, [10, 11_000, 11_000, 8_000])]
)
def test_more_points_are_asked_of_victoriametrics_at_once(backend: Backend, asked: list[int]) -> None:
    empty = always(200, b'{"status":"success","data":{"resultType":"matrix","result":[]}}')
    with source(empty, backend) as (one, server):
        one.read_range("q", Grid(GRID.start, 60, 30_010), series_limit=1)
    spans = [(int(one.params["end"]) - int(one.params["start"])) // 60 + 1 for one in server.requests]
    assert spans == asked


def test_a_partial_answer_of_victoriametrics_is_refused_or_told() -> None:
    with pytest.raises(AnswerIncomplete, match="partial answer"):
        read(VM_PARTIAL, victoriametrics())
    answer = read(VM_PARTIAL, victoriametrics(partial_response=True))
    assert answer.window.values.tolist() == [[1.0, 2.0]]
    assert answer.warnings == ("a storage node did not answer: samples may be missing",)


@pytest.mark.parametrize("tenant", ["", "a", "1:", "1:2:3", "1/../2"])
def test_a_tenant_that_victoriametrics_cannot_have_is_refused(tenant: str) -> None:
    with pytest.raises(ValueError, match="tenant must be accountID"):
        victoriametrics(tenant=tenant)


def test_headers_of_the_configuration_win() -> None:
    connection = Connection(url="http://host/x/", headers={"X-Scope-OrgID": "mine"})
    reached = Backend(path="/y", headers={"X-Scope-OrgID": "theirs"}, params={"a": "1"}).reach(connection)
    assert (reached.url, reached.headers, reached.params) == ("http://host/x/y", {"X-Scope-OrgID": "mine"}, {"a": "1"})


@pytest.mark.parametrize(
    ("settings", "name", "sent"),
    [
        ({"kind": "thanos", "thanos": {"deduplicate": False}}, "dedup", "false"),
        ({"kind": "victoriametrics", "victoriametrics": {"extra_filters": ["{a='b'}"]}}, "extra_filters[]", "{a='b'}"),
        ({"kind": "victoriametrics", "partial_response": True}, "deny_partial_response", "0"),
    ],
)
def test_the_configuration_reaches_the_server(settings: dict[str, Any], name: str, sent: str) -> None:
    with FakeServer(always(200, (PLAIN % "").encode())) as server:
        one = make_source(Source(url=server.url, **settings), Telemetry())
        one.read_range("q", GRID, series_limit=10)
        one.close()
    assert server.requests[0].params[name] == sent


def test_a_tenant_that_cannot_be_is_a_mistake_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match=r"source: tenant must be accountID"):
        make_source(Source(kind="victoriametrics", tenant="x"), Telemetry())
