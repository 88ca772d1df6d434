"""What a kind of server wants beside Prometheus' HTTP API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sources.connection import Connection


def _never(_: str) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Backend:
    """Where a kind of server differs from Prometheus.

    Parameters
    ----------
    path : str
        Between the address of the server and ``/api/v1``.
    headers : mapping of str to str
        Sent with every request; the connection's own win.
    params : mapping of str to str or sequence of str
        Sent with every request; a sequence as one parameter for each of its values.
    max_points : int, default 11000
        Most steps per series in one request.
    takes_partial : bool, default False
        Whether an answer may be used in which a part of the cluster is missing.
    tells_of_missing : callable
        True for a warning that says that a part of the cluster is missing in an answer.
    """

    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    max_points: int = 11_000
    takes_partial: bool = False
    tells_of_missing: Callable[[str], bool] = _never

    def reach(self, connection: Connection) -> Connection:
        """Add what this kind of server wants to a connection."""
        return replace(
            connection,
            url=connection.url.rstrip("/") + self.path,
            headers={**self.headers, **connection.headers},
            params={**self.params, **connection.params},
        )


PROMETHEUS = Backend()
