"""From the bytes of a range answer to a window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec
import numpy as np

from series import FloatArray, Grid, Reason, SeriesKey, Window
from sources.errors import AnswerIncomplete, QueryRefused, shorten
from sources.frame import Body, Text, read_frame
from sources.refusal import check_envelope, not_an_answer
from sources.row import RowReader, Samples

# Short rows are read together, so that the fixed cost of a call is shared; longer ones one by one.
_BLOCK_BYTES = 1 << 14
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
    takes_partial : bool, default False
        Whether an answer may be used that says it is partial; it then becomes a warning.
    known : dict of bytes to SeriesKey
        Keys by the raw JSON of their labels, kept from pull to pull so that a known series costs one look-up.

    Attributes
    ----------
    samples : int
        Samples decoded so far.
    """

    def __init__(
        self,
        query: str,
        grid: Grid,
        *,
        series_limit: int,
        takes_partial: bool = False,
        known: dict[bytes, SeriesKey] | None = None,
    ) -> None:
        self.samples = 0
        self._query = query
        self._grid = grid
        self._limit = series_limit
        self._takes_partial = takes_partial
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
            check_envelope(self._query, frame.envelope, takes_partial=self._takes_partial)
            self._add_rows(list(frame.rows), part)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise not_an_answer(self._query, body, error) from error
        self._warnings |= dict.fromkeys(frame.envelope.told)
        return self.samples - before

    def _add_rows(self, rows: list[tuple[bytes, Text | None]], part: Grid) -> None:
        self._check_limit(len(rows))
        self._reserve(len(rows))
        texts: dict[int, Text] = {}
        skipped: Counter[Reason] = Counter()
        for labels, text in rows:
            if text is None:
                skipped[Reason.HISTOGRAM] += 1
            elif (row := self._row(self._key(labels))) in texts:
                skipped[Reason.DUPLICATE] += 1
            else:
                texts[row] = text
        self._check_limit(self.n_series)
        self._skipped |= skipped
        first = (part.start - self._grid.start) // self._grid.step
        columns = _Columns(self._query, part, self._values[:, first : first + part.n_steps])
        for block in _blocks(texts):
            self.samples += columns.fill(list(block), self._reader.read(list(block.values())))

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


def _blocks(texts: dict[int, Text]) -> Iterator[dict[int, Text]]:
    """Rows that are read at once, about `_BLOCK_BYTES` of them."""
    block: dict[int, Text] = {}
    size = 0
    for row, text in texts.items():
        block[row] = text
        size += len(text)
        if size >= _BLOCK_BYTES:
            yield block
            block, size = {}, 0
    if block:
        yield block


class _Columns:
    """The columns of one part."""

    def __init__(self, query: str, part: Grid, values: FloatArray) -> None:
        self._query = query
        self._part = part
        self._times = part.times
        self._values = values

    def fill(self, rows: list[int], samples: Samples) -> int:
        """Put samples where they belong. Gives their number."""
        # One row is written by a plain view, which is quicker than by its number.
        values = self._values[rows[0]] if len(rows) == 1 else self._values
        if self._is_whole(samples):
            values[slice(None) if len(rows) == 1 else rows] = samples.values.reshape(len(rows), -1)
            return len(samples.values)
        columns = (samples.times - self._part.start) / self._part.step
        inside = (np.floor(columns) == columns) & (columns >= 0) & (columns < self._part.n_steps)
        if not inside.all():
            raise self._off_grid(float(samples.times[np.argmin(inside)]))
        at = columns.astype(np.intp)
        values[at if len(rows) == 1 else (np.repeat(rows, samples.counts), at)] = samples.values
        return len(samples.values)

    def _is_whole(self, samples: Samples) -> bool:
        """True where no series has a gap."""
        if not min(samples.counts) == max(samples.counts) == self._part.n_steps:
            return False
        return bool((samples.times.reshape(-1, self._part.n_steps) == self._times).all())

    def _off_grid(self, time: float) -> AnswerIncomplete:
        grid = self._part
        return AnswerIncomplete(
            self._query,
            f"query {shorten(self._query)}: samples must lie at {grid.start}, {grid.start + grid.step}, ... {grid.end} "
            f"as asked for. Got one at {time:.15g}.",
        )
