"""One judged step of one series, put together for a program or a person."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from detectors.explain import Example, Explanation, beside, explain
from detectors.severity import NAMES
from exporter.models.calling import DAYS, Calling
from exporter.models.groups import ALONE
from exporter.models.plan import ModelPlan
from exporter.models.seen import Basis
from exporter.models.slow_change import SlowChange
from exporter.models.told import Told
from exporter.published import published_key

Account = dict[str, Any]
"""What JSON can hold; None for what is not known."""


def account(plan: ModelPlan, calling: Calling, told: Told, row: int, basis: Basis | None) -> Account:
    """Say all that is known of why.

    Parameters
    ----------
    plan : ModelPlan
    calling : Calling
        Knows the earlier alarms.
    told : Told
    row : int
        Of the series in `told`.
    basis : Basis or None
        What its expectation rests on.
    """
    seen, key = told.seen, told.seen.keys[row]
    level = float(seen.expected[row]) - basis.season if basis else math.nan
    judged = calling.explained(told, row, level)
    # After a restart there is no course before the first step that is new.
    course = told.course[row].astype(float) if row < len(told.course) else np.empty(0)
    examples = calling.history.examples(key, told.begun(row), course)
    found = explain(judged, examples, days=DAYS)
    weights = basis.weights if basis else {}
    return {
        "series": published_key(key).labels,
        "time": told.time,
        "value": _known(judged.value),
        "expected": {
            "value": _known(judged.expected),
            "lower": _known(judged.lower),
            "upper": _known(judged.upper),
            "level": _known(level),
            "season": _known(basis.season) if basis else None,
            "learnedFrom": _known(basis.since) if basis else None,
            "learnedUntil": basis.until if basis else None,
        },
        "why": found.line,
        "warmingUp": bool(seen.warming_up[row]),
        "detectors": [
            {"name": name, "score": _known(score), "votes": votes, "weight": weights.get(name, 1.0)}
            for name, score, votes in found.votes
        ],
        "score": {
            "consensus": _known(seen.scores[row, -1]),
            "afterVerdicts": _known(told.held.scores[row, -1]),
            "agreeing": _known(seen.agreeing[row]),
        },
        "heldBack": found.suppressed or None,
        "group": _group(told, row),
        "peers": peers_of(told, row),
        "alarm": _alarm(plan, told, row),
        "severity": _severity(plan, calling, told, row),
        "occasions": list(judged.occasions),
        **_earlier(found, judged.earlier),
    }


def _group(told: Told, row: int) -> Account | None:
    groups = told.seen.groups
    if (number := int(groups.member_of[row])) == ALONE:
        return None
    return {
        "labels": groups.keys[number].labels,
        "score": _known(groups.scores[number, -1]),
        "contribution": _known(groups.contributions[row]),
    }


def peers_of(told: Told, row: int) -> Account | None:
    """A series beside those that are like it; None where it was not compared."""
    peers, value = told.peers, float(told.seen.value[row])
    if peers is None or (others := peers.seen.others(row, value)) is None:
        return None
    firing = peers.alarm[row] == 1
    return {
        "labels": others.group.labels,
        "why": beside(value, others.count, others.low, others.high),
        "count": others.count,
        "low": _known(others.low),
        "high": _known(others.high),
        "expectedLower": _known(peers.seen.lower[row]),
        "expectedUpper": _known(peers.seen.upper[row]),
        "score": _known(peers.seen.scores[row, -1]),
        "afterVerdicts": _known(peers.score[row]),
        "heldBack": peers.held.get(row),
        "firing": bool(firing),
        "since": _known(peers.alarms.begun[row]) if firing else None,
    }


def slow_change(slow: SlowChange | None) -> Account:
    """Drift and level of a series as they are known now."""
    if slow is None:
        return {"driftScore": None, "changedAt": None, "baselineSince": None}
    return {
        "driftScore": _known(slow.drift[0]),
        "changedAt": _known(slow.changed[0]),
        "baselineSince": _known(slow.since[0]),
    }


def _alarm(plan: ModelPlan, told: Told, row: int) -> Account:
    rule, state = plan.suppression, told.alarms
    return {
        "firing": bool(told.firing[row]),
        "since": _known(state.begun[row]),
        "peak": _known(state.peak[row]) if told.firing[row] else None,
        "above": int(state.recent[row].sum()),
        "within": rule.within,
        "hold": rule.hold,
        "atOnce": rule.at_once,
        "quietSteps": int(state.calm[row]),
        "quietStepsToEnd": state.patience,
    }


def _severity(plan: ModelPlan, calling: Calling, told: Told, row: int) -> Account:
    level = int(told.severity[row])
    points = calling.severity.points(
        told.alarms.peak[row : row + 1], told.length[row : row + 1], told.breadth, plan.importance
    )
    given = {name: float(part.ravel()[0]) for name, part in points.items()} if level else {}
    return {"level": level, "name": NAMES[level], "points": given}


def _earlier(found: Explanation, begun: Sequence[float]) -> Account:
    return {
        "earlierAlarms": list(begun),
        "timesBefore": {"count": found.times_before, "days": found.days},
        "nearestExamples": [_example(each) for each in found.examples],
    }


def _example(example: Example) -> Account:
    return {"time": example.time, "distance": example.distance}


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
