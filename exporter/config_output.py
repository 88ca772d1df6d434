"""The part of the configuration that says where results go."""

from __future__ import annotations

import re
from typing import ClassVar

from pydantic import Field, field_validator

from exporter.config_server import Age, Endpoint, Section, Wait
from exporter.duration import Duration


class RemoteWrite(Endpoint):
    """A server that takes results by Prometheus' remote write, beside or in place of a scrape."""

    takes_parameters: ClassVar[bool] = True

    url: str
    """Whole address, such as http://127.0.0.1:9090/api/v1/write."""
    timeout: Wait = Duration(30)
    """How long a request may take."""
    external_labels: dict[str, str] = Field(default_factory=dict)
    """Added to every sample that has no label of that name, so that replicas can be told apart."""
    max_samples_per_request: int = Field(default=5_000, ge=1, le=1_000_000)
    """Prometheus takes or refuses a request whole, so a larger one loses more."""
    max_pending_bytes: int = Field(default=64_000_000, ge=100_000)
    """Most memory for what waits to be sent. Beyond it the oldest is dropped, and counted."""
    max_age: Age = Duration(1_800)
    """Samples that could not be sent for so long are dropped: Prometheus takes none that are an hour old."""

    @field_validator("external_labels")
    @classmethod
    def _label_names(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) or name.startswith("__"):
                raise ValueError(
                    f"must have label names of letters, digits and underscores, not __ in front. Got {name!r}."
                )
        return value


class Output(Section):
    """Where results go, and in which portions."""

    shards: int = Field(default=1, ge=1, le=1_000)
    """Pages the series are spread over: /metrics?shard=0 and so on. Each is scraped as a target of its own."""
    max_page_bytes: int | None = Field(default=None, ge=10_000)
    """The results of a larger page (as text, not compressed) are withheld; a log line says how many shards it takes."""
    remote_write: RemoteWrite | None = None
    """Write results to a server. Without it they are only there to be scraped."""
