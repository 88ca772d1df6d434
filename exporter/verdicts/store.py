"""Verdicts and alerts, kept over restarts."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from sqlalchemy import Connection, Engine, RowMapping, create_engine, delete, func, insert, select, update
from sqlalchemy.exc import DatabaseError, OperationalError

from exporter.verdicts.database import discard_journal, prepare, sqlite, told
from exporter.verdicts.errors import VerdictStoreError
from exporter.verdicts.records import Alert, Kept, alert_of, alert_row, verdict_of, verdict_row
from exporter.verdicts.tables import ALERTS, VERDICTS
from series.calendar import DAY

log = structlog.get_logger("forethought.verdicts")

# What another process wrote to a shared database is seen after this many seconds at the latest.
_FRESH = 30.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much is kept.

    Attributes
    ----------
    in_force : int
        Verdicts that have an effect at the same time. More are a policy, and belong into the configuration.
    alerts : int
    alert_age : float
        Seconds since an alert was last told of.
    """

    in_force: int = 1_000
    alerts: int = 10_000
    alert_age: float = 90.0 * DAY


class VerdictStore:
    """A file of SQLite, or any database that SQLAlchemy knows. Thread-safe.

    Parameters
    ----------
    engine : Engine
        See `open_file` and `open_url`.
    limits : Limits

    Raises
    ------
    VerdictStoreError
        Where the database cannot be used, or was written by a later version.
    """

    def __init__(self, engine: Engine, limits: Limits = Limits()) -> None:
        self._engine = engine
        self._limits = limits
        self._lock = threading.Lock()
        self._seen: tuple[Kept, ...] = ()
        self._seen_at = -math.inf
        self._problem = ""
        self._revision = 0
        with told(), engine.begin() as connection:
            prepare(connection)

    @property
    def revision(self) -> int:
        """Grows with every change that this process made."""
        return self._revision

    def add(self, kept: Kept, now: float) -> None:
        """Keep a verdict.

        Raises
        ------
        VerdictStoreError
            Also where too many are in force already.
        """
        with self._writing() as connection:
            count = select(func.count()).where(VERDICTS.c.revoked.is_(None), VERDICTS.c.expires > now)
            if connection.execute(count.select_from(VERDICTS)).scalar_one() >= self._limits.in_force:
                raise VerdictStoreError(f"at most {self._limits.in_force} verdicts may be in force. Remove some first.")
            connection.execute(insert(VERDICTS).values(verdict_row(kept)))
            self._changed()

    def revoke(self, identity: str, now: float, who: str = "") -> Kept | None:
        """Take a verdict back; it is kept as taken back.

        Returns
        -------
        Kept or None
            None where there is no such verdict. One that was taken back before is left as it is.
        """
        with self._writing() as connection:
            kept = _one(connection, identity)
            if kept is None or kept.revoked is not None:
                return kept
            changed = replace(kept, revoked=now, revoked_by=who)
            connection.execute(
                update(VERDICTS).where(VERDICTS.c.id == identity).values(revoked=now, revoked_by=who),
            )
            self._changed()
            return changed

    def get(self, identity: str) -> Kept | None:
        """The verdict of this id, whatever became of it."""
        with told(), self._engine.connect() as connection:
            return _one(connection, identity)

    def all(self, *, query: str | None = None, most: int = 1_000) -> tuple[Kept, ...]:
        """Verdicts, the newest first, also those that no longer have an effect."""
        chosen = select(VERDICTS).order_by(VERDICTS.c.created.desc(), VERDICTS.c.id).limit(most)
        if query is not None:
            chosen = chosen.where(VERDICTS.c.query == query)
        with told(), self._engine.connect() as connection:
            return _readable(connection.execute(chosen).mappings().all())

    def in_force(self, now: float) -> tuple[Kept, ...]:
        """Verdicts that have an effect now, in the order they were given.

        Asked for in every cycle, so it is cheap, and where the database cannot be read the last ones known hold on.
        """
        if not 0 <= now - self._seen_at < _FRESH:
            try:
                self._read(now)
            except VerdictStoreError as error:
                self._seen_at = now
                if str(error) != self._problem:  # and not again in each cycle of each query
                    log.warning("verdicts cannot be read; those known hold on", problem=str(error))
                self._problem = str(error)
        return tuple(kept for kept in self._seen if kept.in_force(now))

    def record(self, alerts: Sequence[Alert], now: float) -> None:
        """Keep alerts, each in place of what was known of it; of those too old or too many the oldest go."""
        with self._writing() as connection:
            for alert in alerts:
                connection.execute(delete(ALERTS).where(ALERTS.c.fingerprint == alert.fingerprint))
                connection.execute(insert(ALERTS).values(alert_row(alert)))
            connection.execute(delete(ALERTS).where(ALERTS.c.received < now - self._limits.alert_age))
            newest = select(ALERTS.c.received).order_by(ALERTS.c.received.desc()).offset(self._limits.alerts).limit(1)
            if (last := connection.execute(newest).scalar()) is not None:
                connection.execute(delete(ALERTS).where(ALERTS.c.received <= last))

    def alert(self, fingerprint: str) -> Alert | None:
        """What is known of an alert."""
        with told(), self._engine.connect() as connection:
            row = connection.execute(select(ALERTS).where(ALERTS.c.fingerprint == fingerprint)).mappings().first()
            return alert_of(row) if row else None

    def alerts(self, most: int = 100) -> tuple[Alert, ...]:
        """Alerts, the last told of first."""
        chosen = select(ALERTS).order_by(ALERTS.c.received.desc(), ALERTS.c.fingerprint).limit(most)
        with told(), self._engine.connect() as connection:
            return tuple(alert_of(row) for row in connection.execute(chosen).mappings())

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._lock, told():
            self._make_anew()
            with self._engine.begin() as connection:
                yield connection

    def _make_anew(self) -> None:
        """Make a file anew that somebody removed, with the verdicts known: they would go with the process."""
        name = self._engine.url.database
        if self._engine.dialect.name != "sqlite" or name in (None, "", ":memory:"):
            return
        if (file := Path(str(name))).exists():
            return
        self._engine.dispose()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            discard_journal(file)
        except OSError as error:
            raise VerdictStoreError(f"verdicts cannot be kept: {error.strerror or error}.") from error
        with self._engine.begin() as connection:
            prepare(connection)
            for kept in self._seen:
                connection.execute(insert(VERDICTS).values(verdict_row(kept)))
        log.warning("verdicts were removed; those that were in force are kept anew", file=str(file))

    def _changed(self) -> None:
        self._seen_at = -math.inf
        self._revision += 1

    def _read(self, now: float) -> None:
        chosen = select(VERDICTS).where(VERDICTS.c.revoked.is_(None), VERDICTS.c.expires > now)
        with self._lock, told(), self._engine.connect() as connection:
            rows = connection.execute(chosen.order_by(VERDICTS.c.created, VERDICTS.c.id)).mappings().all()
            self._seen, self._seen_at, self._problem = _readable(rows), now, ""


def open_file(path: Path, limits: Limits = Limits()) -> VerdictStore:
    """Open a file of SQLite, made where it is missing.

    One that is damaged is renamed to ``NAME.damaged`` and logged, as alarms go on without verdicts but not without a
    service.
    """
    try:
        return VerdictStore(sqlite(path), limits)
    except VerdictStoreError as error:
        if not isinstance(error.__cause__, DatabaseError) or isinstance(error.__cause__, OperationalError):
            raise
        log.warning("verdicts set aside", file=str(path), problem=str(error))
        path.replace(path.with_name(path.name + ".damaged"))
        discard_journal(path)
        return VerdictStore(sqlite(path), limits)


def open_temporary() -> VerdictStore:
    """Open a file that goes with the process, for a service that keeps nothing."""
    folder = TemporaryDirectory(prefix="forethought-")
    store = VerdictStore(sqlite(Path(folder.name) / "verdicts.sqlite"))
    weakref.finalize(store, folder.cleanup)  # also where nobody closes it
    return store


def open_url(url: str) -> VerdictStore:
    """Open a database by SQLAlchemy's URL, such as ``postgresql://host/name``."""
    with told():
        return VerdictStore(create_engine(url, pool_pre_ping=True))


def _one(connection: Connection, identity: str) -> Kept | None:
    row = connection.execute(select(VERDICTS).where(VERDICTS.c.id == identity)).mappings().first()
    return verdict_of(row) if row else None


def _readable(rows: Sequence[RowMapping]) -> tuple[Kept, ...]:
    found = []
    for row in rows:
        try:
            found.append(verdict_of(row))
        except ValueError as error:
            log.warning("a verdict cannot be read and has no effect", verdict=row["id"], problem=str(error))
    return tuple(found)
