"""From the bytes of a range answer to a window."""

from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np

from series import FloatArray, Grid, Reason, SeriesKey, Window
from sources.errors import AnswerIncomplete, QueryRefused, shorten
from sources.frame import Body, Text, read_frame
from sources.refusal import check_envelope, not_an_answer
from sources.row import Pairs, RowReader

LABEL_SET = msgspec.json.Decoder(dict[str, str])


class RangeDecoder:
    """Collects the parts of a range query into one window.

    Parameters
    ----------
    query : str
        For messages.
    grid : Grid
        The whole range; each part covers some consecutive instants of it.
    series_limit : int
        More series than this are refused.
    known : dict of bytes to SeriesKey
        Keys by the raw JSON of their labels, kept from pull to pull so that a known series costs one look-up.

    Attributes
    ----------
    samples : int
        Samples decoded so far.
    """

    def __init__(
        self, query: str, grid: Grid, *, series_limit: int, known: dict[bytes, SeriesKey] | None = None
    ) -> None:
        self.samples = 0
        self._query = query
        self._grid = grid
        self._limit = series_limit
        self._known = {} if known is None else known
        self._rows: dict[SeriesKey, int] = {}
        self._values: FloatArray = np.empty((0, grid.n_steps))
        self._skipped: Counter[Reason] = Counter()
        self._warnings: dict[str, None] = {}
        self._reader = RowReader()

    @property
    def n_series(self) -> int:
        """Series found so far."""
        return len(self._rows)

    @property
    def skipped(self) -> dict[Reason, int]:
        """Series left out, by reason: of all parts the most, as the same series are left out of each."""
        return dict(self._skipped)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the server wants its user to know, each once."""
        return tuple(self._warnings)

    def window(self) -> Window:
        """Everything collected; NaN where a part did not hold a series."""
        return Window(tuple(self._rows), self._grid.times, self._values[: self.n_series])

    def add(self, body: Body, part: Grid) -> int:
        """Decode one answer into its columns.

        Parameters
        ----------
        body : bytes or bytearray
            JSON answer of ``/api/v1/query_range``.
        part : Grid
            The instants it was asked for.

        Returns
        -------
        Number of samples.

        Raises
        ------
        QueryRefused
            For a result that is not a matrix, and for more series than allowed.
        SourceUnavailable
            Where the answer says that the server could not evaluate the query now.
        AnswerIncomplete
            For anything else that is not a whole answer. What was decoded of it is of no use.
        """
        before = self.samples
        try:
            frame = read_frame(body)
            check_envelope(self._query, frame.envelope)
            self._add_rows(list(frame.rows), part)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise not_an_answer(self._query, body, error) from error
        self._warnings |= dict.fromkeys(frame.envelope.warnings or ())
        return self.samples - before

    def _add_rows(self, rows: list[tuple[bytes, Text | None]], part: Grid) -> None:
        skipped: Counter[Reason] = Counter()
        seen: set[int] = set()
        self._check_limit(len(rows))
        self._reserve(len(rows))
        columns = _Columns(self._query, part)
        first = (part.start - self._grid.start) // self._grid.step
        for labels, text in rows:
            if text is None:
                skipped[Reason.HISTOGRAM] += 1
                continue
            row = self._row(self._key(labels))
            if row in seen:
                skipped[Reason.DUPLICATE] += 1
                continue
            seen.add(row)
            self.samples += columns.fill(self._values[row, first : first + part.n_steps], self._reader.read(text))
        self._check_limit(self.n_series)
        self._skipped |= skipped

    def _check_limit(self, found: int) -> None:
        if found > self._limit:
            raise QueryRefused(
                self._query,
                f"query {shorten(self._query)} may return at most {self._limit} series. Got {found}. "
                "Aggregate it, or raise series_limit.",
            )

    def _key(self, labels: bytes) -> SeriesKey:
        key = self._known.get(labels)
        if key is None:
            key = self._known[labels] = SeriesKey(LABEL_SET.decode(labels))
        return key

    def _row(self, key: SeriesKey) -> int:
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = len(self._rows)
            if row == len(self._values):
                self._reserve(row + row // 8 + 1)
            self._values[row] = np.nan
        return row

    def _reserve(self, rows: int) -> None:
        if rows > len(self._values):
            # In place where the allocator can: a copy would hold the whole matrix twice. No view of it is alive here.
            self._values.resize((rows, self._grid.n_steps), refcheck=False)


class _Columns:
    """The columns of one part."""

    def __init__(self, query: str, part: Grid) -> None:
        self._query = query
        self._part = part
        self._times = part.times

    def fill(self, row: FloatArray, pairs: Pairs) -> int:
        """Put samples into a row of the part's columns. Gives their number."""
        times, values = pairs
        if np.array_equal(times, self._times):  # without gaps
            row[:] = values
            return len(values)
        columns = (times - self._part.start) / self._part.step
        inside = (np.floor(columns) == columns) & (columns >= 0) & (columns < self._part.n_steps)
        if not inside.all():
            raise self._off_grid(float(times[np.argmin(inside)]))
        row[columns.astype(np.intp)] = values
        return len(values)

    def _off_grid(self, time: float) -> AnswerIncomplete:
        grid = self._part
        return AnswerIncomplete(
            self._query,
            f"query {shorten(self._query)}: samples must lie at {grid.start}, {grid.start + grid.step}, ... {grid.end} "
            f"as asked for. Got one at {time:.15g}.",
        )
