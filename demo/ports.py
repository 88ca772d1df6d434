"""Which ports the demo listens on."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace

HOST = "127.0.0.1"
TRIES = 200


@dataclass(frozen=True)
class Ports:
    """One port for each process; the defaults are the ones their users expect."""

    prometheus: int = 9090
    alertmanager: int = 9093
    sidecar: int = 9815
    load: int = 9816
    receiver: int = 9817
    gateway: int = 9818

    @classmethod
    def from_base(cls, base: int) -> Ports:
        """Consecutive ports from `base` on."""
        return cls(*range(base, base + len(asdict(cls()))))

    def url(self, name: str) -> str:
        """Address of the named process."""
        return f"http://{HOST}:{getattr(self, name)}"


@dataclass(frozen=True)
class Moved:
    """A port that was busy, and the one taken instead."""

    name: str
    wanted: int
    taken: int


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        # As servers do: a connection of a former run that lingers must not block its port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def choose(wanted: Ports, free: Callable[[int], bool] = is_free) -> tuple[Ports, list[Moved]]:
    """Take the wanted ports, or the next free one for each that is busy.

    Raises
    ------
    OSError
        Where no port is free in reach.
    """
    taken: dict[str, int] = {}
    for name, port in asdict(wanted).items():
        others = set(asdict(wanted).values()) - {port} | set(taken.values())
        taken[name] = next(_candidates(name, port, others, free))
    moved = [Moved(name, port, taken[name]) for name, port in asdict(wanted).items() if taken[name] != port]
    return replace(wanted, **taken), moved


def _candidates(name: str, port: int, others: set[int], free: Callable[[int], bool]) -> Iterator[int]:
    for candidate in range(port, min(port + TRIES, 65_536)):
        if candidate not in others and free(candidate):
            yield candidate
    raise OSError(f"{name} needs a free port from {port} on. Got none in the next {TRIES}.")
