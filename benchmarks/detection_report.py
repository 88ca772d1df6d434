"""From the answers for one group to counts that add up, and from those to the printed figures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks import nab
from benchmarks.detection_scores import (
    BoolArray,
    FloatArray,
    IntArray,
    Starts,
    average_precision,
    delay_limited,
    delays,
    point_f1,
    starts,
    vus_pr,
)
from benchmarks.groups import Group

DAY = 86_400


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one group adds to the figures."""

    points: int
    days: float
    starts: Starts
    in_time: IntArray
    delays: IntArray
    healthy: int
    healthy_in_alarm: int
    vus_pr: float
    average_precision: float
    blame: list[float]
    nab: nab.NabRows | None
    nab_alarm: BoolArray
    nab_start: BoolArray
    nab_score: FloatArray


def outcome(
    group: Group,
    score: FloatArray,
    alarm: BoolArray,
    contribution: FloatArray,
    windows: pd.DataFrame | None,
    causes: pd.DataFrame | None,
) -> Outcome:
    """Score one group's answer, given by column of its window, on the rows that are judged."""
    scored = group.rows["scored"].to_numpy(bool)
    order = np.flatnonzero(scored)[np.argsort(group.column[scored], kind="stable")]
    column, label = group.column[order], group.rows["label"].to_numpy()[order] > 0
    alarmed, scores = alarm[column], score[column]
    known = ~np.isnan(scores)
    broken = np.append(False, np.diff(column[known]) > 1)
    rows = _nab_rows(group, windows, scored)
    by_row = alarm[group.column]
    return Outcome(
        points=int(known.sum()) * group.window.n_series,
        days=len(np.unique(column)) * group.window.step / DAY,
        starts=starts(alarmed, label),
        in_time=delay_limited(alarmed[known], label[known], broken),
        delays=delays(alarmed, label),
        healthy=int((~label).sum()),
        healthy_in_alarm=int((alarmed & ~label).sum()),
        vus_pr=vus_pr(scores[known], label[known]),
        average_precision=average_precision(scores[known], label[known]),
        blame=_blame(group, contribution, causes),
        nab=rows,
        nab_alarm=by_row[scored],
        nab_start=(by_row & ~np.append(False, by_row[:-1]))[scored],
        nab_score=score[group.column][scored],
    )


def _nab_rows(group: Group, windows: pd.DataFrame | None, scored: BoolArray) -> nab.NabRows | None:
    if windows is None:
        return None
    own = windows[windows["series"] == group.name]
    spans = list(zip(own["start"].to_numpy(), own["end"].to_numpy(), strict=True))
    return nab.worth(group.rows["timestamp"].to_numpy(), spans, scored)


def _blame(group: Group, contribution: FloatArray, causes: pd.DataFrame | None) -> list[float]:
    """For each incident with known causes: share of the metrics blamed most that are true, as many as are true."""
    if causes is None or group.window.n_series == 1:
        return []
    names = [key.name for key in group.window.keys]
    times = group.rows["timestamp"].to_numpy()
    hits = []
    for _, cause in causes[causes["series"] == group.name].iterrows():
        inside = (times >= cause["start"].to_datetime64()) & (times <= cause["end"].to_datetime64())
        true = set(cause["metrics"].split())
        blamed = np.argsort(-contribution[:, group.column[inside]].sum(axis=1), kind="stable")[: len(true)]
        hits.append(len({names[metric] for metric in blamed} & true) / len(true))
    return hits


def summary(outcomes: list[Outcome]) -> dict[str, float]:
    """Printed figures of a set, or of all."""
    total = sum((one.starts for one in outcomes), Starts(0, 0, 0, 0))
    days = sum(one.days for one in outcomes)
    delay = np.concatenate([one.delays for one in outcomes])
    figures = {
        "start_f1": total.f1,
        "start_recall": total.recall,
        "start_precision": total.precision,
        "false_starts_per_day": (total.starts - total.right) / days,
        "segments": total.segments,
        "starts": total.starts,
        "delay_limited_f1": point_f1(np.sum([one.in_time for one in outcomes], axis=0)),
        "median_delay": float(np.median(delay)) if len(delay) else math.nan,
        "healthy_in_alarm": sum(one.healthy_in_alarm for one in outcomes)
        / max(1, sum(one.healthy for one in outcomes)),
        "vus_pr": _mean([one.vus_pr for one in outcomes]),
        "average_precision": _mean([one.average_precision for one in outcomes]),
    }
    if any(one.blame for one in outcomes):
        figures["blame_hit_rate"] = _mean([hit for one in outcomes for hit in one.blame])
    files = [one for one in outcomes if one.nab is not None]
    if sum(one.nab.windows for one in files if one.nab is not None):
        figures |= _nab_figures(files)
    return {name: value if isinstance(value, int) else round(float(value), 4) for name, value in figures.items()}


def _nab_figures(files: list[Outcome]) -> dict[str, float]:
    rows = [one.nab for one in files if one.nab is not None]
    best, threshold = nab.best_nab_score(list(zip(rows, [one.nab_score for one in files], strict=True)))
    return {
        "nab_standard_starts": nab.nab_score(list(zip(rows, [one.nab_start for one in files], strict=True))),
        "nab_standard_alarms": nab.nab_score(list(zip(rows, [one.nab_alarm for one in files], strict=True))),
        "nab_standard_best": best,
        "nab_best_threshold": threshold,
    }


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
