"""Maintenance windows: times in which alarms about some series are held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exporter.config_calendars import MaintenanceSection
from exporter.published import published_keys
from series import BoolArray, FloatArray, SeriesKey
from series.event import Event
from series.label_index import LabelIndex
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
    keys : sequence of SeriesKey
        Of the input.
    """

    def __init__(self, windows: Sequence[MaintenanceWindow], query: str, keys: Sequence[SeriesKey]) -> None:
        wanted = [window for window in windows if not window.queries or query in window.queries]
        index = LabelIndex(published_keys(keys)) if wanted else LabelIndex(())
        self._n_series = len(keys)
        self._windows = [(window.event, index.where(window.matchers)) for window in wanted]

    def during(self, times: FloatArray) -> BoolArray:
        """(n_series, n_steps) bool: whether each series is under maintenance at each of `times`."""
        under = np.zeros((self._n_series, len(times)), dtype=np.bool_)
        for event, rows in self._windows:
            under |= rows[:, None] & event.during(times)
        return under

    def names(self, time: float) -> list[str]:
        """Name of the window each series is in at `time`, seconds since the epoch; empty for none."""
        names = np.full(self._n_series, "", dtype=object)
        for event, rows in reversed(self._windows):  # the first one configured has the last word
            if event.during(np.array([time]))[0]:
                names[rows] = event.name
        return list(names)
