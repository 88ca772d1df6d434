"""Which results of a cycle are published, under which names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from detectors.absence import Outage
from exporter import metrics
from exporter.config import Query
from exporter.duration import Duration
from exporter.models.calling import Judgement
from exporter.models.capacity import LimitState
from exporter.models.forecasts import Interval
from exporter.models.groups import GroupJudgement
from exporter.models.peer_calling import PeersTold
from exporter.models.silence import Silence
from exporter.models.slow_change import SlowChange
from exporter.results import Column, Results
from series import SeriesKey


def judged_columns(query: Query, judged: Judgement) -> list[Column]:
    """What was said of the last step of each series; a query in shadow has no alarms."""
    columns = [
        Column(metrics.VALUE, judged.value),
        Column(metrics.EXPECTED, judged.expected),
        Column(metrics.EXPECTED_LOWER, judged.lower),
        Column(metrics.EXPECTED_UPPER, judged.upper),
        Column(metrics.ANOMALY_SCORE, judged.score),
        Column(metrics.ANOMALY_VOTES, judged.votes),
    ]
    if not query.shadow:
        columns += [Column(metrics.ANOMALY_ALARM, judged.alarm), Column(metrics.ANOMALY_SEVERITY, judged.severity)]
    if query.group_by:
        columns.append(Column(metrics.CONTRIBUTION_RATIO, judged.groups.contributions))
    if query.detector_scores:
        columns += [Column(metrics.DETECTOR_SCORE, score, {"detector": name}) for name, score in judged.members.items()]
    return columns


def peer_columns(query: Query, peers: PeersTold | None) -> list[Column]:
    """How far each series is from its peers; a query in shadow has no alarms."""
    if peers is None:
        return []
    alarm = [] if query.shadow else [Column(metrics.PEER_ALARM, peers.alarm)]
    return [Column(metrics.PEER_SCORE, peers.score), *alarm]


def slow_columns(slow: SlowChange) -> list[Column]:
    """Drift, and since when a level holds."""
    return [
        Column(metrics.DRIFT_SCORE, slow.drift),
        Column(metrics.CHANGEPOINT_TIMESTAMP, slow.changed),
        Column(metrics.BASELINE_TIMESTAMP, slow.since),
    ]


def silence_columns(query: Query, silence: Silence) -> list[Column]:
    """Silent and still series: alerts read these scores themselves, so a query in shadow has none."""
    if query.shadow:
        return []
    return [Column(metrics.SILENCE_SCORE, silence.silence), Column(metrics.STILLNESS_SCORE, silence.stillness)]


def forecast_columns(forecasts: Mapping[Duration, Interval]) -> list[Column]:
    """What comes next, by horizon."""
    columns = []
    for horizon, interval in forecasts.items():
        ahead = {"horizon": str(horizon)}
        columns += [
            Column(metrics.FORECAST, interval.mean, ahead),
            Column(metrics.FORECAST_LOWER, interval.lower, ahead),
            Column(metrics.FORECAST_UPPER, interval.upper, ahead),
        ]
    return columns


def group_results(query: Query, groups: GroupJudgement, expires: float) -> Results:
    """Joint scores of the groups of a query."""
    columns = [Column(metrics.GROUP_SCORE, groups.score)]
    if not query.shadow:
        columns.append(Column(metrics.GROUP_ALARM, groups.alarm))
    return Results(query.name, groups.keys, tuple(columns), expires)


def outage_results(query: Query, outages: Sequence[Outage], expires: float) -> Results:
    """How many series fell silent together, by what they have in common."""
    shown = () if query.shadow else tuple(outages)
    keys = tuple(SeriesKey({"label": outage.label, "value": outage.value}) for outage in shown)
    sizes = np.array([float(len(outage.rows)) for outage in shown])
    return Results(query.name, keys, (Column(metrics.OUTAGE_SERIES, sizes),), expires)


def limit_columns(states: Mapping[str, LimitState]) -> list[Column]:
    """When limits will be reached."""
    columns = []
    for name, state in states.items():
        own = {"limit": name}
        columns += [
            Column(metrics.LIMIT, state.value, own),
            Column(metrics.LIMIT_TIMESTAMP, state.time, own),
            Column(metrics.LIMIT_LOWER, state.lower, own),
            Column(metrics.LIMIT_UPPER, state.upper, own),
            Column(metrics.CAPACITY_RECOMMENDED, state.capacity, own),
        ]
        for horizon, probability in state.probability.items():
            columns.append(Column(metrics.LIMIT_PROBABILITY, probability, own | {"horizon": str(horizon)}))
    return columns
