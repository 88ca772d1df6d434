"""The workloads of the platform: what runs again and again, how often, how long, for whom."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

CATALOGUE = Path(__file__).with_name("workloads.csv")
STEPS = ("extract", "transform", "load")
NIGHTLY = "nightly"
RHYTHMS = ("steady", "office", "consumer", "night", NIGHTLY)


@dataclass(frozen=True)
class Workload:
    """One row of the catalogue.

    Attributes
    ----------
    pipeline_id, tenant_id : str
    rhythm : str
        One of `RHYTHMS`.
    runs_per_hour : float
        At full activity; without meaning for a nightly workload, which runs once a day.
    median_seconds, spread : float
        Run durations are log-normal: their median, and the standard deviation of their logarithm.
    failure_ratio : float
        Share of runs that fail on an ordinary day.
    queue : float
        Runs that wait, on average, at full activity.
    cpu_share : float
        Cores in use while a run lasts.
    memory_mib : float
    steps : bool
        Whether the durations of its steps are exported too.
    month_end : bool
        Whether the close of the month makes it busier.
    model : str
        Language model called once in every run; empty for none.
    tokens : float
        Median of the tokens of one call.
    """

    pipeline_id: str
    tenant_id: str
    rhythm: str
    runs_per_hour: float
    median_seconds: float
    spread: float
    failure_ratio: float
    queue: float
    cpu_share: float
    memory_mib: float
    steps: bool
    month_end: bool
    model: str
    tokens: float

    @property
    def labels(self) -> dict[str, str]:
        """The labels every series of the workload carries."""
        return {"pipeline_id": self.pipeline_id, "tenant_id": self.tenant_id}


def read_workloads(path: Path = CATALOGUE) -> tuple[Workload, ...]:
    """Read the catalogue, in the order of its rows."""
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(_workload(row) for row in csv.DictReader(file))


def _workload(row: dict[str, str]) -> Workload:
    return Workload(
        pipeline_id=row["pipeline_id"],
        tenant_id=row["tenant_id"],
        rhythm=row["rhythm"],
        runs_per_hour=float(row["runs_per_hour"]),
        median_seconds=float(row["median_seconds"]),
        spread=float(row["spread"]),
        failure_ratio=float(row["failure_ratio"]),
        queue=float(row["queue"]),
        cpu_share=float(row["cpu_share"]),
        memory_mib=float(row["memory_mib"]),
        steps=row["steps"] == "yes",
        month_end=row["month_end"] == "yes",
        model=row["model"],
        tokens=float(row["tokens"]),
    )
