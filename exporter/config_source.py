"""Parts of the configuration about the server that is asked."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from exporter.config_server import Endpoint, Section, Wait
from exporter.duration import Duration

Server = Literal["prometheus", "thanos", "mimir", "victoriametrics"]


class Thanos(Section):
    """What only a Thanos is told."""

    deduplicate: bool = True
    """Join the series of replicas."""
    replica_labels: tuple[str, ...] = Field(default=(), strict=False)
    """Labels that tell replicas apart. Default: those that the Querier was started with."""
    max_source_resolution: Duration = Duration(0)
    """Downsampled blocks that may be used, by the time between their samples: 0s (none), 5m or 1h."""


class Mimir(Section):
    """What only a Mimir is told."""

    shards: int | None = Field(default=None, ge=0, le=1_024)
    """Into how many shards a query is split where it can be; 0 for not at all. Default: what its operator has set."""


class VictoriaMetrics(Section):
    """What only a VictoriaMetrics is told."""

    extra_filters: tuple[str, ...] = Field(default=(), strict=False)
    """Series selectors such as {env="prod"} that narrow every query. With several, one must hold."""


class Budget(Section):
    """How much the server may be asked for. It has others to serve."""

    parallel_requests: int = Field(default=4, ge=1, le=64)
    """Most requests at the same time. Halved when the server is slow or busy; one more after each good round."""
    slow: Wait = Duration(10)
    """An answer that takes longer counts as a sign that the server has too much to do."""
    longest_rest: Wait = Duration(60)
    """Most time for which a busy server is asked nothing, where it does not ask for more itself."""
    request_samples: int = Field(default=2_000_000, ge=1_000)
    """About as many samples are asked for at once: 60 MB of answer, a twenty-fifth of --query.max-samples."""
    cycle_samples: int = Field(default=50_000_000, ge=1_000)
    """A cycle of a query that brought as many leaves the rest of its history to the next ones."""
    cycle_time: Wait = Duration(120)
    """The same for the time spent on asking, so that no query keeps others waiting."""


class Source(Endpoint):
    """Where samples come from."""

    kind: Server = "prometheus"
    """What the server is: prometheus (and whatever behaves like it), thanos, mimir or victoriametrics."""
    url: str = "http://127.0.0.1:9090"
    """Address of a server with Prometheus' HTTP API, without /api/v1. That of Mimir usually ends in /prometheus."""
    tenant: str | None = Field(default=None, min_length=1)
    """Whose samples: X-Scope-OrgID of mimir, THANOS-TENANT of thanos, accountID[:projectID] of victoriametrics."""
    partial_response: bool = False
    """Use an answer of thanos or victoriametrics although a part of the cluster is missing in it, with a warning."""
    thanos: Thanos = Thanos()
    """What only a Thanos is told."""
    mimir: Mimir = Mimir()
    """What only a Mimir is told."""
    victoriametrics: VictoriaMetrics = VictoriaMetrics()
    """What only a VictoriaMetrics is told."""
    budget: Budget = Budget()
    """How much the server may be asked for."""
    timeout: Wait = Duration(60)
    """How long a whole request may take. Prometheus itself gives up after 2m by default."""
    retries: int = Field(default=2, ge=0, le=10)
    """How often a request is repeated after a connection error, 429 or 502 to 504, with growing pauses."""
    compression: bool = False
    """Ask for gzip. On a local network it costs the server five times more time than it saves."""
    max_points: int | None = Field(default=None, ge=100)
    """Most steps per series in one request. Default: 30,000 for victoriametrics, 11,000 for all others."""
    max_body_bytes: int = Field(default=1_000_000_000, ge=1_000_000)
    """Largest answer accepted, so that one query cannot take all memory."""

    @model_validator(mode="after")
    def _of_this_kind(self) -> Self:
        for kind in ("thanos", "mimir", "victoriametrics"):
            if kind != self.kind and kind in self.model_fields_set:
                raise ValueError(f"{kind} must be left out, or kind must be {kind}. Got kind {self.kind}.")
        if self.tenant is not None and self.kind == "prometheus":
            raise ValueError("tenant needs kind mimir, thanos or victoriametrics. Got kind prometheus.")
        if self.partial_response and self.kind not in ("thanos", "victoriametrics"):
            raise ValueError(f"partial_response needs kind thanos or victoriametrics. Got kind {self.kind}.")
        return self
