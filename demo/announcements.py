"""Says on the terminal when an incident begins and ends, the planned ones and those that are planted meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import requests
from rich.console import Console

from demo import show
from demo.incidents import Incident

ASK_EVERY = 1.0
"""Seconds between two questions what was planted."""


class Announcements:
    """Incidents that are still to be announced.

    Parameters
    ----------
    console : Console
    planned : iterable of Incident
        On the clock.
    planted : callable
        Gives those that somebody planted, the first one first.
    """

    def __init__(
        self, console: Console, planned: Iterable[Incident], planted: Callable[[], Sequence[Incident]]
    ) -> None:
        self._console, self._planted = console, planted
        self._events: list[tuple[float, Callable[[Console, Incident], None], Incident]] = []
        self._known, self._asked = 0, float("-inf")
        self._add(planned)

    def tell(self, now: float) -> None:
        """Announce what has begun or ended by `now`, seconds since the epoch."""
        if now >= self._asked + ASK_EVERY:
            planted = self._planted()
            self._add(planted[self._known :])
            self._known, self._asked = max(self._known, len(planted)), now
        while self._events and self._events[0][0] <= now:
            _, announce, incident = self._events.pop(0)
            announce(self._console, incident)

    def _add(self, incidents: Iterable[Incident]) -> None:
        for one in incidents:
            self._events += [(one.start, show.begins, one), (one.end, show.ends, one)]
        self._events.sort(key=lambda event: event[0])


def planted_at(load: str) -> Sequence[Incident]:
    """What was planted into the platform at the address `load`; nothing where it does not answer."""
    try:
        answer = requests.get(load + "/-/incident", timeout=5)
        return [Incident(**one) for one in answer.json()] if answer.ok else ()
    except requests.RequestException:
        return ()
