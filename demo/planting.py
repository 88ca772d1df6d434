"""Incidents on demand: which can be planted into the running platform, and where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from demo.incidents import (
    GATEWAY,
    MINUTE,
    Incident,
    cost_leak,
    dead_exporter,
    failure_burst,
    level_shift,
    slow_step,
)
from demo.workloads import NIGHTLY, Workload

LONGEST = 240 * MINUTE


class CannotPlant(ValueError):
    """There is no such incident, or it cannot happen there. The message is one line."""


@dataclass(frozen=True)
class Kind:
    """A kind of incident that can be planted.

    Attributes
    ----------
    make : callable
        Makes one of a target, a beginning in seconds since the epoch and a length in seconds.
    target : str
        Where it happens if nobody says so: a workload that nothing happens to by itself.
    possible : callable
        Whether a workload can suffer from it.
    """

    make: Callable[[str, float, float], Incident]
    target: str
    possible: Callable[[Workload], bool] = lambda workload: workload.rhythm != NIGHTLY


KINDS = {
    "failure-burst": Kind(failure_burst, "orders-fraud-check"),
    "slow-step": Kind(slow_step, "orders-fraud-check", lambda workload: workload.steps),
    "level-shift": Kind(level_shift, "orders-fraud-check"),
    "cost-leak": Kind(cost_leak, "docs-invoice-extract", lambda workload: bool(workload.model)),
    "dead-exporter": Kind(dead_exporter, GATEWAY, lambda workload: False),
}
"""By name. A nightly run that is missed is no matter of now, and only in the schedule."""


def plant(name: str, target: str | None, start: float, seconds: float, workloads: Sequence[Workload]) -> Incident:
    """Make the incident that is asked for.

    Parameters
    ----------
    name : str
        One of `KINDS`.
    target : str or None
        `pipeline_id` of a workload; None for the usual one.
    start, seconds : float
        Since the epoch, and how long it lasts.
    workloads : sequence of Workload
        Those of the platform.

    Raises
    ------
    CannotPlant
        For what cannot be.
    """
    if name not in KINDS:
        raise CannotPlant(f"The incident must be one of {', '.join(KINDS)}. Got {name!r:.80}.")
    if not 0 < seconds <= LONGEST:
        raise CannotPlant(f"It must last up to {LONGEST / MINUTE:g} minutes. Got {seconds / MINUTE:g}.")
    kind = KINDS[name]
    places = [workload.pipeline_id for workload in workloads if kind.possible(workload)] or [kind.target]
    if (chosen := target or kind.target) not in places:
        known = ", ".join(places[:4]) + (" ..." if len(places) > 4 else "")
        raise CannotPlant(f"A {name} must happen to a workload that can suffer it: {known}. Got {chosen!r:.80}.")
    return kind.make(chosen, start, seconds)
