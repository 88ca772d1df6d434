"""Finds the step that is asked about, and says why it was judged as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from exporter.cycle import QueryCycle
from exporter.explain.account import Account, account, slow_change
from exporter.explain.past import Beside, walk
from exporter.freshness import FRESH, Freshness
from exporter.lookup import Desk, NotYet, only_row
from exporter.models.groups import group_of
from exporter.models.told import Told
from exporter.moments import written_moment
from exporter.published import published_key
from series import SeriesKey, Window
from series.matcher import Matcher


class Explainer(Desk):
    """Answers why.

    Parameters
    ----------
    cycles : callable
        Gives the queries' cycles by name, as they are now.
    freshness : callable
        Says of a query, by its name, whether its results are still the present.
    """

    def __init__(
        self,
        cycles: Callable[[], Mapping[str, QueryCycle]],
        freshness: Callable[[str], Freshness] = lambda query: FRESH,
    ) -> None:
        super().__init__(cycles)
        self._freshness = freshness

    def explain(self, query: str, matchers: Sequence[Matcher], time: float | None = None) -> Account:
        """Say why a step of one series was judged as it was.

        Parameters
        ----------
        query : str
            Name of the query.
        matchers : sequence of Matcher
            Of the labels as published; they must mean one series.
        time : float or None
            Seconds since the epoch; the last complete step up to then counts. By default the last judged one.

        Raises
        ------
        NotKnown
            For a query or series that is not there.
        NotYet
            Before the first cycle.
        ValueError
            Where the matchers mean several series, or the time lies outside of the history.
        """
        cycle = self.cycle(query)
        if (told := cycle.calling.told) is None:
            raise NotYet(f"{query} must have been judged once. Got no finished cycle yet.")
        row = only_row(told.seen.keys, matchers, query)
        if time is None or time >= told.time:
            if time is not None and time >= told.time + cycle.plan.step:
                raise ValueError(f"time must be up to {written_moment(told.time)}, the last judged step.")
            said = {"judged": "live"} | _present(cycle, told, row)
        else:
            said = _past(cycle, told.seen.keys[row], time)
        slow = slow_change(cycle.slow.of(told.seen.keys[row]))
        return {"query": query} | said | {"withdrawn": self._freshness(query).withdrawn, "slowChange": slow}


def _present(cycle: QueryCycle, told: Told, row: int) -> Account:
    basis = cycle.detector.basis(told.seen.keys[row], told.time)
    return account(cycle.plan, cycle.calling, told, row, basis)


def _past(cycle: QueryCycle, key: SeriesKey, time: float) -> Account:
    together, schedule = _together(cycle, key), cycle.detector.schedule(key)
    peers = cycle.peers.together(key, cycle.store.keys) if cycle.peers else []
    known = cycle.store.copy(list(dict.fromkeys([*together, *peers])))
    if known is None or schedule is None or key not in known.keys:
        raise NotYet(f"{published_key(key)!r} must have samples. Got none in the history.")
    history, column = _of(known, together), _column(known, time)
    beside = Beside(cycle.plan, cycle.peers.schedule(key) or schedule, _of(known, peers)) if cycle.peers else None
    walked = walk(cycle.plan, schedule, cycle.held_back.of_the_past(), history, column, beside)
    told = walked.calling.told
    if told is None:
        raise NotYet("a step must have been judged. Got none.")
    walked.calling.history = cycle.calling.history
    row, at = told.seen.keys.index(key), told.time
    said = account(cycle.plan, walked.calling, told, row, walked.detector.basis(key, at))
    return {"judged": "again" if walked.whole else "again, from a shorter history"} | said


def _of(window: Window, keys: Sequence[SeriesKey]) -> Window:
    place = {key: row for row, key in enumerate(window.keys)}
    return window.rows([place[key] for key in keys if key in place])


def _together(cycle: QueryCycle, key: SeriesKey) -> list[SeriesKey]:
    """A series with those of its group, which are judged together."""
    if not (labels := cycle.plan.group_by):
        return [key]
    return [each for each in cycle.store.keys if group_of(each, labels) == group_of(key, labels)]


def _column(history: Window, time: float) -> int:
    column = int(np.searchsorted(history.times, time, side="right")) - 1
    if column < 1:
        first = float(history.times[1])
        raise ValueError(f"time must be from {written_moment(first)} on, where the history begins.")
    return column
