"""Quality of scores and alarms with default settings: ``python -m benchmarks.detection --data DIR --out OUT``."""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import orjson
import pandas as pd

from benchmarks.adapters import DetectionSet, detection_sets
from benchmarks.detection_report import Outcome, outcome, summary
from benchmarks.groups import Group, groups
from benchmarks.peers_detection import installed
from detectors import Ensemble
from detectors.by_name import available, by_name
from detectors.ensemble import MEMBERS, Consensus
from detectors.group import contributions, group_score
from detectors.live_error import LiveError
from detectors.suppress import Suppression
from detectors.weights import weights_of
from series import FloatArray, Window

# As the service does by default: two weeks are looked back on. It refits more often than once a day.
HISTORY = 14 * 86_400
REFIT = 86_400

Scored = tuple[FloatArray, FloatArray]
"""Score of a group (n_steps,), 1 as threshold, and each metric's contribution (n_metrics, n_steps)."""
Judge = Callable[[Group], Scored]


def main() -> None:
    arguments = _arguments()
    judges = {"forethought": _forethought, **_detectors(arguments.detectors), **_peers(arguments.peers)}
    outcomes: dict[str, dict[str, list[Outcome]]] = {name: {} for name in judges}
    seconds: dict[str, dict[str, float]] = {name: {} for name in judges}
    for one in detection_sets(arguments.data):
        asked = list(groups(one.series, arguments.limit))
        for name, judge in judges.items():
            started = time.process_time()
            judged = [(group, judge(group)) for group in asked]
            seconds[name][one.name] = time.process_time() - started
            answers = [_answer(group, *scored) for group, scored in judged]
            outcomes[name][one.name] = [_outcome(one, *answer) for answer in answers]
            if name == "forethought":
                _write(_folder(arguments, one), answers)
            print(f"{one.name:14s} {name:16s} {_line(outcomes[name][one.name])}", flush=True)
    print(orjson.dumps(_report(outcomes, seconds)).decode())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Quality of the anomaly scores and alarms with default settings.")
    parser.add_argument("--data", type=Path, required=True, help="a set, or a folder of sets")
    parser.add_argument("--out", type=Path, required=True, help="where scores.parquet and blame.parquet go")
    parser.add_argument("--limit", type=int, help="only this many series of each set")
    parser.add_argument("--detectors", nargs="*", help="also run single detectors: all, or those named")
    parser.add_argument("--peers", nargs="*", help="also run installed peers: all, or those named")
    return parser.parse_args()


def _peers(asked: list[str] | None) -> dict[str, Judge]:
    if asked is None:
        return {}
    return {name: _alone(peer) for name, peer in installed().items() if not asked or name in asked}


def _detectors(asked: list[str] | None) -> dict[str, Judge]:
    if asked is None:
        return {}
    return {name: _alone(partial(_judge, name)) for name in available() if not asked or name in asked}


def _judge(name: str, group: Group) -> FloatArray:
    """Scores of one detector alone, each day by a fit on the two weeks before it."""
    scores = np.zeros(group.window.values.shape)
    for start, past, now in judged_days(group):
        scores[:, start : start + now.n_steps] = by_name(name).fit(past).score(now)
    scores[np.isnan(group.window.values)] = np.nan
    return scores


def judged_days(group: Group) -> Iterator[tuple[int, Window, Window]]:
    """First column of each judged day, the two weeks before it, and the day."""
    window = group.window
    history, refit = (max(1, round(seconds / step_of(group))) for seconds in (HISTORY, REFIT))
    for start in range(group.first, window.n_steps, refit):
        yield start, window.until(start).since(max(0, start - history)), window.until(start + refit).since(start)


def _alone(judge: Callable[[Group], FloatArray]) -> Judge:
    """A judge of single metrics: the group's score is their mean."""

    def scored(group: Group) -> Scored:
        scores = judge(group)
        return group_score(scores), contributions(scores)

    return scored


def ensemble_days(group: Group) -> Iterator[tuple[int, Window, Consensus]]:
    """First column of each judged day, the day, and what the ensemble says of it, which knows the metrics for a group.

    As in the service, members that called alone on days before, more often than they promise, count less.
    """
    together = np.zeros(group.window.n_series, dtype=np.intp)
    error = LiveError(step=step_of(group))
    for start, past, now in judged_days(group):
        excess = dict(zip(MEMBERS, error.excess().tolist(), strict=False))  # none on the first day
        weights = weights_of((), "", MEMBERS, float(past.times[-1]), excess)
        ensemble = Ensemble(weights=weights or None).fit(past, together)
        found = ensemble.judge(now)
        error.note(now.times, np.where(ensemble.warming_up_[:, None], np.nan, found.votes))
        yield start, now, found


def _forethought(group: Group) -> Scored:
    """The default: the ensemble, told that the metrics of the group belong together."""
    window = group.window
    score, contribution = np.zeros(window.n_steps), np.zeros(window.values.shape)
    for start, now, found in ensemble_days(group):
        score[start : start + now.n_steps] = found.group_scores[0]
        contribution[:, start : start + now.n_steps] = found.contributions
    score[np.isnan(window.values).all(axis=0)] = np.nan
    return score, contribution


def step_of(group: Group) -> float:
    """Seconds between two samples."""
    return group.window.step if group.window.n_steps > 1 else 1.0


Answer = tuple[Group, FloatArray, np.typing.NDArray[np.bool_], FloatArray]
"""A group with its score (n_steps,), its alarm (n_steps,) and each metric's contribution (n_metrics, n_steps)."""


def _answer(group: Group, score: FloatArray, contribution: FloatArray) -> Answer:
    alarm = np.zeros(len(score), dtype=np.bool_)
    alarm[group.first :] = Suppression().alarms(score[None, group.first :], step_of(group))[0]
    return group, score, alarm, contribution


def _outcome(
    one: DetectionSet, group: Group, score: FloatArray, alarm: np.typing.NDArray[np.bool_], contribution: FloatArray
) -> Outcome:
    return outcome(group, score, alarm, contribution, one.windows, one.causes)


def _folder(arguments: argparse.Namespace, one: DetectionSet) -> Path:
    """OUT itself for a single set, a folder of OUT for each of several."""
    out: Path = arguments.out
    folder = out if arguments.data.resolve().name == one.name else out / one.name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(folder: Path, answers: list[Answer]) -> None:
    """Times and order of the input: series after series, as each first appears."""
    scores = [
        pd.DataFrame(
            {
                "series": group.name,
                "timestamp": group.rows["timestamp"].to_numpy(),
                "score": score[group.column],
                "alarm": alarm[group.column],
            },
            index=group.rows.index,
        )
        for group, score, alarm, _ in answers
    ]
    pd.concat(scores).sort_index().to_parquet(folder / "scores.parquet", index=False)
    blamed = [_blame(group, contribution) for group, _, _, contribution in answers if group.window.n_series > 1]
    if blamed:
        pd.concat(blamed, ignore_index=True).to_parquet(folder / "blame.parquet", index=False)


def _blame(group: Group, contribution: FloatArray) -> pd.DataFrame:
    rows, metrics = len(group.rows), [key.name for key in group.window.keys]
    return pd.DataFrame(
        {
            "series": pd.Categorical.from_codes(np.zeros(rows * len(metrics), dtype=np.int8), [group.name]).astype(str),
            "timestamp": np.tile(group.rows["timestamp"].to_numpy(), len(metrics)),
            "metric": np.repeat(metrics, rows),
            "contribution": contribution[:, group.column].ravel(),
        }
    )


def _report(outcomes: dict[str, dict[str, list[Outcome]]], seconds: dict[str, dict[str, float]]) -> dict[str, object]:
    reports = {name: _figures(sets, seconds[name]) for name, sets in outcomes.items()}
    ours = reports.pop("forethought")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    every = [one for part in outcomes["forethought"].values() for one in part]
    size = {"series": len(every), "points": sum(one.points for one in every), "peak_memory_mib": round(peak, 1)}
    return {**ours, **size, **({"peers": reports} if reports else {})}


def _figures(sets: dict[str, list[Outcome]], seconds: dict[str, float]) -> dict[str, object]:
    """CPU seconds beside what they bought, of each set and of all."""
    pooled = summary([one for part in sets.values() for one in part])
    return {
        "pooled": pooled,
        "sets": {
            name: {**summary(part), "groups": len(part), "seconds": round(seconds[name], 2)}
            for name, part in sets.items()
        },
        "seconds": round(sum(seconds.values()), 2),
    }


def _line(outcomes: list[Outcome]) -> str:
    return " ".join(f"{name} {value:.4g}" for name, value in summary(outcomes).items())


if __name__ == "__main__":
    main()
