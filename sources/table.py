"""Tables of samples as CSV: columns ``timestamp``, ``value`` and any labels."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from series import FloatArray, SeriesKey
from sources.errors import QueryRefused, shorten
from sources.recording import Recording, RowBuilder

TIMESTAMP, VALUE = "timestamp", "value"
# Rows worked on at once: enough to be quick, few enough for their strings not to matter.
_ROWS = 50_000


def read_csv(path: Path) -> Recording:
    """Read comma-separated values with a header line.

    ``timestamp`` holds seconds since the epoch or ISO 8601, in UTC where no zone is given. An empty ``value`` is
    no sample. Every other column is a label; an empty one is absent.

    Raises
    ------
    QueryRefused
        With the file, line and column.
    OSError
        For a file that cannot be read.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, strict=True)
        try:
            header = Header.of(path, next(lines, []))
            samples = RowBuilder()
            while batch := [(lines.line_num, row) for row in itertools.islice(lines, _ROWS) if row]:
                _add(_Batch(path, header, batch), samples)
        except (csv.Error, UnicodeDecodeError) as error:
            message = f"{path}:{lines.line_num + 1}: must be CSV in UTF-8. Got {error}."
            raise QueryRefused(str(path), message) from error
    return samples.recording(path)


@dataclass(frozen=True)
class Header:
    """Where the columns are.

    Attributes
    ----------
    names : tuple of str
    time, value : int
        Positions.
    labels : tuple of int
        Positions of all others.
    """

    names: tuple[str, ...]
    time: int
    value: int
    labels: tuple[int, ...]

    @classmethod
    def of(cls, path: Path, names: Sequence[str]) -> Header:
        """Find the columns.

        Raises
        ------
        QueryRefused
            Where one is missing, or two have the same name.
        """
        for needed in (TIMESTAMP, VALUE):
            if needed not in names:
                got = shorten(", ".join(names), 80) or "none"
                raise QueryRefused(str(path), f"{path}: must have a column {needed!r}. Got {got}.")
        doubled = [name for name in names if names.count(name) > 1]
        if doubled:
            raise QueryRefused(str(path), f"{path}: columns must have different names. Got {doubled[0]!r} twice.")
        time, value = names.index(TIMESTAMP), names.index(VALUE)
        labels = tuple(place for place in range(len(names)) if place not in (time, value))
        return cls(tuple(names), time, value, labels)

    def key(self, values: Iterable[str]) -> SeriesKey:
        """Key of the series with these values in its label columns."""
        return SeriesKey(zip((self.names[place] for place in self.labels), values, strict=True))


@dataclass(frozen=True)
class _Batch:
    path: Path
    header: Header
    rows: list[tuple[int, list[str]]]

    def columns(self) -> list[tuple[str, ...]]:
        """The batch by column."""
        width = len(self.header.names)
        wrong = next(((line, row) for line, row in self.rows if len(row) != width), None)
        if wrong:
            line, row = wrong
            message = f"{self.path}:{line}: must have {width} columns, as its header. Got {len(row)}."
            raise QueryRefused(str(self.path), message)
        return list(zip(*(row for _, row in self.rows), strict=True))

    def floats(self, place: int, column: Sequence[str], read: Callable[[str], float], wanted: str) -> FloatArray:
        """A column as numbers: at once where all are plain, else one by one."""
        try:
            return np.fromiter(map(float, column), np.float64, len(column))
        except ValueError:
            pass
        values = np.empty(len(column))
        for at, text in enumerate(column):
            try:
                values[at] = read(text)
            except ValueError as error:
                where = f"{self.path}:{self.rows[at][0]}: {self.header.names[place]}"
                raise QueryRefused(str(self.path), f"{where} must be {wanted}. Got {shorten(text, 40)!r}.") from error
        return values


def _add(batch: _Batch, samples: RowBuilder) -> None:
    header = batch.header
    columns = batch.columns()
    values = batch.floats(header.value, columns[header.value], _number, "a number")
    times = batch.floats(header.time, columns[header.time], seconds, "seconds since the epoch or ISO 8601")
    labels = zip(*(columns[place] for place in header.labels), strict=True) if header.labels else [()] * len(times)
    samples.add([samples.row(label, header.key) for label in labels], times, values)


def seconds(text: str) -> float:
    """Seconds since the epoch, from themselves or from ISO 8601; UTC where no zone is given.

    Raises
    ------
    ValueError
        For other text.
    """
    try:
        return float(text)
    except ValueError:
        time = dt.datetime.fromisoformat(text.strip())
        return (time if time.tzinfo else time.replace(tzinfo=dt.UTC)).timestamp()


def _number(text: str) -> float:
    return float(text) if text.strip() else math.nan
