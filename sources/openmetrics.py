"""OpenMetrics text with timestamps, as promtool backfills it."""

from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from series import SeriesKey
from series.key import NAME
from sources.errors import QueryRefused, shorten
from sources.recording import Recording, RowBuilder

_EOF = "# EOF"
_EXEMPLAR = " # {"


def read_openmetrics(path: Path) -> Recording:
    """Read samples line by line.

    The parser of prometheus_client takes the text of each series once. It would hold all samples of a family as
    objects, about 500 bytes each; here one takes 24.

    Raises
    ------
    QueryRefused
        With the file and line.
    OSError
        For a file that cannot be read.
    """
    lines = _Lines(path)
    with path.open(encoding="utf-8", newline="\n") as file:
        try:
            for line in file:
                lines.number += 1
                if line[0] != "#":
                    lines.add(line)
                elif line.startswith(_EOF):
                    return lines.recording()
        except UnicodeDecodeError as error:
            raise lines.refused(f"must be UTF-8. Got {error.reason}") from error
    raise lines.refused(f"the last line must be {_EOF}. Got the end of the file")


class _Lines:
    def __init__(self, path: Path) -> None:
        self.number = 0
        self._path = path
        self._by_text: dict[str, int] = {}
        self._samples = RowBuilder()
        self._rows, self._times, self._values = array("q"), array("d"), array("d")

    def add(self, line: str) -> None:
        """Take one sample: its series, its value, its time."""
        if _EXEMPLAR in line and self._add(line[: line.rindex(_EXEMPLAR)]):
            return
        if not self._add(line):
            got = shorten(line, 80) or "an empty line"
            raise self.refused(f"must be name{{labels}} value timestamp, one space between. Got {got}")

    def recording(self) -> Recording:
        """Everything added."""
        self._samples.add(np.frombuffer(self._rows, np.int64), np.frombuffer(self._times), np.frombuffer(self._values))
        return self._samples.recording(self._path)

    def refused(self, message: str) -> QueryRefused:
        """The error for the present line."""
        return QueryRefused(str(self._path), f"{self._path}:{self.number}: {message}.")

    def _add(self, line: str) -> bool:
        """Add a line, or tell that it is no sample with a time."""
        try:
            text, value, time = line.rsplit(" ", 2)
            row = self._by_text.get(text)
            if row is None:
                row = self._by_text[text] = self._samples.row(_key(text), lambda key: key)
            sample, at = float(value), float(time)
        except ValueError:
            return False
        self._rows.append(row)
        self._values.append(sample)
        self._times.append(at)
        return True


def _key(text: str) -> SeriesKey:
    """Read the name and labels of a series.

    Raises
    ------
    ValueError
        From the library's parser.
    """
    for family in text_string_to_metric_families(f"{text} 0\n{_EOF}\n"):  # type: ignore[no-untyped-call]
        for sample in family.samples:
            return SeriesKey({NAME: sample.name, **sample.labels})
    raise ValueError("no sample")
