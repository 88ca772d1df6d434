"""A file as a source: OpenMetrics text, CSV or Parquet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from series import Grid, Window, onto_grid
from sources.base import Answer
from sources.errors import QueryRefused, shorten
from sources.openmetrics import read_openmetrics
from sources.parquet import read_parquet
from sources.recording import Extent, Recording
from sources.selector import Selector
from sources.table import read_csv

READERS: dict[str, Callable[[Path], Recording]] = {
    ".csv": read_csv,
    ".parquet": read_parquet,
    ".om": read_openmetrics,
    ".txt": read_openmetrics,
    ".prom": read_openmetrics,
    ".openmetrics": read_openmetrics,
}


class ReplaySource:
    """Samples of a file, asked like a server.

    A query is a plain selector such as ``name{label="x"}``, or nothing for every series of the file. Unlike on a
    server, a sample stands for the step it lies in and is not carried on over missing ones.

    Parameters
    ----------
    path : Path
        Its suffix tells the format: ``.om``, ``.txt``, ``.prom`` or ``.openmetrics`` for OpenMetrics text, ``.csv``,
        ``.parquet``.

    Raises
    ------
    QueryRefused
        For a file that cannot be read, with its name and the line or column.
    """

    def __init__(self, path: Path) -> None:
        reader = READERS.get(path.suffix.lower())
        if reader is None:
            raise QueryRefused(str(path), f"{path}: must end in one of {', '.join(READERS)}. Got {path.suffix!r}.")
        self._path = path
        try:
            self._recording = reader(path)
        except OSError as error:
            raise QueryRefused(str(path), f"{path}: must be a readable file. Got {error.strerror}.") from error

    def read_range(self, query: str, grid: Grid, *, series_limit: int) -> Answer:
        """Put the selected series on `grid`; see `sources.base.MetricSource`."""
        selector = Selector.parse(query)
        found = [one for one in self._recording if selector.matches(one[0])]
        if len(found) > series_limit:
            raise QueryRefused(
                query,
                f"query {shorten(query) or '(all)'} may select at most {series_limit} series of {self._path}. "
                f"Got {len(found)}. Select fewer, or raise series_limit.",
            )
        values = np.empty((len(found), grid.n_steps))
        for row, (_, times, samples) in enumerate(found):
            values[row] = onto_grid(times, samples, grid)
        window = Window(tuple(key for key, _, _ in found), grid.times, values)
        return Answer(window, requests=0, samples=sum(len(times) for _, times, _ in found))

    def extent(self) -> Extent | None:
        """The time that the samples cover and their usual distance, or None for a file without samples."""
        return self._recording.extent()

    def close(self) -> None:
        """Nothing is open any more once the file was read."""
