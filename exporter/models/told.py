"""All that was decided of one step, kept for whoever asks why."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exporter.held_back import Held
from exporter.models.alarms import AlarmState
from exporter.models.peer_calling import PeersTold
from exporter.models.seen import Seen
from series import BoolArray


@dataclass(frozen=True, eq=False)
class Told:
    """The newest step as a cycle left it. Nothing of it is changed later, so any thread may read it.

    Attributes
    ----------
    seen : Seen
        What the detectors said.
    held : Held
        Scores after verdicts, and what kept them quiet.
    firing : (n_series,) bool
    alarms : AlarmState
    breadth : float
        Share of the judged series that are in alarm, where it counts.
    length : (n_series,) float64
        Seconds for which each has been in alarm.
    severity : (n_series,) int8
    course : (n_series, STEPS) float32
        Signed scores of the last steps.
    peers : PeersTold or None
        None for a query without `peers_by`.
    """

    seen: Seen
    held: Held
    firing: BoolArray
    alarms: AlarmState
    breadth: float
    length: npt.NDArray[np.float64]
    severity: npt.NDArray[np.int8]
    course: npt.NDArray[np.float32]
    peers: PeersTold | None = None

    @property
    def time(self) -> float:
        """Of the step, seconds since the epoch."""
        return float(self.seen.times[-1])

    def begun(self, row: int) -> float:
        """When the alarm began that goes on, or the step where there is none: what was before is an earlier one."""
        begun = float(self.alarms.begun[row])
        return begun if math.isfinite(begun) else self.time

    @property
    def unlike_peers(self) -> BoolArray:
        """(n_series,) bool: in alarm for being unlike its peers."""
        return np.zeros(len(self.firing), dtype=np.bool_) if self.peers is None else self.peers.alarm == 1
