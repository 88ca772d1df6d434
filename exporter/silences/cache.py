"""The silences as of the last answer, so that no cycle waits for Alertmanager."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from exporter.silences.reader import Silence, SilenceSource, SilencesUnreadable

log = structlog.get_logger("forethought.silences")


class SilenceCache:
    """The silences as of the last good answer. Reading them never fails and never waits for the network.

    Parameters
    ----------
    source : SilenceSource
    every : float, default 30
        Seconds between two requests.
    keep : float, default 600
        Seconds for which the last answer holds while Alertmanager does not answer; after them nothing is silenced.
    clock : callable
        Seconds since the epoch.
    """

    def __init__(
        self, source: SilenceSource, *, every: float = 30.0, keep: float = 600.0, clock: Callable[[], float] = time.time
    ) -> None:
        self._source, self._every, self._keep, self._clock = source, every, keep, clock
        self._silences: tuple[Silence, ...] = ()
        self._read_at = -float("inf")
        self._problem = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="silences", daemon=True)

    @property
    def problem(self) -> str:
        """Why the last request failed; empty where it did not."""
        return self._problem

    @property
    def read_at(self) -> float:
        """When Alertmanager last answered, seconds since the epoch; minus infinity for never."""
        return self._read_at

    def start(self) -> None:
        """Read at once and then every so often, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Read no more. Does not wait for a request under way."""
        self._stop.set()

    def refresh(self) -> None:
        """Ask once. What fails is logged when it begins and when it is over."""
        try:
            self._silences = self._source.read()
        except SilencesUnreadable as error:
            if not self._problem:
                log.warning("silences cannot be read; alarms go on without them", problem=str(error))
            self._problem = str(error)
            return
        if self._problem:
            log.info("silences are read again")
        self._problem, self._read_at = "", self._clock()

    def active(self) -> tuple[Silence, ...]:
        """Silences in force now."""
        now = self._clock()
        if now - self._read_at > self._keep:
            return ()
        return tuple(silence for silence in self._silences if silence.starts <= now < silence.ends)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.refresh()
            except Exception:
                log.exception("reading silences broke")
            self._stop.wait(self._every)
