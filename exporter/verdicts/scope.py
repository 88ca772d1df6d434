"""Of which series an alert speaks, and at which kind of time."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from itertools import combinations

import numpy as np

from detectors.verdict import KindOfTime
from series import Calendar, SeriesKey
from series.calendar import DAY
from series.matcher import Matcher

# Labels that rules/forethought.yml gives an alert, and those that a scrape adds where a series has none.
_RULES = frozenset({"alertname", "severity", "series", "query", "component"})
_PERHAPS_ADDED = ("tenant", "job", "instance", "horizon")
_OWN_JOB = "forethought"
_HOUR = 3_600.0


def scope_of_alert(labels: Mapping[str, str], known: Collection[SeriesKey]) -> tuple[Matcher, ...]:
    """Matchers of exactly the series an alert is about.

    Parameters
    ----------
    labels : mapping of str to str
        Of the alert.
    known : collection of SeriesKey
        Series of the query, as published. An alert carries their labels and some more: those of its series are
        found by leaving out one or the other. Where the series is gone, what the rules surely added is left out.

    Examples
    --------
    >>> labels = {"alertname": "ForethoughtAnomaly", "query": "runs", "pipeline": "a", "job": "forethought"}
    >>> [str(matcher) for matcher in scope_of_alert(labels, [SeriesKey({"pipeline": "a"})])]
    ['pipeline="a"']
    """
    own = {name: value for name, value in labels.items() if name not in _RULES}
    among = known if isinstance(known, set | frozenset | dict) else set(known)
    present = [name for name in _PERHAPS_ADDED if name in own]
    for count in range(len(present) + 1):
        for left_out in combinations(present, count):
            key = SeriesKey({name: value for name, value in own.items() if name not in left_out})
            if key in among:
                return _exactly(key)
    return _exactly(SeriesKey({name: value for name, value in own.items() if not _added(name, value, own)}))


def around(begun: float, ended: float, timezone: str, *, weekday_only: bool = True) -> KindOfTime:
    """The time of day an alert fell into, with an hour before and after it, in whole hours of the local clock.

    Parameters
    ----------
    begun, ended : float
        Seconds since the epoch.
    timezone : str
    weekday_only : bool, default True
        Only on the day of the week it began on.

    Examples
    --------
    >>> print(around(1782788400.0, 1782790200.0, "Europe/Berlin"))  # 2026-06-30 05:00 to 05:30 there
    tue 04:00 to 07:00 Europe/Berlin
    """
    calendar = Calendar(timezone)
    earlier = np.array([begun - _HOUR])
    second = float(calendar.second_of_day(earlier)[0])
    start = math.floor(second / _HOUR) * _HOUR
    length = math.ceil((second - start + ended - begun + 2 * _HOUR) / _HOUR) * _HOUR
    weekdays = frozenset({int(calendar.weekday(earlier)[0])}) if weekday_only else frozenset[int]()
    if length >= DAY:
        return KindOfTime(weekdays=weekdays, timezone=timezone)
    end = start + length
    return KindOfTime(weekdays=weekdays, start=start, end=end if end <= DAY else end - DAY, timezone=timezone)


def _exactly(key: SeriesKey) -> tuple[Matcher, ...]:
    return tuple(Matcher(name, "=", value) for name, value in key)


def _added(name: str, value: str, labels: Mapping[str, str]) -> bool:
    if name == "tenant":
        return value in ("none", labels.get("tenant_id"))
    if name == "instance":
        return labels.get("job") == _OWN_JOB
    return name == "horizon" or (name == "job" and value == _OWN_JOB)
