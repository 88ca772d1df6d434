"""Reads silences from Alertmanager."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

import msgspec
import structlog

from series.matcher import Matcher
from sources.connection import Connection
from sources.errors import SourceError
from sources.promql import PromqlClient

log = structlog.get_logger("forethought.silences")

_PATH = "/api/v2/silences"


@dataclass(frozen=True)
class Silence:
    """A silence as Alertmanager holds it.

    Attributes
    ----------
    id : str
    matchers : tuple of Matcher
        All must hold.
    starts, ends : float
        Seconds since the epoch.
    who, comment : str
    """

    id: str
    matchers: tuple[Matcher, ...]
    starts: float
    ends: float
    who: str = ""
    comment: str = ""

    def __str__(self) -> str:
        by = f" by {self.who}" if self.who else ""
        return f"silence {self.id[:8]}{by}{f' ({self.comment})' if self.comment else ''}"


class _Matcher(msgspec.Struct, rename="camel"):
    name: str
    value: str
    is_regex: bool
    is_equal: bool = True  # Alertmanager before 0.22 has no negative matchers


class _Status(msgspec.Struct):
    state: str


class _Silence(msgspec.Struct, rename="camel"):
    id: str
    status: _Status
    matchers: list[_Matcher]
    starts_at: dt.datetime
    ends_at: dt.datetime
    created_by: str = ""
    comment: str = ""


class SilencesUnreadable(Exception):
    """Alertmanager gave no usable answer. The message is one line."""


class SilenceSource(Protocol):
    """Where silences are read."""

    def read(self) -> tuple[Silence, ...]:
        """All that are active or will be. Raises SilencesUnreadable."""


class AlertmanagerSilences:
    """Reads silences over API v2, with time-outs and credentials as `sources.connection` has them.

    Parameters
    ----------
    connection : Connection
        Its url ends before ``/api/v2``.
    """

    def __init__(self, connection: Connection) -> None:
        self._client = PromqlClient(connection)

    def read(self) -> tuple[Silence, ...]:
        """All that are active or will be.

        Raises
        ------
        SilencesUnreadable
            Where no usable answer came in time.
        """
        try:
            body = self._client.fetch("silences", _PATH, {}, method="GET")
            found = msgspec.json.decode(body, type=list[_Silence])
        except SourceError as error:
            raise SilencesUnreadable(str(error)) from error
        except msgspec.MsgspecError as error:
            raise SilencesUnreadable(f"{_PATH} must answer with a list of silences. {error}.") from error
        return tuple(filter(None, map(_silence, found)))

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()


def _silence(found: _Silence) -> Silence | None:
    if found.status.state not in ("active", "pending"):
        return None
    try:
        matchers = tuple(Matcher(each.name, _operator(each), each.value) for each in found.matchers)
    except ValueError as error:
        log.warning("a silence cannot be read and is left out", silence=found.id, problem=str(error))
        return None
    starts, ends = found.starts_at.timestamp(), found.ends_at.timestamp()
    return Silence(found.id, matchers, starts, ends, found.created_by, found.comment)


def _operator(matcher: _Matcher) -> str:
    return ("=~" if matcher.is_equal else "!~") if matcher.is_regex else ("=" if matcher.is_equal else "!=")
