"""What makes a snapshot usable."""

from __future__ import annotations

import hashlib

from exporter import __version__
from exporter.config import Configuration, Query
from exporter.config_limits import LIMIT_KEYS
from exporter.state.snapshot import Signature


def signature_of(config: Configuration, query: Query) -> Signature:
    """Say what makes a snapshot usable: the same question to the same server and tenant, the same models."""
    ways = {"timeout", "retries", "budget", "compression", "max_points", "max_body_bytes"}  # of asking, not whom
    asked = config.source.model_dump_json(exclude=ways)
    digest = hashlib.sha256(asked.encode()).hexdigest()  # headers may hold a secret
    split = f" split_by={query.split_by}" if query.split_by else ""
    samples = f"{config.source.url} {digest} {query.query}{split} step={query.step} history={query.history}"
    calendars = [each.model_dump_json() for each in config.calendars if each.name == query.calendar]
    models = query.model_dump_json(exclude=LIMIT_KEYS)  # dates of limits know by themselves what they are of
    return Signature(samples, f"{__version__} {models} {calendars}")
