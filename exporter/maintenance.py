"""Maintenance windows: times in which alarms about some series are held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exporter.config_calendars import MaintenanceSection
from exporter.published import PublishedIndex
from series import BoolArray, FloatArray
from series.event import Event
from series.matcher import Matcher, parse_matchers


@dataclass(frozen=True)
class MaintenanceWindow:
    """A planned event and the series it is for.

    Attributes
    ----------
    event : Event
    queries : tuple of str
        Names; empty for all.
    matchers : tuple of Matcher
        Labels as published; empty for all series.
    """

    event: Event
    queries: tuple[str, ...] = ()
    matchers: tuple[Matcher, ...] = ()

    @classmethod
    def of(cls, section: MaintenanceSection) -> MaintenanceWindow:
        """The window a section of the configuration describes."""
        return cls(section.event(), section.queries, parse_matchers(section.matchers))


class Maintenance:
    """The windows for the series of a query; made once for its keys.

    Parameters
    ----------
    windows : sequence of MaintenanceWindow
    query : str
    index : PublishedIndex
        Of the query's series.
    """

    def __init__(self, windows: Sequence[MaintenanceWindow], query: str, index: PublishedIndex) -> None:
        wanted = [window for window in windows if not window.queries or query in window.queries]
        self._n_series = len(index.keys)
        self._windows = [(window.event, index.where(window.matchers)) for window in wanted]

    def during(self, times: FloatArray) -> BoolArray:
        """(n_series, n_steps) bool: whether each series is under maintenance at each of `times`."""
        under = np.zeros((self._n_series, len(times)), dtype=np.bool_)
        for event, rows in self._windows:
            under |= rows[:, None] & event.during(times)
        return under

    def names(self, time: float) -> dict[int, str]:
        """Name of the window each series is in at `time`, seconds since the epoch; only rows that are in one."""
        names: dict[int, str] = {}
        for event, rows in reversed(self._windows):  # the first one configured has the last word
            if event.during(np.array([time]))[0]:
                names |= dict.fromkeys(np.flatnonzero(rows).tolist(), event.name)
        return names
