"""Grafana Mimir: tenants by header, queries in shards."""

from __future__ import annotations

from sources.backend import Backend


def mimir(*, tenant: str | None = None, shards: int | None = None) -> Backend:
    """Describe a Mimir. Its API usually lies under the path ``/prometheus``, which belongs into the address.

    Parameters
    ----------
    tenant : str or None
        Value of the header ``X-Scope-OrgID``; several tenants are joined by ``|``.
    shards : int or None
        Into how many shards the query-frontend splits a query that it can split; 0 for not at all, None for what the
        operator of Mimir has set.

    References
    ----------
    Mimir, "Authentication and authorization" and "Query sharding"; ``Sharding-Control`` is read by
    pkg/frontend/querymiddleware/codec.go.
    """
    headers = {}
    if tenant:
        headers["X-Scope-OrgID"] = tenant
    if shards is not None:
        headers["Sharding-Control"] = str(shards)
    return Backend(headers=headers)
