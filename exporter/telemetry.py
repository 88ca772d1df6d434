"""Metrics about ourselves, in a registry of their own."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from detectors.feedback import Ratio
from exporter import __version__, metrics
from exporter.metrics import Family
from series import Reason

if TYPE_CHECKING:
    from exporter.models.forecasts import Forecasting

# The start time of each counter doubles their number and nothing reads it.
disable_created_metrics()  # type: ignore[no-untyped-call]

_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300)


class Telemetry:
    """What this process says of itself; a fresh registry for each, so that tests do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.cycles = self._counter(metrics.CYCLES)
        self.cycle_duration = self._histogram(metrics.CYCLE_DURATION)
        self.cycle_last_duration = self._gauge(metrics.CYCLE_LAST_DURATION)
        self.cycle_interval = self._gauge(metrics.CYCLE_INTERVAL)
        self.cycle_last_success = self._gauge(metrics.CYCLE_LAST_SUCCESS)
        self.cycle_failure = self._gauge(metrics.CYCLE_FAILURE)
        self.cycle_missed = self._counter(metrics.CYCLE_MISSED)
        self.false_alarm_ratio = self._gauge(metrics.FALSE_ALARM_RATIO)
        self.false_alarm_ratio_upper = self._gauge(metrics.FALSE_ALARM_RATIO_UPPER)
        self.verdicts = self._gauge(metrics.VERDICTS)
        self.detector_weight = self._gauge(metrics.DETECTOR_WEIGHT)
        self.query_shadow = self._gauge(metrics.QUERY_SHADOW)
        self.series = self._gauge(metrics.SERIES)
        self.skipped_series = self._gauge(metrics.SKIPPED_SERIES)
        self.store_bytes = self._gauge(metrics.STORE_BYTES)
        self.output_samples = self._gauge(metrics.OUTPUT_SAMPLES)
        self.model_fit_timestamp = self._gauge(metrics.MODEL_FIT_TIMESTAMP)
        self.model_fit_duration = self._gauge(metrics.MODEL_FIT_DURATION)
        self.forecast_error_ratio = self._gauge(metrics.FORECAST_ERROR_RATIO)
        self.forecast_smape_ratio = self._gauge(metrics.FORECAST_SMAPE_RATIO)
        self.forecast_bias_ratio = self._gauge(metrics.FORECAST_BIAS_RATIO)
        self.interval_coverage_ratio = self._gauge(metrics.INTERVAL_COVERAGE_RATIO)
        self.interval_target_ratio = self._gauge(metrics.INTERVAL_TARGET_RATIO)
        self.interval_width_ratio = self._gauge(metrics.INTERVAL_WIDTH_RATIO)
        self.forecast_fallback_series = self._gauge(metrics.FORECAST_FALLBACK_SERIES)
        self.forecaster_series = self._gauge(metrics.FORECASTER_SERIES)
        self.forecast_backtest_error_ratio = self._gauge(metrics.FORECAST_BACKTEST_ERROR_RATIO)
        self.source_up = self._gauge(metrics.SOURCE_UP)
        self.source_requests = self._counter(metrics.SOURCE_REQUESTS)
        self.source_request_duration = self._histogram(metrics.SOURCE_REQUEST_DURATION)
        self.source_received_bytes = self._counter(metrics.SOURCE_RECEIVED_BYTES)
        self.source_samples = self._counter(metrics.SOURCE_SAMPLES)
        self.source_request_limit = self._gauge(metrics.SOURCE_REQUEST_LIMIT)
        self.source_requests_running = self._gauge(metrics.SOURCE_REQUESTS_RUNNING)
        self.source_rest = self._gauge(metrics.SOURCE_REST)
        self.source_overloads = self._counter(metrics.SOURCE_OVERLOADS)
        self.unpulled_steps = self._gauge(metrics.UNPULLED_STEPS)
        self.state_restores = self._counter(metrics.STATE_RESTORES)
        self.page_bytes = self._gauge(metrics.PAGE_BYTES)
        self.page_withheld = self._gauge(metrics.PAGE_WITHHELD)
        self.remote_write_samples = self._counter(metrics.REMOTE_WRITE_SAMPLES)
        self.remote_write_dropped = self._counter(metrics.REMOTE_WRITE_DROPPED)
        self.remote_write_pending = self._gauge(metrics.REMOTE_WRITE_PENDING)
        self.remote_write_last_success = self._gauge(metrics.REMOTE_WRITE_LAST_SUCCESS)
        self.config_reload_ok = self._gauge(metrics.CONFIG_RELOAD_OK)
        self.config_reload_timestamp = self._gauge(metrics.CONFIG_RELOAD_TIMESTAMP)
        self._gauge(metrics.BUILD_INFO).labels(__version__, platform.python_version()).set(1)

    def render(self) -> bytes:
        """Prometheus text of all of them."""
        return generate_latest(self.registry)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage of a cycle."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.cycle_duration.labels(name).observe(time.perf_counter() - started)

    def on_request(self, outcome: str, seconds: float, received_bytes: int, samples: int) -> None:
        """Count one request to the source; `outcome` is ``success`` or the reason of a `SourceError`."""
        self.source_requests.labels(outcome).inc()
        self.source_request_duration.observe(seconds)
        self.source_received_bytes.inc(received_bytes)
        self.source_samples.inc(samples)
        # A refused query was answered: the source is there.
        self.source_up.set(outcome != "unavailable")

    def on_pace(self, limit: int, running: int, rest: float, overload: str | None) -> None:
        """Show how fast the source is asked; `overload` is the sign that it has too much to do, where there was one."""
        self.source_request_limit.set(limit)
        self.source_requests_running.set(running)
        self.source_rest.set(rest)
        if overload:
            self.source_overloads.labels(overload).inc()

    def succeeded(self, query: str, *, now: float, seconds: float) -> None:
        """A cycle gave results."""
        self.cycles.labels(query, "success").inc()
        self.cycle_last_duration.labels(query).set(seconds)
        self.cycle_last_success.labels(query).set(now)
        self._clear_failure(query)

    def failed(self, query: str, reason: str, *, seconds: float) -> None:
        """A cycle gave none."""
        self.cycles.labels(query, reason).inc()
        self.cycle_last_duration.labels(query).set(seconds)
        self._clear_failure(query)
        self.cycle_failure.labels(query, reason).set(1)

    def skipped(self, query: str, counts: Mapping[Reason, int]) -> None:
        """Show how many series of a query were not judged; a reason that no longer holds is absent."""
        for reason in Reason:
            if counts.get(reason):
                self.skipped_series.labels(query, reason.value).set(counts[reason])
            else:
                self.skipped_series.remove_by_labels({"query": query, "reason": reason.value})

    def detector_weights(self, query: str, weights: Mapping[str, float]) -> None:
        """Show how much each detector of a query counts; the same detectors each time, or none."""
        if not weights:
            self.detector_weight.remove_by_labels({"query": query})
        for name, weight in weights.items():
            self.detector_weight.labels(query, name).set(weight)

    def judged_alarms(self, query: str, ratio: Ratio | None, in_force: int) -> None:
        """Show what verdicts say of a query's alarms; the share is absent while nobody said anything."""
        self.verdicts.labels(query).set(in_force)
        if ratio is None:
            self.false_alarm_ratio.remove_by_labels({"query": query})
            self.false_alarm_ratio_upper.remove_by_labels({"query": query})
            return
        self.false_alarm_ratio.labels(query).set(ratio.value)
        self.false_alarm_ratio_upper.labels(query).set(ratio.upper)

    def forecasting(self, query: str, summary: Forecasting, coverage: float) -> None:
        """Show how forecasts are made and how good they are; what is not known yet is absent."""
        for horizon, live in summary.live.items():
            labels = {"query": query, "horizon": str(horizon)}
            _show(self.forecast_error_ratio, labels, live.error_ratio)
            _show(self.forecast_smape_ratio, labels, live.smape)
            _show(self.forecast_bias_ratio, labels, live.bias_ratio)
            _show(self.interval_coverage_ratio, labels, live.coverage)
            _show(self.interval_width_ratio, labels, live.width_factor)
        self.interval_target_ratio.labels(query).set(coverage)
        self.forecast_fallback_series.labels(query).set(summary.fallbacks)
        _show(self.forecast_backtest_error_ratio, {"query": query}, summary.trial_ratio)
        self.forecaster_series.remove_by_labels({"query": query})
        for name, count in summary.leads.items():
            self.forecaster_series.labels(query, name).set(count)

    def forget(self, query: str) -> None:
        """Remove everything said of a query that is no longer configured."""
        self._remove("query", query)

    def forget_url(self, url: str) -> None:
        """Remove everything said of a server that is no longer written to."""
        self._remove("url", url)

    def _remove(self, label: str, value: str) -> None:
        for metric in vars(self).values():
            if isinstance(metric, Counter | Gauge | Histogram) and label in metric._labelnames:
                metric.remove_by_labels({label: value})

    def _clear_failure(self, query: str) -> None:
        self.cycle_failure.remove_by_labels({"query": query})

    def _counter(self, family: Family) -> Counter:
        return Counter(family.name, family.help, family.labels, registry=self.registry)

    def _gauge(self, family: Family) -> Gauge:
        return Gauge(family.name, family.help, family.labels, registry=self.registry)

    def _histogram(self, family: Family) -> Histogram:
        return Histogram(family.name, family.help, family.labels, registry=self.registry, buckets=_SECONDS)


def _show(gauge: Gauge, labels: Mapping[str, str], value: float) -> None:
    """Set a gauge; NaN is nothing known, and so nothing shown."""
    if math.isnan(value):
        gauge.remove_by_labels(dict(labels))
    else:
        gauge.labels(**labels).set(value)
