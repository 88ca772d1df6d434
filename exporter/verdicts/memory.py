"""How far series strayed in the last day, so that a verdict knows the size of what it judges."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.verdict import About, JudgedAlarm
from exporter.alarm_history import AlarmHistory
from exporter.published import PublishedIndex, published_keys
from exporter.verdicts.desk import Size
from series import FloatArray, SeriesKey
from series.matcher import Matcher

_HOUR = 3_600
HOURS = 26
# An hour takes several parts where series come and go; of a query where they do all the time a shorter past is known.
_MOST = 4 * HOURS


@dataclass(eq=False)
class _Hour:
    """The farthest signed score of each series within an hour."""

    number: int
    keys: tuple[SeriesKey, ...]
    peaks: npt.NDArray[np.float32]


class QueryMemory:
    """The series of one query and their highest scores, by the hour for a day and two hours.

    Four bytes a series and hour. Written by the cycle, read by whoever gives a verdict, in other threads.

    Parameters
    ----------
    timezone : str
        Of the query's days.
    peers : QueryMemory or None
        Of the same series' scores against their peers.
    alarms : AlarmHistory or None
        Of the same series.
    """

    def __init__(
        self, timezone: str = "UTC", peers: QueryMemory | None = None, alarms: AlarmHistory | None = None
    ) -> None:
        self.timezone = timezone
        self.peers = peers
        self.alarms = alarms
        self._hours: deque[_Hour] = deque(maxlen=_MOST)
        self._published: tuple[tuple[SeriesKey, ...], frozenset[SeriesKey]] = ((), frozenset())
        self._index = PublishedIndex(())

    def note(self, keys: tuple[SeriesKey, ...], time: float, scores: FloatArray, sides: FloatArray) -> None:
        """Take in one judged step.

        Parameters
        ----------
        keys : tuple of SeriesKey, length n_series
        time : float
            Of the step, seconds since the epoch.
        scores, sides : (n_series,) float64
            Before verdicts; the sign of the deviation.
        """
        signed = np.nan_to_num(np.where(sides < 0, -scores, scores)).astype(np.float32)
        number = int(time // _HOUR)
        last = self._hours[-1] if self._hours else None
        if last is None or last.number != number or last.keys is not keys:
            while self._hours and self._hours[0].number <= number - HOURS:
                self._hours.popleft()
            self._hours.append(_Hour(number, keys, signed))
            return
        higher = np.abs(signed) > np.abs(last.peaks)
        last.peaks = np.where(higher, signed, last.peaks)

    @property
    def series(self) -> frozenset[SeriesKey]:
        """Series of the last step, as published."""
        keys = self._hours[-1].keys if self._hours else ()
        if keys is not self._published[0]:
            self._published = (keys, frozenset(published_keys(keys)))
        return self._published[1]

    def size(self, matchers: Sequence[Matcher], since: float) -> Size | None:
        """The highest score of these series from the hour of `since` on; None where there is none."""
        found: list[float] = []
        index = self._index
        for hour in list(self._hours):
            if (hour.number + 1) * _HOUR <= since:
                continue
            if index.keys is not hour.keys:
                index = PublishedIndex(hour.keys)
            peaks = hour.peaks[index.rows(tuple(matchers))]
            if len(peaks):
                found.append(float(peaks[np.abs(peaks).argmax()]))
        self._index = index  # the one of the last hours: a notification of many alerts asks for each
        if not found:
            return None
        largest = max(found, key=abs)
        return Size(abs(largest), int(np.sign(largest)))


@dataclass(frozen=True)
class WatchedQueries:
    """What a running service knows of its queries, for those who give verdicts.

    Parameters
    ----------
    memories : callable
        Gives the memories by the query's name, as they are now.
    """

    memories: Callable[[], Mapping[str, QueryMemory]]

    def queries(self) -> Collection[str]:
        """Names of all queries."""
        return self.memories().keys()

    def series(self, query: str) -> Collection[SeriesKey]:
        """Series of a query as published; empty for one that is not known."""
        memory = self.memories().get(query)
        return memory.series if memory else ()

    def size(self, query: str, matchers: Sequence[Matcher], since: float, about: About = About.ANY) -> Size | None:
        """The highest score of these series from `since` on; of all queries where none is named."""
        memories = self.memories()
        chosen = [memories[query]] if query in memories else [] if query else list(memories.values())
        asked = [memory.peers if about is About.PEERS else memory for memory in chosen]
        sizes = [memory.size(matchers, since) for memory in asked if memory]
        return max(filter(None, sizes), key=lambda size: size.score, default=None)

    def alarm(self, query: str, matchers: Sequence[Matcher], since: float, until: float) -> JudgedAlarm | None:
        """The last alarm of these series of a query that began in that time; None where none is known."""
        memory = self.memories().get(query)
        return memory.alarms.last(matchers, since, until) if memory and memory.alarms else None

    def timezone(self, query: str) -> str:
        """Zone of a query's days; UTC for one that is not known."""
        memory = self.memories().get(query)
        return memory.timezone if memory else "UTC"
