"""How much a server is asked at once: less when it is slow or busy, more again when it is well."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Protocol

from sources.errors import SourceUnavailable

# "Later", in three ways: too many requests, too busy, too late.
_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
# The rest after the first sign of overload that meets a single request, in seconds; doubled by each further one.
_FIRST_REST = 1.0
# A server that asks for a longer rest by Retry-After has made a mistake, or is given up anyway.
_LONGEST_WISH = 600.0


class Pace:
    """How many requests may run at once: one more after a good round, half after a sign of overload.

    When a single request is still too much, the server gets a rest: after a slow answer for as long as that took, after
    a refusal twice as long as the time before.

    Parameters
    ----------
    most : int, default 4
        Requests at once while the server is well.
    slow : float, default 10
        Seconds; an answer that takes longer is a sign of overload.
    longest_rest : float, default 60
        Seconds. A server that asks for a longer rest gets it.

    Attributes
    ----------
    limit : float
        Requests that may run now; its whole part counts.
    running : int
    rest : float
        Seconds of the rest given last; 0 since the last good answer.

    References
    ----------
    Chiu and Jain (1989), Analysis of the increase and decrease algorithms for congestion avoidance.
    """

    def __init__(self, most: int = 4, *, slow: float = 10.0, longest_rest: float = 60.0) -> None:
        if most < 1:
            raise ValueError(f"Pace.most must be 1 or more. Got {most}.")
        if not (slow > 0 and longest_rest > 0):
            raise ValueError(f"Pace.slow and longest_rest must be above 0. Got {slow} and {longest_rest}.")
        self.limit = float(most)
        self.running = 0
        self.rest = 0.0
        self._most = most
        self._slow = slow
        self._longest_rest = longest_rest
        self._resting_until = -math.inf
        self._slowed_at = -math.inf

    def wait(self, now: float) -> float:
        """Seconds until a request may start: 0 for at once, infinite where another must end first."""
        if self.running >= int(self.limit):
            return math.inf
        return max(0.0, self._resting_until - now)

    def start(self) -> None:
        """Count a request that starts."""
        self.running += 1

    def answered(self, started: float, now: float) -> bool:
        """Take in that a request was answered. Gives True where that took too long."""
        self.running -= 1
        if now - started > self._slow:
            self._slow_down(started, now, rest=now - started)
            return True
        self.rest = 0.0
        self.limit = min(self._most, self.limit + 1 / int(self.limit))
        return False

    def refused(self, started: float, now: float, wish: float | None = None) -> None:
        """Take in that the server was too busy; `wish` is the rest it asks for, in seconds."""
        self.running -= 1
        self._slow_down(started, now, rest=max(_FIRST_REST, 2 * self.rest))
        if wish:
            self._give_rest(now, min(wish, _LONGEST_WISH))

    def failed(self) -> None:
        """Take in that a request ended in a way that says nothing of the server's load."""
        self.running -= 1

    def _slow_down(self, started: float, now: float, rest: float) -> None:
        if started < self._slowed_at:
            return  # sent before the last change had any effect
        if self.limit < 2:
            self._give_rest(now, min(rest, self._longest_rest))
        self.limit = max(1.0, self.limit / 2)
        self._slowed_at = now

    def _give_rest(self, now: float, rest: float) -> None:
        self.rest = rest
        self._resting_until = max(self._resting_until, now + rest)


class PaceObserver(Protocol):
    """Who wants to know how fast a server is asked."""

    def __call__(self, limit: int, running: int, rest: float, overload: str | None) -> None:
        """Called at every change; `overload` is ``slow`` or ``busy`` where that is the cause."""


class Gate:
    """Lets requests start at the pace a server can bear, in the order they came. Thread-safe.

    Parameters
    ----------
    pace : Pace
    clock : callable
        Monotonic seconds.
    on_change : callable or None
        Told of the pace after every start and end of a request.
    """

    def __init__(
        self, pace: Pace, *, clock: Callable[[], float] = time.monotonic, on_change: PaceObserver | None = None
    ) -> None:
        self._pace = pace
        self._clock = clock
        self._on_change = on_change
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()
        self._closed = False

    @contextmanager
    def turn(self, query: str, asked: str, deadline: float) -> Iterator[None]:
        """Wait until a request may run, and learn from how it ends.

        Parameters
        ----------
        query, asked : str
            For messages.
        deadline : float
            Latest start, by the clock.

        Raises
        ------
        SourceUnavailable
            Where it could not start in time.
        """
        started = self._enter(query, asked, deadline)
        try:
            yield
        except SourceUnavailable as error:
            self._leave(started, error)
            raise
        except BaseException:
            self._leave(started, None, answered=False)
            raise
        self._leave(started, None)

    def close(self) -> None:
        """Let nothing start any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _enter(self, query: str, asked: str, deadline: float) -> float:
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
            try:
                while (wait := self._wait(ticket)) > 0:
                    left = deadline - self._clock()
                    if self._closed or left <= 0 or left < wait < math.inf:
                        raise self._no_turn(query, asked, wait)
                    self._changed.wait(min(wait, left))
                self._pace.start()
                self._tell(None)
                return self._clock()
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()

    def _wait(self, ticket: object) -> float:
        if self._closed or self._queue[0] is not ticket:
            return math.inf
        return self._pace.wait(self._clock())

    def _leave(self, started: float, error: SourceUnavailable | None, *, answered: bool = True) -> None:
        with self._changed:
            overload = None
            if error is not None and (error.timed_out or error.status in _BUSY):
                self._pace.refused(started, self._clock(), error.retry_after)
                overload = "busy"
            elif error is not None or not answered:
                self._pace.failed()
            elif self._pace.answered(started, self._clock()):
                overload = "slow"
            self._tell(overload)
            self._changed.notify_all()

    def _tell(self, overload: str | None) -> None:
        if self._on_change:
            self._on_change(int(self._pace.limit), self._pace.running, self._pace.rest, overload)

    def _no_turn(self, query: str, asked: str, wait: float) -> SourceUnavailable:
        if wait < math.inf:
            return SourceUnavailable(query, f"{asked} must not be asked for another {wait:.0f} s, as it was too busy.")
        return SourceUnavailable(query, f"{asked} must answer other requests first. It did not in time.")
