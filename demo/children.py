"""The processes of the demo: started together, watched, and ended together, whatever happens."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE = 6.0
"""Seconds a process has to end by itself before it is killed."""
LOG_LINES = 12
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class ChildDied(Exception):
    """A process of the demo ended before the demo did."""

    def __init__(self, name: str, status: int, log: Path) -> None:
        self.name = name
        self.log = log
        super().__init__(f"{name} must run as long as the demo. It ended with status {status}; its log: {log}")

    @property
    def last_lines(self) -> list[str]:
        """The end of its log."""
        with self.log.open(encoding="utf-8", errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, LOG_LINES)]


class Children:
    """Child processes that never outlive this one.

    Each runs in a session of its own, so that Ctrl-C in the terminal reaches the demo alone, which then ends
    them in order; and each is killed by the kernel should the demo itself be killed.

    Parameters
    ----------
    logs : Path
        Folder for one log file per child.
    cwd : Path
    environment : mapping, optional
        Added to the own environment.
    """

    def __init__(self, logs: Path, cwd: Path, environment: Mapping[str, str] | None = None) -> None:
        self._logs = logs
        self._cwd = cwd
        self._environment = {**os.environ, **(environment or {})}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[str | Path]) -> None:
        """Start a child; its output goes to ``<name>.log``."""
        with self.log(name).open("wb") as log:
            self._running[name] = subprocess.Popen(
                [str(word) for word in command],
                cwd=self._cwd,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with(os.getpid()),
            )

    def log(self, name: str) -> Path:
        """The log file of a child."""
        return self._logs / f"{name}.log"

    def check(self) -> None:
        """Raise ChildDied if one has ended."""
        for name, process in self._running.items():
            if (status := process.poll()) is not None:
                raise ChildDied(name, status, self.log(name))

    def stop(self, patience: float = PATIENCE) -> None:
        """End all, the youngest first; kill those that have not ended after `patience` seconds."""
        for process in reversed(self._running.values()):
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + patience
        for process in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        for process in self._running.values():
            _signal_group(process, signal.SIGKILL)  # also what a child left behind in its group
            process.wait()
        self._running.clear()


def _die_with(parent: int) -> Callable[[], None]:
    def die() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent died before the line above
            os._exit(1)

    return die


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
