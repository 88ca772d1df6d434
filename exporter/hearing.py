"""What people say to the service, and where: verdicts, maintenance windows, silences."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from detectors.verdict import Verdict
from exporter.config import Configuration
from exporter.config_calendars import AlertmanagerSection
from exporter.held_back import HeldBack, Said
from exporter.maintenance import MaintenanceWindow
from exporter.silences.cache import SilenceCache
from exporter.silences.reader import Silence
from exporter.silences.silenced import AlertLabels
from exporter.verdicts.database import VerdictStoreError
from exporter.verdicts.desk import VerdictDesk
from exporter.verdicts.memory import QueryMemory, WatchedQueries
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

    Parameters
    ----------
    config : Configuration
    ears : Ears
    memories : callable
        Gives the memories of the queries, by name.
    clock : callable
        Seconds since the epoch.

    Attributes
    ----------
    desk : VerdictDesk
        Where verdicts are given and taken back.
    """

    def __init__(
        self,
        config: Configuration,
        ears: Ears,
        memories: Callable[[], Mapping[str, QueryMemory]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config, self._ears = config, ears
        self._store = ears.store()
        self._silences = self._listen(config)
        self._problem = ""
        self.desk = VerdictDesk(
            self._store, WatchedQueries(memories), lasts=lambda: float(self._config.verdicts.lasts), clock=clock
        )

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
        self._store.close()

    def held_back(self, query: str) -> HeldBack:
        """What holds the alarms of a query back, by the configuration as it is now."""
        settings = self._config.alertmanager
        labels = AlertLabels(severities=settings.severities, added=settings.added_labels) if settings else AlertLabels()
        windows = [MaintenanceWindow.of(section) for section in self._config.maintenance]
        said = Said(verdicts=self.verdicts, windows=windows, silences=self._active, labels=labels)
        return HeldBack(query, said)

    def verdicts(self, now: float) -> tuple[Verdict, ...]:
        """Those in force; none where they cannot be read, which is logged once: no cycle may fail for them."""
        try:
            found = tuple(kept.verdict for kept in self._store.in_force(now))
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
            return tuple(kept.verdict for kept in self._store.all() if kept.revoked is None)
        except VerdictStoreError:
            return ()

    def _active(self) -> tuple[Silence, ...]:
        return self._silences.active() if self._silences else ()

    def _listen(self, config: Configuration) -> SilenceCache | None:
        return self._ears.silences(config.alertmanager) if config.alertmanager else None

    def _hush(self) -> None:
        if self._silences:
            self._silences.stop()
