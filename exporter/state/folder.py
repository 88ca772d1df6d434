"""A folder with one file a query."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Literal, Protocol

import structlog

from exporter.models.stored import Packer, Tree
from exporter.state import file as files
from exporter.state.errors import StateError
from exporter.state.lock import FolderLock
from exporter.state.snapshot import Numbers, Signature, decode, encode
from series import SeriesKey
from series.memory_budget import StoreFull
from series.store import RingStore

log = structlog.get_logger("forethought.state")


Outcome = Literal["complete", "samples_only", "absent", "other_configuration", "memory_limit", "damaged"]
"""How a restoration ended; all but the first two are a cold start."""

# Seconds after which the file of a query that is no longer configured is removed: it may come back.
_FORGOTTEN = 7 * 86_400.0


class Kept(Protocol):
    """What outlives a restart."""

    store: RingStore

    def dump(self, number: Callable[[SeriesKey], int]) -> Tree:
        """What the models know; `number` gives each series a number to stand for it."""

    def load(self, learned: Tree, keys: list[SeriesKey]) -> None:
        """Take over what `dump` gave; raises LookupError, TypeError or ValueError where it is something else."""

    def start_cold(self) -> None:
        """Forget what a failed `load` may have left half done."""


class StateFolder:
    """A folder with one file a query.

    Parameters
    ----------
    path : Path
        Made where it is missing.
    packer : Packer
        Knows the dataclasses that models are made of.
    lock : FolderLock or None
        Keeps other processes out; None where none can be there.

    Raises
    ------
    StateError
        Where the folder cannot be made or written to.
    """

    def __init__(self, path: Path, packer: Packer, lock: FolderLock | None = None) -> None:
        self.path = path
        self._lock = lock
        self._packer = packer
        try:
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                pass
            for left in path.glob(f".*{files.UNFINISHED}"):  # by a process that was killed while it wrote
                left.unlink(missing_ok=True)
        except OSError as error:
            raise StateError.not_writable(path, error) from error

    def save(self, name: str, signature: Signature, kept: Kept) -> None:
        """Write what is kept of a query; a crash meanwhile leaves the former file.

        Raises
        ------
        OSError
            Where the disk is full or gone.
        StateError
            Where the folder was removed meanwhile, and another process has taken it.
        """
        if (grid := kept.store.grid) is None:
            return
        numbers = Numbers(kept.store.keys)
        learned = kept.dump(numbers)
        self.path.mkdir(parents=True, exist_ok=True)  # somebody may have cleaned up meanwhile
        if self._lock:
            self._lock.hold()
        files.write(self._file(name), *encode(signature, kept.store, grid, numbers, learned, self._packer))

    def restore(self, name: str, signature: Signature, kept: Kept) -> Outcome:
        """Give a query back its samples and, where they were made the same way, its models.

        A damaged or foreign file is renamed to ``NAME.damaged`` and logged.
        """
        file = self._file(name)
        try:
            found = decode(*files.read(file), self._packer)
            if found.signature.samples != signature.samples:
                log.info("state is of another configuration; starting cold", query=name)
                return "other_configuration"
            kept.store.fill(found.window, found.grid, found.pulled)
        except FileNotFoundError:
            return "absent"
        except StoreFull as error:
            log.warning("state does not fit into memory; starting cold", query=name, problem=str(error))
            return "memory_limit"
        except (OSError, ValueError) as error:
            self._set_aside(file, str(error))
            return "damaged"
        if found.signature.models != signature.models:
            log.info("models are of another configuration and learn anew", query=name)
            return "samples_only"
        try:
            kept.load(found.learned(), found.keys)
        except (LookupError, TypeError, ValueError) as error:
            kept.start_cold()
            log.warning("models cannot be restored and learn anew", query=name, problem=repr(error))
            return "samples_only"
        return "complete"

    @property
    def empty(self) -> bool:
        """Whether it holds the state of no query."""
        return not any(self.path.glob("*.state"))

    def prune(self, configured: Collection[str], now: float) -> None:
        """Remove files of queries that have not been configured for a week."""
        for file in self.path.glob("*.state"):
            if file.stem not in configured and now - file.stat().st_mtime > _FORGOTTEN:
                log.info("state of a query that is no longer configured removed", query=file.stem)
                file.unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self.path / f"{name}.state"

    def _set_aside(self, file: Path, problem: str) -> None:
        log.warning("state set aside", file=str(file), error=problem)
        try:
            file.replace(file.with_suffix(".damaged"))
        except OSError as error:
            log.warning("state cannot be set aside", file=str(file), error=str(error))
