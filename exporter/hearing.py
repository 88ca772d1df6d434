"""What people say to the service, and where: verdicts, maintenance windows, silences."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import structlog

from detectors.verdict import Verdict
from exporter.config import Configuration
from exporter.config_calendars import AlertmanagerSection
from exporter.held_back import HeldBack, Said
from exporter.maintenance import MaintenanceWindow
from exporter.silences.cache import SilenceCache
from exporter.silences.reader import Silence
from exporter.silences.silenced import AlertLabels
from exporter.verdicts.desk import VerdictDesk
from exporter.verdicts.errors import VerdictStoreError
from exporter.verdicts.memory import QueryMemory, WatchedQueries

if TYPE_CHECKING:
    from exporter.verdicts.store import VerdictStore

log = structlog.get_logger("forethought.hearing")


@dataclass(frozen=True, eq=False)
class Ears:
    """What is needed to hear.

    Attributes
    ----------
    store : callable
        Opens where verdicts are kept.
    silences : callable
        Makes what reads an Alertmanager's silences.
    """

    store: Callable[[], VerdictStore]
    silences: Callable[[AlertmanagerSection], SilenceCache]


class Hearing:
    """Listens for a running service.

    The database is opened when it is first asked: its library takes longer to import than all the rest of a start.

    Parameters
    ----------
    config : Configuration
    ears : Ears
    memories : callable
        Gives the memories of the queries, by name.
    clock : callable
        Seconds since the epoch.
    """

    def __init__(
        self,
        config: Configuration,
        ears: Ears,
        memories: Callable[[], Mapping[str, QueryMemory]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config, self._ears = config, ears
        self._memories, self._clock = memories, clock
        self._lock = threading.Lock()
        self._opened: VerdictStore | None = None
        self._silences = self._listen(config)
        self._problem = ""

    @cached_property
    def desk(self) -> VerdictDesk:
        """Where verdicts are given and taken back.

        Raises
        ------
        VerdictStoreError
            Where the database cannot be opened.
        """
        watched = WatchedQueries(self._memories)
        return VerdictDesk(self._store(), watched, lasts=lambda: float(self._config.verdicts.lasts), clock=self._clock)

    def start(self) -> None:
        """Begin to read silences."""
        if self._silences:
            self._silences.start()

    def change(self, config: Configuration) -> None:
        """Follow a new configuration."""
        former, self._config = self._config, config
        if config.alertmanager != former.alertmanager:
            self._hush()
            self._silences = self._listen(config)
            self.start()

    def stop(self) -> None:
        """Hear no more."""
        self._hush()
        if self._opened:
            self._opened.close()

    def held_back(self, query: str) -> HeldBack:
        """What holds the alarms of a query back, by the configuration as it is now."""
        settings = self._config.alertmanager
        labels = AlertLabels(severities=settings.severities, added=settings.added_labels) if settings else AlertLabels()
        windows = [MaintenanceWindow.of(section) for section in self._config.maintenance]
        said = Said(verdicts=self.verdicts, given=self.given, windows=windows, silences=self._active, labels=labels)
        return HeldBack(query, said)

    def verdicts(self, now: float) -> tuple[Verdict, ...]:
        """Those in force; none where they cannot be read, which is logged once: no cycle may fail for them."""
        try:
            found = tuple(kept.verdict for kept in self._store().in_force(now))
        except VerdictStoreError as error:
            if not self._problem:
                log.warning("verdicts cannot be read; scores go on without them", problem=str(error))
            self._problem = str(error)
            return ()
        self._problem = ""
        return found

    def given(self) -> tuple[Verdict, ...]:
        """All that were given lately, also those that are over: what the share of false alarms is counted from."""
        try:
            return tuple(kept.verdict for kept in self._store().all() if kept.revoked is None)
        except VerdictStoreError:
            return ()

    def _store(self) -> VerdictStore:
        with self._lock:
            if self._opened is None:
                self._opened = self._ears.store()
            return self._opened

    def _active(self) -> tuple[Silence, ...]:
        return self._silences.active() if self._silences else ()

    def _listen(self, config: Configuration) -> SilenceCache | None:
        return self._ears.silences(config.alertmanager) if config.alertmanager else None

    def _hush(self) -> None:
        if self._silences:
            self._silences.stop()
