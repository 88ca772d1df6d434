"""VictoriaMetrics: exact instants, tenants by path, extra filters, gaps of a storage node told."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sources.backend import Backend

_TENANT = re.compile(r"\d+(:\d+)?|multitenant")


def victoriametrics(
    *, tenant: str | None = None, extra_filters: Sequence[str] = (), partial_response: bool = False
) -> Backend:
    """Describe a VictoriaMetrics server or cluster.

    Parameters
    ----------
    tenant : str or None
        ``accountID`` or ``accountID:projectID`` of a cluster, whose API lies under ``/select/<tenant>/prometheus``.
        None for a single server, and for an address that holds the path already.
    extra_filters : sequence of str
        Series selectors such as ``{env="prod"}`` that every query is narrowed to; with several, one must hold.
    partial_response : bool, default False
        Whether an answer may be used when a storage node did not answer. The cluster then says so by ``isPartial``.

    Raises
    ------
    ValueError
        For a tenant of another form.

    Notes
    -----
    ``nocache=1`` is always sent: without it the server answers from a cache that late samples do not reach, and moves
    instants that are not multiples of the step.

    References
    ----------
    VictoriaMetrics, "Prometheus querying API enhancements" and "Cluster version: URL format".
    """
    if tenant is not None and not _TENANT.fullmatch(tenant):
        raise ValueError(f"tenant must be accountID or accountID:projectID, in digits. Got {tenant!r}.")
    params: dict[str, str | Sequence[str]] = {"nocache": "1", "deny_partial_response": "0" if partial_response else "1"}
    if extra_filters:
        params["extra_filters[]"] = tuple(extra_filters)
    return Backend(
        path=f"/select/{tenant}/prometheus" if tenant else "",
        params=params,
        max_points=30_000,
        takes_partial=partial_response,
    )
