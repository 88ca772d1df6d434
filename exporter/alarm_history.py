"""Earlier alarms of each series: how often it called, and which of them looked like this one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.explain import Example, nearest
from detectors.verdict import JudgedAlarm
from exporter.published import meant_rows
from series import BoolArray, FloatArray, SeriesKey
from series.calendar import DAY
from series.matcher import Matcher

# Of each series; older ones go first.
MOST = 20
LONGEST = 90.0 * DAY
# Steps before and at the beginning of an alarm by which it is compared with others.
STEPS = 24


@dataclass(frozen=True, eq=False)
class _Alarms:
    """The alarms of one series, oldest first; never changed, so that other threads may read them.

    Attributes
    ----------
    begun : tuple of float
    courses : tuple of (STEPS,) float32
    votes : tuple of (n_members,) float32
    """

    begun: tuple[float, ...] = ()
    courses: tuple[npt.NDArray[np.float32], ...] = ()
    votes: tuple[npt.NDArray[np.float32], ...] = ()

    def with_one(self, time: float, course: FloatArray, votes: FloatArray) -> _Alarms:
        begun, courses = (*self.begun, time), (*self.courses, course.astype(np.float32))
        all_votes = (*self.votes, votes.astype(np.float32))
        old = sum(each < time - LONGEST for each in begun)
        gone = max(old, len(begun) - MOST)
        return _Alarms(begun[gone:], courses[gone:], all_votes[gone:])

    def without_last(self) -> _Alarms:
        return _Alarms(self.begun[:-1], self.courses[:-1], self.votes[:-1])


_NONE = _Alarms()


class AlarmHistory:
    """Remembers the alarms of a query's series by their keys. Only series that ever called take memory."""

    def __init__(self) -> None:
        self._alarms: dict[SeriesKey, _Alarms] = {}
        self._firing: set[SeriesKey] = set()
        self._members: tuple[str, ...] = ()

    def note(
        self,
        keys: Sequence[SeriesKey],
        time: float,
        alarm: BoolArray,
        deviation: FloatArray,
        members: tuple[str, ...] = (),
        votes: FloatArray | None = None,
    ) -> None:
        """Take in one judged step.

        Parameters
        ----------
        keys : sequence of SeriesKey, length n_series
        time : float
            Of the step, seconds since the epoch.
        alarm : (n_series,) bool
        deviation : (n_series, n_steps) float64
            Signed scores of the last steps up to this one, of which `STEPS` are kept.
        members : tuple of str
            Names of the detectors, the same at every step.
        votes : (n_members, n_series) float64 or None
            Score of each at this step; NaN where it takes no part.
        """
        self._members = members or self._members
        now = {keys[row]: row for row in np.flatnonzero(alarm).tolist()}
        for key in now.keys() - self._firing:
            said = np.empty(0) if votes is None else votes[:, now[key]]
            self._alarms[key] = self._alarms.get(key, _NONE).with_one(time, _course(deviation[now[key]]), said)
        self._firing = set(now)

    def earlier(self, key: SeriesKey) -> tuple[float, ...]:
        """When alarms of a series began, but for one that goes on, oldest first."""
        return self._over(key).begun

    def last(self, matchers: Sequence[Matcher], since: float, until: float) -> JudgedAlarm | None:
        """The last alarm of the series that `matchers` mean which began in that time. Any thread may ask."""
        known = list(self._alarms.items())
        found: tuple[float, npt.NDArray[np.float32]] | None = None
        for row in meant_rows([key for key, _ in known], matchers):
            for begun, votes in zip(known[row][1].begun, known[row][1].votes, strict=True):
                if since <= begun <= until and (found is None or begun > found[0]):
                    found = begun, votes
        if found is None or len(found[1]) != len(self._members):
            return None
        voted = zip(self._members, found[1].tolist(), strict=True)
        return JudgedAlarm(found[0], tuple((name, vote) for name, vote in voted if not np.isnan(vote)))

    def examples(self, key: SeriesKey, time: float, deviation: FloatArray, *, most: int = 3) -> tuple[Example, ...]:
        """Alarms of the series that are over, began before `time` and looked most like its last steps."""
        known = self._over(key)
        past = [place for place, begun in enumerate(known.begun) if begun < time]
        if not past:
            return ()
        courses = np.array([known.courses[place] for place in past], dtype=np.float64)
        return nearest(_course(deviation), courses, np.array([known.begun[place] for place in past]), most=most)

    def _over(self, key: SeriesKey) -> _Alarms:
        known = self._alarms.get(key, _NONE)
        return known.without_last() if known.begun and key in self._firing else known

    def dump(self, number: Callable[[SeriesKey], int]) -> dict[str, Any]:
        """What outlives a restart; `number` gives each series a number to stand for it."""
        rows = [number(key) for key, known in self._alarms.items() for _ in known.begun]
        courses = [course for known in self._alarms.values() for course in known.courses]
        begun = [time for known in self._alarms.values() for time in known.begun]
        members = len(self._members)
        votes = [vote for known in self._alarms.values() for vote in known.votes]
        votes = [vote if len(vote) == members else np.full(members, np.nan, np.float32) for vote in votes]
        firing = [number(key) for key in self._firing]
        return {
            "series": np.array(rows, dtype=np.int64),
            "begun": np.array(begun, dtype=np.float64),
            "courses": np.array(courses, dtype=np.float32).reshape(len(begun), STEPS),
            "members": list(self._members),
            "votes": np.array(votes, dtype=np.float32).reshape(len(begun), members),
            "firing": np.array(firing, dtype=np.int64),
        }

    def load(self, kept: Mapping[str, Any], keys: Sequence[SeriesKey]) -> None:
        """Take over what `dump` gave; `keys` are the series by their numbers. Raises LookupError for something else."""
        self._alarms.clear()
        self._members = tuple(kept["members"])
        alarms = zip(kept["series"].tolist(), kept["begun"].tolist(), kept["courses"], kept["votes"], strict=True)
        for row, begun, course, votes in alarms:
            self._alarms[keys[row]] = self._alarms.get(keys[row], _NONE).with_one(begun, course, votes)
        self._firing = {keys[row] for row in kept["firing"].tolist()}


def _course(deviation: FloatArray) -> FloatArray:
    """The last steps, with NaN before them where there are fewer."""
    course = np.full(STEPS, np.nan)
    last = deviation[-STEPS:]
    course[STEPS - len(last) :] = last
    return course
