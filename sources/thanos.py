"""Thanos: replicas joined, gaps of a store told, downsampled data on request only."""

from __future__ import annotations

from collections.abc import Sequence

from sources.backend import Backend

# Warnings that do not tell of a store: those of the PromQL engine, and that no store holds so old samples.
_HARMLESS = ("PromQL ", "No StoreAPIs matched for this query")


def thanos(
    *,
    tenant: str | None = None,
    deduplicate: bool = True,
    replica_labels: Sequence[str] = (),
    max_source_resolution: int = 0,
    partial_response: bool = False,
) -> Backend:
    """Describe a Thanos Querier or Query Frontend.

    Parameters
    ----------
    tenant : str or None
        Value of the header ``THANOS-TENANT``.
    deduplicate : bool, default True
        Join the series of replicas.
    replica_labels : sequence of str
        Labels that tell replicas apart, in place of those that the Querier was started with.
    max_source_resolution : int, default 0
        Seconds between the samples of downsampled blocks that may be used; 0 for raw samples only.
    partial_response : bool, default False
        Whether an answer may be used when a store did not answer. Else the Querier is told to fail, and a warning
        that tells of a store refuses the answer all the same: a proxy may have dropped the parameter.

    References
    ----------
    Thanos, docs/components/query.md, "Query API Overview".
    """
    params: dict[str, str | Sequence[str]] = {
        "dedup": _word(deduplicate),
        "partial_response": _word(partial_response),
        "max_source_resolution": f"{max_source_resolution}s",
    }
    if replica_labels:
        params["replicaLabels[]"] = tuple(replica_labels)
    return Backend(
        headers={"THANOS-TENANT": tenant} if tenant else {},
        params=params,
        takes_partial=partial_response,
        tells_of_missing=lambda warning: not warning.startswith(_HARMLESS),
    )


def _word(flag: bool) -> str:
    return "true" if flag else "false"
