"""The demo's metrics pages and the samples it writes are the same series."""

import socket

import numpy as np
import requests
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from demo.exposition import JOBS, PLATFORM, families, matrix, rows
from demo.history import platform_until
from demo.incidents import GATEWAY
from demo.live import Gateway, Live, LiveCollector
from demo.workloads import read_workloads

END = 1_795_219_200.0
WORKLOADS = read_workloads()
FAMILIES = families(WORKLOADS)


def live() -> Live:
    platform, start = platform_until(WORKLOADS, END, days=1, seed=7)
    platform.advance(start, 60, 1_440)
    return Live(platform, END)


def scraped(registry: CollectorRegistry, job: str) -> dict[frozenset[tuple[str, str]], float]:
    """Samples as Prometheus would store them."""
    text = generate_latest(registry).decode()
    return {
        frozenset({"__name__": sample.name, "job": job, "instance": job, **sample.labels}.items()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_series_has_its_own_labels() -> None:
    labels = [frozenset(row.items()) for row in rows(FAMILIES)]
    assert len(set(labels)) == len(labels)
    assert 1_000 <= len(labels) <= 1_500


def test_the_pages_show_exactly_what_the_history_was_written_from() -> None:
    now = live()
    pages: dict[frozenset[tuple[str, str]], float] = {}
    for job in JOBS:
        pages |= scraped(LiveCollector.registry(now, FAMILIES, job), job)
    values = matrix(FAMILIES, now.state)[:, -1]
    written = {frozenset(row.items()): value for row, value in zip(rows(FAMILIES), values, strict=True)}
    assert pages == written


def test_a_platform_s_usual_metrics_are_there_with_their_labels() -> None:
    by_name: dict[str, set[str]] = {}
    for row in rows(FAMILIES):
        by_name.setdefault(row["__name__"], set()).update(row)
    assert {"pipeline_id", "status", "tenant_id"} <= by_name["pipeline_executions_total"]
    assert "step" in by_name["step_execution_duration_seconds_bucket"]
    for name in (
        "pipeline_execution_duration_seconds_bucket",
        "pipeline_queue_length",
        "llm_tokens_used_total",
        "llm_cost_usd_total",
        "llm_latency_seconds_bucket",
        "pipeline_cpu_usage_seconds_total",
        "pipeline_memory_working_set_bytes",
    ):
        assert name in by_name


def test_the_present_follows_the_clock_and_stands_still_when_it_goes_back() -> None:
    now = live()
    before = now.state["success"][:, -1].sum()
    now.catch_up(END + 61)
    after = now.state["success"][:, -1].sum()
    now.catch_up(END + 10)
    assert after > before
    assert now.state["success"][:, -1].sum() == after


def test_the_gateway_dies_and_comes_back_on_its_port() -> None:
    registry = LiveCollector.registry(live(), FAMILIES, GATEWAY)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    gateway = Gateway(registry, "127.0.0.1", port)
    url = f"http://127.0.0.1:{port}/metrics"
    try:
        assert "llm_cost_usd_total" in requests.get(url, timeout=5).text
        gateway.answer(False)
        gateway.answer(False)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
        gateway.answer(True)
        assert requests.get(url, timeout=5).ok
    finally:
        gateway.answer(False)


def test_each_job_shows_its_own_families_only() -> None:
    now = live()
    assert not any(
        "llm" in name
        for key in scraped(LiveCollector.registry(now, FAMILIES, PLATFORM), PLATFORM)
        for label, name in key
        if label == "__name__"
    )
    assert np.isfinite(matrix(FAMILIES, now.state)).all()
