"""The database in which verdicts are kept: its set-up, its version, and its errors as one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from exporter.verdicts.errors import VerdictStoreError
from exporter.verdicts.tables import METADATA, SCHEMA, VERSION

# What makes the present version of an earlier one, in the SQL that SQLite and PostgreSQL share.
_CHANGES = {
    1: (
        "ALTER TABLE forethought_verdicts ADD COLUMN about VARCHAR(16) NOT NULL DEFAULT ''",
        "ALTER TABLE forethought_verdicts ADD COLUMN alarm JSON",
    )
}


@contextmanager
def told() -> Iterator[None]:
    """Turn the library's errors into one line of ours."""
    try:
        yield
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise VerdictStoreError(f"verdicts cannot be kept: {said}.") from error


def sqlite(path: Path) -> Engine:
    """Give a file of SQLite that many threads may use."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 5})

    @event.listens_for(engine, "connect")
    def set_up(connection: object, _: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA journal_mode=WAL")  # a reader never waits for a writer
        cursor.execute("PRAGMA synchronous=FULL")  # what was answered with success outlives a power cut
        cursor.close()

    return engine


def discard_journal(path: Path) -> None:
    """Remove what SQLite wrote beside a file that is no longer there."""
    for left in ("-wal", "-shm"):
        path.with_name(path.name + left).unlink(missing_ok=True)


def prepare(connection: Connection) -> None:
    """Make the tables where there are none, or bring them up to date.

    Raises
    ------
    VerdictStoreError
        For those of a later version.
    """
    if not inspect(connection).has_table(SCHEMA.name):
        METADATA.create_all(connection)
        connection.execute(insert(SCHEMA).values(version=VERSION))
    version = connection.execute(select(SCHEMA.c.version)).scalar()
    if version in _CHANGES:
        for change in _CHANGES[version]:
            connection.execute(text(change))
        connection.execute(update(SCHEMA).values(version=VERSION))
        version = VERSION
    if version != VERSION:
        raise VerdictStoreError(f"verdicts must be kept in version {VERSION}. Got {version}: use a later forethought.")
