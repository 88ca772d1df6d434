"""The platform's metric families: names, labels and the rows of the simulation's state they show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from prometheus_client import Metric

from demo.incidents import GATEWAY
from demo.rhythm import FloatArray
from demo.simulation import DURATION_BOUNDS, LATENCY_BOUNDS, MODELS, STEP_BOUNDS, State
from demo.storage import STORES
from demo.workloads import STEPS, Workload

PLATFORM = "pipeline-platform"
JOBS = (PLATFORM, GATEWAY)
Labels = dict[str, str]


@dataclass(frozen=True)
class Part:
    """The samples of a family that share a name.

    Attributes
    ----------
    suffix : str
        What follows the family's name.
    state : str
        Which array of the state holds the values.
    labels : tuple of dict
        Of every row, in the array's order.
    """

    suffix: str
    state: str
    labels: tuple[Labels, ...]


@dataclass(frozen=True)
class Family:
    """One metric family and the scrape job that shows it."""

    job: str
    name: str
    kind: str
    help: str
    parts: tuple[Part, ...]

    def metric(self, state: State) -> Metric:
        """The family as prometheus_client renders it, with the last values of `state`."""
        metric = Metric(self.name, self.help, self.kind)
        for part in self.parts:
            for labels, value in zip(part.labels, state[part.state][:, -1], strict=True):
                metric.add_sample(self.name + part.suffix, labels, float(value))
        return metric


def families(workloads: Sequence[Workload]) -> tuple[Family, ...]:
    """Every family of the platform and of its LLM gateway."""
    every = tuple(workload.labels for workload in workloads)
    return (*_pipelines(workloads, every), *_gateway([workload for workload in workloads if workload.model]))


def _pipelines(workloads: Sequence[Workload], every: tuple[Labels, ...]) -> Iterator[Family]:
    stepped = [workload.labels | {"step": step} for workload in workloads if workload.steps for step in STEPS]
    yield Family(
        PLATFORM,
        "pipeline_executions",
        "counter",
        "Finished executions by how they ended.",
        (
            Part("_total", "success", _with(every, status="success")),
            Part("_total", "failed", _with(every, status="failed")),
        ),
    )
    duration = "pipeline_execution_duration_seconds"
    yield _histogram(PLATFORM, duration, "Duration of an execution.", "duration", every, DURATION_BOUNDS)
    yield _histogram(
        PLATFORM, "step_execution_duration_seconds", "Duration of a step of an execution.", "step", stepped, STEP_BOUNDS
    )
    yield _single(PLATFORM, "pipeline_queue_length", "gauge", "Executions waiting to start.", "queue", every)
    yield _single(
        PLATFORM, "pipeline_cpu_usage_seconds", "counter", "CPU time used by the workers of a pipeline.", "cpu", every
    )
    yield _single(
        PLATFORM, "pipeline_memory_working_set_bytes", "gauge", "Memory in use by the workers.", "memory", every
    )
    yield from _storage()


def _storage() -> Iterator[Family]:
    stores = tuple(store.labels for store in STORES)
    yield _single(PLATFORM, "artifact_store_used_bytes", "gauge", "Artifacts of a tenant's runs.", "artifacts", stores)
    yield _single(PLATFORM, "artifact_store_size_bytes", "gauge", "What the store can hold.", "artifacts_size", stores)
    yield _single(PLATFORM, "run_history_rows", "gauge", "Rows of the table of past runs.", "rows", ({},))


def _gateway(calling: Sequence[Workload]) -> Iterator[Family]:
    each = tuple(workload.labels | {"model": workload.model} for workload in calling)
    models = tuple({"model": name} for name in MODELS)
    yield Family(
        GATEWAY,
        "llm_tokens_used",
        "counter",
        "Tokens sent to and received from a language model.",
        (
            Part("_total", "tokens_prompt", _with(each, kind="prompt")),
            Part("_total", "tokens_completion", _with(each, kind="completion")),
        ),
    )
    yield _single(GATEWAY, "llm_cost_usd", "counter", "Cost of the tokens, in US dollars.", "cost", each)
    yield _histogram(GATEWAY, "llm_latency_seconds", "Time to the last token.", "latency", models, LATENCY_BOUNDS)


def _single(job: str, name: str, kind: str, text: str, state: str, labels: tuple[Labels, ...]) -> Family:
    return Family(job, name, kind, text, (Part("_total" if kind == "counter" else "", state, labels),))


def _histogram(job: str, name: str, text: str, state: str, labels: Sequence[Labels], bounds: FloatArray) -> Family:
    # Prometheus 3 rewrites "5" to "5.0" when it scrapes: written so from the start, history and present are one series.
    ends = [*(str(float(bound)) for bound in bounds), "+Inf"]
    buckets = tuple(row | {"le": end} for row in labels for end in ends)
    rows = tuple(labels)
    parts = (
        Part("_bucket", f"{state}_bucket", buckets),
        Part("_sum", f"{state}_sum", rows),
        Part("_count", f"{state}_count", rows),
    )
    return Family(job, name, "histogram", text, parts)


def _with(rows: Iterable[Labels], **more: str) -> tuple[Labels, ...]:
    return tuple(row | more for row in rows)


def rows(all_families: Sequence[Family]) -> list[Labels]:
    """Labels of every series as a scrape would store it, in the order of `matrix`."""
    return [
        {"__name__": family.name + part.suffix, "job": family.job, "instance": family.job, **labels}
        for family in all_families
        for part in family.parts
        for labels in part.labels
    ]


def matrix(all_families: Sequence[Family], state: State) -> FloatArray:
    """(n_series, n_times): every sample of `state`, in the order of `rows`."""
    return np.vstack([state[part.state] for family in all_families for part in family.parts])
