"""From scores against peers to what a person is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detectors.explain import beside
from detectors.verdict import About
from exporter.held_back import HeldBack
from exporter.models.alarms import AlarmSlot, AlarmState
from exporter.models.peer_groups import PeersSeen
from exporter.models.plan import ModelPlan
from exporter.models.seen import Seen
from exporter.models.stored import Tree
from exporter.verdicts.memory import QueryMemory
from series import BoolArray, FloatArray, SeriesKey


@dataclass(frozen=True, eq=False)
class PeersTold:
    """What is said of the last step of every series beside its peers.

    Attributes
    ----------
    seen : PeersSeen
    score, alarm : (n_series,) float64
        After verdicts; NaN where it was not compared.
    alarms : AlarmState
    reasons : mapping of int to str
        By row, in one line why a series is in alarm.
    held : mapping of int to str
        By row, what changed the score of the last step or keeps it quiet.
    """

    seen: PeersSeen
    score: FloatArray
    alarm: FloatArray
    alarms: AlarmState
    reasons: Mapping[int, str]
    held: Mapping[int, str]


class PeerCalling:
    """Decides for one query of which series it is worth telling that they differ from their peers.

    Parameters
    ----------
    plan : ModelPlan
    """

    def __init__(self, plan: ModelPlan) -> None:
        self._alarms = AlarmSlot(plan.suppression, plan.step)
        self._why: dict[SeriesKey, str] = {}

    def forget(self) -> None:
        """Start anew, as where the clock was set back."""
        self._alarms.forget()

    def judge(
        self, seen: Seen, peers: PeersSeen, held_back: HeldBack, new: BoolArray, memory: QueryMemory | None
    ) -> PeersTold:
        """Say what is to be told of the newest step.

        Parameters
        ----------
        seen : Seen
        peers : PeersSeen
            Of the same series and steps.
        held_back : HeldBack
        new : (n_steps,) bool
            Steps that were not judged before.
        memory : QueryMemory or None
            Is told of the scores.
        """
        held = held_back.apply(seen.keys, seen.times, peers.scores, peers.sides, About.PEERS)
        heard = np.where(held.quiet, np.nan, held.scores)[:, new]
        firing = self._alarms.update(seen.keys, seen.times[new], heard) & ~held.quiet[:, -1]
        if memory and new.any():
            memory.note(seen.keys, float(seen.times[-1]), peers.scores[:, -1], peers.sides[:, -1])
        last = held.scores[:, -1]
        alarm = np.where(np.isnan(last), np.nan, firing)
        return PeersTold(peers, last, alarm, self._alarms.state, self._lines(seen, peers, alarm == 1), held.reasons)

    def _lines(self, seen: Seen, peers: PeersSeen, firing: BoolArray) -> dict[int, str]:
        """The line of each alarm, as it was when the alarm began: another text is another series for Prometheus."""
        known, self._why = self._why, {}
        lines = {}
        for row in np.flatnonzero(firing).tolist():
            key, value = seen.keys[row], float(seen.value[row])
            if key in known:
                lines[row] = known[key]
            elif others := peers.others(row, value):
                lines[row] = beside(value, others.count, others.low, others.high)
        self._why = {seen.keys[row]: line for row, line in lines.items()}
        return lines

    def dump(self, number: Callable[[SeriesKey], int]) -> Tree:
        """What outlives a restart; `number` gives each series a number to stand for it."""
        why = [[number(key), text] for key, text in self._why.items()]
        return {"alarms": self._alarms.dump(number), "why": why}

    def load(self, kept: Tree, keys: Sequence[SeriesKey]) -> None:
        """Take over what `dump` gave; `keys` are the series by their numbers."""
        self._alarms.load(kept["alarms"], keys)
        self._why = {keys[number]: text for number, text in kept["why"]}
