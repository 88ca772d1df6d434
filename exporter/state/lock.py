"""One process a folder: two would write over each other's state without a word."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import threading
from contextlib import suppress
from pathlib import Path

import structlog

from exporter.state.errors import StateError

log = structlog.get_logger("forethought.state")

NAME = "lock"
# What a file system says that knows no locks.
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS}
# A number and the name of a host.
_LONGEST = 300


class FolderLock:
    """Holds a folder until the process ends, however it ends: the kernel lets go of it.

    Parameters
    ----------
    folder : Path
        Made where it is missing.

    Raises
    ------
    StateError
        Where another process holds it, or it cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / NAME
        self._descriptor = -1
        self._taking = threading.Lock()
        try:
            self._take()
        except OSError as error:
            raise StateError.not_writable(folder, error) from error

    def hold(self) -> None:
        """Take it again where the folder was removed meanwhile. Raises as the constructor, and OSError."""
        with self._taking:
            if not self._is_held():
                self.release()
                self._take()

    def release(self) -> None:
        """Let another process have it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _is_held(self) -> bool:
        try:
            return self._descriptor >= 0 and os.path.samestat(self._file.stat(), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False

    def _take(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, _LONGEST).decode(errors="replace").strip() or "that has just started"
            os.close(descriptor)
            raise StateError(
                f"{self._file.parent}: must be used by one process. It is in use by process {holder}. "
                "Stop that one, or name another folder with --storage.path."
            ) from error
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                os.close(descriptor)
                raise
            log.warning(
                "the file system knows no locks; see to it that no other process uses the folder",
                folder=str(self._file.parent),
                error=error.strerror,
            )
        self._descriptor = descriptor
        # The name is for the error of another process; a full disk takes it away, not the lock.
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} on {socket.gethostname()}\n".encode()[:_LONGEST], 0)
