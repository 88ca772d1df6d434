"""What a source does is seen in the metrics about ourselves."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporter.config_source import Budget, Source
from exporter.duration import Duration
from exporter.telemetry import Telemetry
from exporter.wiring import make_pull_budget, make_source
from series import Grid
from sources.errors import SourceUnavailable
from tests.fakes.http_server import FakeServer, always

GRID = Grid(1_700_000_040, 60, 1)


def shown(telemetry: Telemetry) -> dict[str, float]:
    families = text_string_to_metric_families(telemetry.render().decode())
    return {
        sample.name + "".join(sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("forethought_source_")
    }


def test_the_pace_of_a_busy_source_is_shown() -> None:
    telemetry = Telemetry()
    with FakeServer(always(503, b"", Retry_After="1")) as server:
        source = make_source(Source(url=server.url, retries=0, budget=Budget(parallel_requests=6)), telemetry)
        with pytest.raises(SourceUnavailable):
            source.read_range("q", GRID, series_limit=1)
        source.close()
    found = shown(telemetry)
    assert found["forethought_source_request_limit"] == 3
    assert found["forethought_source_requests_running"] == 0
    assert found["forethought_source_rest_seconds"] == 1
    assert found["forethought_source_overloads_totalbusy"] == 1
    assert found["forethought_source_requests_totalunavailable"] == 1


def test_the_budget_of_the_configuration_bounds_a_pull() -> None:
    budget = make_pull_budget(Source(budget=Budget(cycle_samples=5_000, cycle_time=Duration(7))))
    assert (budget.samples, budget.seconds) == (5_000, 7.0)
