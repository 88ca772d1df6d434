"""From scores to what a person is told: verdicts, alarms, severity, and why."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from detectors.explain import Judged, why
from detectors.severity import SeverityRule
from exporter.alarm_history import STEPS, AlarmHistory
from exporter.held_back import Held, HeldBack
from exporter.models.alarms import AlarmSlot
from exporter.models.groups import GroupJudgement
from exporter.models.peer_calling import PeerCalling, PeersTold
from exporter.models.peer_groups import PeersSeen
from exporter.models.plan import ModelPlan
from exporter.models.seen import Seen
from exporter.models.stored import Tree
from exporter.models.told import Told
from exporter.verdicts.memory import QueryMemory
from series import BoolArray, FloatArray, Reason, SeriesKey

# Earlier alarms count for so many days.
DAYS = 14


@dataclass(frozen=True, eq=False)
class Judgement:
    """What is said of the last complete step of every series.

    Attributes
    ----------
    value, expected, lower, upper, score, alarm, votes, severity : (n_series,) float64
        NaN where there is nothing to say.
    members : mapping of str to (n_series,) float64
        Score of each detector.
    reasons : mapping of int to str
        By row, in one line why a series is in alarm.
    quiet : (n_series,) bool
        Of which nothing is to be told now, because people said so.
    groups : GroupJudgement
    peers : PeersTold or None
        None for a query without `peers_by`.
    skipped : mapping of Reason to int
        How many series were not judged, and why.
    """

    value: FloatArray
    expected: FloatArray
    lower: FloatArray
    upper: FloatArray
    score: FloatArray
    alarm: FloatArray
    votes: FloatArray
    severity: FloatArray
    members: Mapping[str, FloatArray]
    reasons: Mapping[int, str]
    quiet: BoolArray
    groups: GroupJudgement
    peers: PeersTold | None
    skipped: Mapping[Reason, int]


@dataclass(eq=False)
class _Course:
    """Signed scores of the last steps of every series."""

    keys: tuple[SeriesKey, ...] = ()
    steps: npt.NDArray[np.float32] = field(default_factory=lambda: np.empty((0, STEPS), dtype=np.float32))

    def take(self, keys: tuple[SeriesKey, ...], signed: FloatArray) -> None:
        if keys is not self.keys:
            place = {key: row for row, key in enumerate(self.keys)}
            old = np.fromiter((place.get(key, -1) for key in keys), dtype=np.intp, count=len(keys))
            carried = np.full((len(keys), STEPS), np.nan, dtype=np.float32)
            carried[old >= 0] = self.steps[old[old >= 0]]
            self.keys, self.steps = keys, carried
        if signed.shape[1]:
            self.steps = np.concatenate([self.steps, signed.astype(np.float32)], axis=1)[:, -STEPS:]


class Calling:
    """Decides for one query what is worth telling a person.

    Parameters
    ----------
    plan : ModelPlan
    held_back : HeldBack
        What people said about its series.

    Attributes
    ----------
    held_back : HeldBack
        May be exchanged for that of another configuration.
    memory : QueryMemory
        Sizes of the last day, for those who give verdicts.
    history : AlarmHistory
    severity : SeverityRule
    told : Told or None
        The newest step, for whoever asks why; None before the first.
    """

    def __init__(self, plan: ModelPlan, held_back: HeldBack) -> None:
        self._plan = plan
        self.held_back = held_back
        self._alarms = AlarmSlot(plan.suppression, plan.step)
        self._groups = AlarmSlot(plan.suppression, plan.step)
        self._peers = PeerCalling(plan)
        self.severity = SeverityRule()
        self.told: Told | None = None
        self._course = _Course()
        self._why: dict[SeriesKey, str] = {}
        self.history = AlarmHistory()
        self.memory = QueryMemory(plan.timezone, QueryMemory(plan.timezone), self.history)

    def judge(self, seen: Seen, peers: PeersSeen | None = None) -> Judgement:
        """Say what is to be told of the newest step; call it once for each step."""
        if seen.times[-1] < self._alarms.until:  # the clock was set back
            self._alarms.forget()
            self._groups.forget()
            self._peers.forget()
        held = self.held_back.apply(seen.keys, seen.times, seen.scores, seen.sides)
        new = seen.times > self._alarms.until
        firing = self._alarms.update(seen.keys, seen.times[new], np.where(held.quiet, np.nan, held.scores)[:, new]) & ~(
            held.quiet[:, -1] if len(seen.keys) else np.zeros(0, dtype=np.bool_)
        )
        self._remember(seen, firing, new)
        judged = ~(np.isnan(seen.scores[:, -1]) | seen.warming_up)
        breadth = self.severity.breadth(firing, judged)
        length = np.where(firing, seen.times[-1] - np.nan_to_num(self._alarms.begun, nan=seen.times[-1]), 0.0)
        severity = self.severity.of(self._alarms.peak, length, breadth, self._plan.importance, firing)
        told = self._peers.judge(seen, peers, self.held_back, new, self.memory.peers) if peers else None
        self.told = Told(seen, held, firing, self._alarms.state, breadth, length, severity, self._course.steps, told)
        groups = self._judge_groups(seen, held, new, firing)
        return _judgement(seen, held, firing, severity, self._reasons(self.told), groups, told)

    def _judge_groups(self, seen: Seen, held: Held, new: BoolArray, calling: BoolArray) -> GroupJudgement:
        groups = seen.groups
        quiet = groups.all_quiet(held.quiet) if groups.keys else np.zeros(groups.scores.shape, dtype=np.bool_)
        scores = np.where(quiet, np.nan, groups.scores)
        firing = self._groups.update(groups.keys, seen.times[new], scores[:, new]) & ~quiet[:, -1]
        firing = firing & ~groups.any_of(calling)
        last = groups.scores[:, -1]
        return GroupJudgement(groups.keys, last, np.where(np.isnan(last), np.nan, firing), groups.contributions)

    def dump(self, number: Callable[[SeriesKey], int]) -> Tree:
        """What outlives a restart; `number` gives each series a number to stand for it."""
        return {
            "alarms": self._alarms.dump(number),
            "groups": self._groups.dump(number),
            "peers": self._peers.dump(number),
            "history": self.history.dump(number),
            "why": [[number(key), text] for key, text in self._why.items()],
        }

    def load(self, kept: Tree, keys: Sequence[SeriesKey]) -> None:
        """Take over what `dump` gave; `keys` are the series by their numbers."""
        self._alarms.load(kept["alarms"], keys)
        self._groups.load(kept["groups"], keys)
        self._peers.load(kept["peers"], keys)
        self.history.load(kept["history"], keys)
        self._why = {keys[number]: text for number, text in kept["why"]}

    def _remember(self, seen: Seen, firing: BoolArray, new: BoolArray) -> None:
        if not new.any():
            return
        self._course.take(seen.keys, (seen.scores * np.where(seen.sides < 0, -1.0, 1.0))[:, new])
        now = float(seen.times[-1])
        self.memory.note(seen.keys, now, seen.scores[:, -1], seen.sides[:, -1])
        course = self._course.steps.astype(np.float64) if firing.any() else _NONE
        self.history.note(seen.keys, now, firing, course, seen.members, seen.votes)

    def _reasons(self, told: Told) -> dict[int, str]:
        """The line of each alarm, as it was when the alarm began: another text is another series for Prometheus."""
        keys, rows = told.seen.keys, np.flatnonzero(told.firing).tolist()
        known, self._why = self._why, {}
        for row in rows:
            self._why[keys[row]] = known.get(keys[row]) or why(self.explained(told, row), days=DAYS)
        return {row: self._why[keys[row]] for row in rows}

    def explained(self, told: Told, row: int, level: float = math.nan) -> Judged:
        """What was found of the last step of one series; `level` is where it stands without its season."""
        seen, held, now, begun = told.seen, told.held, told.time, told.begun(row)
        return Judged(
            time=now,
            value=float(seen.value[row]),
            expected=float(seen.expected[row]),
            lower=float(seen.lower[row]),
            upper=float(seen.upper[row]),
            score=float(held.scores[row, -1]),
            level=level,
            timezone=self._plan.timezone,
            votes=dict(zip(seen.members, seen.votes[:, row].tolist(), strict=True)),
            suppressed=held.reasons.get(row, ""),
            occasions=self._occasions(now),
            earlier=[time for time in self.history.earlier(seen.keys[row]) if time < begun],
        )

    def _occasions(self, now: float) -> list[str]:
        if self._plan.occasions is None:
            return []
        rows = self._plan.occasions.at(np.array([now]))
        return [name for name in rows.names if rows[name][0] and name != "weekend"]


_NONE: FloatArray = np.empty((0, STEPS))


def _judgement(
    seen: Seen,
    held: Held,
    firing: BoolArray,
    severity: npt.NDArray[np.int8],
    reasons: dict[int, str],
    groups: GroupJudgement,
    peers: PeersTold | None,
) -> Judgement:
    infinite, missing = np.isinf(seen.value), np.isnan(seen.value)
    warming_up = seen.warming_up & ~(infinite | missing)
    score = np.where(warming_up, 0.0, held.scores[:, -1])
    said = np.stack([seen.value, seen.expected, seen.lower, seen.upper, score, firing, seen.agreeing, severity])
    said[:, infinite | missing] = np.nan
    value, expected, lower, upper, score, alarm, votes, severe = said
    skipped = {
        Reason.NO_SAMPLE: int(missing.sum()),
        Reason.NOT_FINITE: int(infinite.sum()),
        Reason.WARMING_UP: int(warming_up.sum()),
    }
    members = dict(zip(seen.members, np.where(infinite | missing | warming_up, np.nan, seen.votes), strict=True))
    quiet = held.quiet[:, -1] if len(seen.keys) else np.zeros(0, dtype=np.bool_)
    figures = value, expected, lower, upper, score, alarm, votes, severe
    return Judgement(*figures, members, reasons, quiet, groups, peers, skipped)
