"""What goes wrong, and when: a fixed schedule for the half hour after the start, and a few planted in the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from demo.rhythm import DAY, FloatArray

MINUTE = 60.0
MISSED_RUN_AFTER = 8 * MINUTE
"""When the run that will be missed is due, in seconds after the demo is ready."""
GATEWAY = "llm-gateway"
"""What the dead exporter exports for; the name of its scrape job."""


@dataclass(frozen=True)
class Incident:
    """One planted fault.

    Attributes
    ----------
    kind, title : str
        What it is in two words, and what a person sees of it.
    target : str
        The `pipeline_id` that suffers, or `GATEWAY`.
    start, seconds : float
        When it begins, in seconds since the epoch once `at` has been applied, and how long it lasts.
    factors : dict of str to float
        What each knob of the simulation is multiplied by while it lasts.
    ramp : bool
        Whether the factors grow evenly from 1 to their value instead of jumping.
    backlog : float
        Runs per second that pile up in the queue meanwhile.
    failure_ratio : float or None
        Share of runs that fail meanwhile; None leaves it alone.
    step : int or None
        Index of the one step that slows down; None means all.
    """

    kind: str
    title: str
    target: str
    start: float
    seconds: float
    factors: dict[str, float] = field(default_factory=dict)
    ramp: bool = False
    backlog: float = 0.0
    failure_ratio: float | None = None
    step: int | None = None

    @property
    def end(self) -> float:
        """When it is over."""
        return self.start + self.seconds

    def at(self, origin: float) -> Incident:
        """The same incident with `start` counted from `origin`."""
        return Incident(**(self.__dict__ | {"start": origin + self.start}))

    def progress(self, times: FloatArray) -> FloatArray:
        """(n_times,): how much of it has passed, above 0 to 1 while it lasts and 0 outside."""
        inside = (times >= self.start) & (times < self.end)
        return np.where(inside, np.maximum((times - self.start) / self.seconds, 1e-9), 0.0)

    def factor(self, knob: str, times: FloatArray) -> FloatArray:
        """(n_times,): what `knob` is multiplied by; 1 outside of the incident."""
        progress = self.progress(times)
        share = progress if self.ramp else (progress > 0).astype(np.float64)
        return 1.0 + (self.factors.get(knob, 1.0) - 1.0) * share

    def waiting(self, times: FloatArray) -> FloatArray:
        """(n_times,): runs piled up in the queue; they drain in a quarter of the time they took to come."""
        piled = self.backlog * np.clip(times - self.start, 0.0, self.seconds)
        drained = np.clip((times - self.end) / (self.seconds / 4), 0.0, 1.0)
        return np.asarray(piled * (1.0 - drained), dtype=np.float64)


def failure_burst(target: str, start: float, seconds: float) -> Incident:
    """Runs fail and are started again and again."""
    return Incident(
        "failure burst",
        "four of five runs fail, retries storm, the queue builds up",
        target,
        start,
        seconds,
        factors={"arrivals": 6.0},
        backlog=0.5,
        failure_ratio=0.8,
    )


def slow_step(target: str, start: float, seconds: float) -> Incident:
    """One step of the runs takes long."""
    return Incident(
        "slow step",
        "step transform takes eight times as long",
        target,
        start,
        seconds,
        factors={"slowness": 8.0},
        step=1,
    )


def level_shift(target: str, start: float, seconds: float) -> Incident:
    """From now on everything takes more."""
    return Incident(
        "level shift",
        "a release makes runs take three times the time, CPU and memory; it stays so",
        target,
        start,
        seconds,
        factors={"slowness": 3.0, "memory": 3.0},
    )


def dead_exporter(target: str, start: float, seconds: float) -> Incident:
    """The exporter of the gateway does not answer."""
    return Incident("dead exporter", "the metrics of the LLM gateway stop answering", target, start, seconds)


def cost_leak(target: str, start: float, seconds: float) -> Incident:
    """Calls of a language model grow and grow."""
    return Incident(
        "cost leak",
        "prompts grow until a run takes twelve times the tokens, and costs twelve times as much",
        target,
        start,
        seconds,
        factors={"tokens": 12.0},
        ramp=True,
    )


def _missed_run(target: str, start: float, seconds: float) -> Incident:
    return Incident(
        "missed nightly run",
        "the run due every day at this hour does not come",
        target,
        start,
        seconds,
        factors={"arrivals": 0.0},
    )


SCHEDULE: tuple[Incident, ...] = (
    failure_burst("billing-invoice-export", 1.0, 5 * MINUTE),
    slow_step("catalog-search-index", 6 * MINUTE, 6 * MINUTE),
    level_shift("checkout-order-sync", 10 * MINUTE, 20 * MINUTE),
    _missed_run("ledger-nightly-close", MISSED_RUN_AFTER - 5 * MINUTE, 10 * MINUTE),
    cost_leak("support-ticket-triage", 15 * MINUTE, 10 * MINUTE),
    dead_exporter(GATEWAY, 25 * MINUTE, 3 * MINUTE),
)
"""Live incidents; `start` counts from the moment the demo is ready."""

PAST: tuple[Incident, ...] = (
    failure_burst("billing-payment-capture", -11.3 * DAY, 25 * MINUTE),
    slow_step("orders-fraud-check", -8.6 * DAY, 40 * MINUTE),
    cost_leak("docs-invoice-extract", -4.4 * DAY, 50 * MINUTE),
    _missed_run("backup-nightly-claims", -2.5 * DAY, DAY),
    failure_burst("claims-document-intake", -1.7 * DAY, 20 * MINUTE),
)
"""Incidents of the history; `start` counts from its end."""


def placed(incidents: Sequence[Incident], origin: float) -> tuple[Incident, ...]:
    """Incidents on the clock: `start` of each counted from `origin`."""
    return tuple(incident.at(origin) for incident in incidents)
