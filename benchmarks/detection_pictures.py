"""Pictures of incidents and of quiet weeks: ``python -m benchmarks.detection_pictures --data DIR --out docs/images``.

Two of each set, chosen by place and not by how they came out: the first labelled segment of the middle one of its
groups with labels, and the first judged week without a label of the middle one of those that have such a week. A group
of several metrics is shown by the one that is blamed most. Needs matplotlib; prints one JSON object as its last line.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from benchmarks.adapters import detection_sets
from benchmarks.detection import ensemble_days, step_of
from benchmarks.groups import Group, groups
from detectors.suppress import Suppression
from series import BoolArray, FloatArray

DAY = 86_400
# What is shown on each side of an incident, at least, and how long a quiet while is.
AROUND = DAY
QUIET = 7 * DAY
# Points of a line, two of each bin: a picture stays small, and no spike is lost.
BINS = 250


@dataclass(frozen=True, eq=False)
class Shown:
    """What is said of columns `first` to `stop` of a group.

    Attributes
    ----------
    group : Group
    first, stop : int
    bands : (3, n_metrics, n_steps) float64
        Lower edge, expected value, upper edge.
    score : (n_steps,) float64
    alarm : (n_steps,) bool
    contribution : (n_metrics,) float64
        Mean share in the score while it is in alarm, or throughout where it is not.
    """

    group: Group
    first: int
    stop: int
    bands: FloatArray
    score: FloatArray
    alarm: BoolArray
    contribution: FloatArray


def main() -> None:
    parser = argparse.ArgumentParser(description="Pictures of incidents and of quiet weeks.")
    parser.add_argument("--data", type=Path, required=True, help="a set, or a folder of sets")
    parser.add_argument("--out", type=Path, required=True, help="where the SVG files go")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    made = {}
    for one in detection_sets(arguments.data):
        every = list(groups(one.series))
        for kind, spans in (("incident", incidents(every)), ("quiet", quiet_weeks(every))):
            if not spans:
                continue
            shown = judged(*spans[len(spans) // 2])
            path = arguments.out / f"detection_{kind}_{one.name}.svg"
            draw(shown, path)
            starts = int(np.count_nonzero(shown.alarm & ~np.append(False, shown.alarm[:-1])))
            made[path.name] = {"group": shown.group.name, "alarm_starts": starts, "bytes": path.stat().st_size}
            print(f"{path.name:40s} {shown.group.name}: {starts} alarms begin", flush=True)
    print(orjson.dumps({"bench": "detection_pictures", "pictures": made}).decode())


def labels(group: Group) -> BoolArray:
    """(n_steps,): where the group is labelled anomalous."""
    label = np.zeros(group.window.n_steps, dtype=np.bool_)
    label[group.column] = group.rows["label"].to_numpy() > 0
    return label


def incidents(every: list[Group]) -> list[tuple[Group, int, int]]:
    """Of each group with a judged label: the columns around the first segment."""
    found = []
    for group in every:
        strange = np.flatnonzero(labels(group)[group.first :]) + group.first
        if len(strange):
            stop = strange[np.flatnonzero(np.diff(strange, append=strange[-1] + 2) > 1)[0]] + 1
            margin = round(AROUND / step_of(group))
            found.append((group, max(group.first, int(strange[0]) - margin), min(group.window.n_steps, stop + margin)))
    return found


def quiet_weeks(every: list[Group]) -> list[tuple[Group, int, int]]:
    """Of each group that has one: the columns of the first judged week without a label."""
    found = []
    for group in every:
        length = round(QUIET / step_of(group))
        strange = np.append(np.flatnonzero(labels(group)[group.first :]) + group.first, group.window.n_steps)
        first = np.append(group.first, strange[:-1] + 1)
        free = np.flatnonzero(strange - first >= length)
        if len(free):
            found.append((group, int(first[free[0]]), int(first[free[0]]) + length))
    return found


def judged(group: Group, first: int, stop: int) -> Shown:
    """Judge as the bench does, from the day before on, so that an alarm under way is known."""
    window = group.window
    bands, score = np.full((3, *window.values.shape), np.nan), np.full(window.n_steps, np.nan)
    contribution = np.zeros(window.values.shape)
    for start, now, found in ensemble_days(group):
        if start >= stop:
            break
        if first - round(DAY / step_of(group)) <= start + now.n_steps:
            own = slice(start, start + now.n_steps)
            bands[:, :, own] = found.band.lower, found.band.expected, found.band.upper
            score[own], contribution[:, own] = found.group_scores[0], found.contributions
    alarm = Suppression().alarms(score[None], step_of(group))[0, first:stop]
    shares = contribution[:, first:stop]
    blamed = shares[:, alarm].mean(axis=1) if alarm.any() else shares.mean(axis=1)
    return Shown(group, first, stop, bands[..., first:stop], score[first:stop], alarm, blamed)


def draw(shown: Shown, path: Path) -> None:
    """Value and band above, score and threshold below, the label as a grey ground."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "forethought"
    from matplotlib import pyplot as plt

    group, metric = shown.group, int(shown.contribution.argmax())
    days = (group.window.times[shown.first : shown.stop] - group.window.times[shown.first]) / DAY
    value = group.window.values[metric, shown.first : shown.stop]
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(8, 3.6), sharex=True, layout="constrained", height_ratios=(2, 1)
    )
    lower, expected, upper = (mean_of_bins(part[metric]) for part in shown.bands)
    at = mean_of_bins(days)
    above.fill_between(at, lower, upper, color="#cfe3f3", label="band")
    above.plot(at, expected, color="#3b7fb5", linewidth=0.8, label="expected")
    above.plot(*extremes(days, value), color="#222222", linewidth=0.7, label="value")
    below.plot(*extremes(days, shown.score), color="#8a4f9e", linewidth=0.8, label="score")
    below.axhline(1, color="#888888", linewidth=0.8, linestyle="--")
    below.fill_between(*steps(days, shown.alarm), color="#d6452b", alpha=0.35, linewidth=0, label="alarm")
    for axes in (above, below):
        for left, right in spans(labels(group)[shown.first : shown.stop]):
            axes.axvspan(days[left], days[right - 1], color="#eeeeee", zorder=0)
        axes.legend(loc="upper left", fontsize=7, frameon=False, ncols=3)
    above.set_title(
        f"{group.name}, {group.window.keys[metric].name}" if group.window.n_series > 1 else group.name, fontsize=9
    )
    below.set_xlabel("days")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def binned(values: FloatArray) -> Iterator[FloatArray]:
    """At most `BINS` parts of (n_steps,)."""
    yield from np.array_split(values, min(BINS, len(values)))


def mean_of_bins(values: FloatArray) -> FloatArray:
    """(n_bins,) of (n_steps,): NaN where a bin holds no number."""
    return np.array([part[part == part].mean() if (part == part).any() else np.nan for part in binned(values)])


def extremes(days: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest of each bin, at its beginning and end."""
    at = np.array([(part[0], part[-1]) for part in binned(days)]).ravel()
    return at, np.array([(np.fmin.reduce(part), np.fmax.reduce(part)) for part in binned(values)]).ravel()


def steps(days: FloatArray, alarm: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Outline of a state, 1 where a bin has it anywhere."""
    at, highest = extremes(days, alarm.astype(np.float64))
    return at, highest.reshape(-1, 2).max(axis=1).repeat(2)


def spans(state: BoolArray) -> list[tuple[int, int]]:
    """First column, and the one after the last, of each run in which `state` holds."""
    edges = np.flatnonzero(np.diff(state.astype(np.int8), prepend=0, append=0))
    return [(int(first), int(stop)) for first, stop in zip(edges[::2], edges[1::2], strict=True)]


if __name__ == "__main__":
    main()
