"""The steady case: one new step of series that are known already."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from series import Grid, SeriesKey, Window
from sources.decode import LABEL_SET
from sources.frame import Body
from sources.instant import InstantDecoder, Newest
from sources.points import Positions

# Gone series are let go of above this many.
_SPARE = 1_000


@dataclass(frozen=True, eq=False)
class StepRead:
    """A step, and what the server wants its user to know."""

    window: Window
    warnings: tuple[str, ...]


class NewestStep:
    """Reads the one-step range answers of one query, and remembers its series from answer to answer.

    A tenth of the cost of `sources.decode.RangeDecoder`, which stays the judge of whatever is not plain: this gives
    None for another layout, too many series, two series with the same labels, and instants not asked for.
    As long as the same series come in the same order, their keys are one and the same tuple.

    Parameters
    ----------
    takes_partial : bool, default False
        Whether an answer may be used that says it is partial; it then becomes a warning.
    """

    def __init__(self, *, takes_partial: bool = False) -> None:
        self._takes_partial = takes_partial
        self._series = _Series()
        self._decoder = self._fresh_decoder()
        self._order: Positions | None = None
        self._seen: tuple[SeriesKey, ...] = ()

    def read(
        self, query: str, body: Body, part: Grid, *, series_limit: int, known: dict[bytes, SeriesKey]
    ) -> StepRead | None:
        """Read one answer, or give None where this is not the way to read it.

        Parameters
        ----------
        query : str
            For messages.
        part : Grid
            Of one step.
        series_limit : int
        known : dict of bytes to SeriesKey
            Keys by the raw JSON of their labels; new ones are added.

        Raises
        ------
        QueryRefused, SourceUnavailable, AnswerIncomplete
            As `sources.decode.RangeDecoder.add`.
        """
        newest = self._decoder.decode_step(query, body)
        if newest is None or newest.time != part.start or len(newest.rows) > series_limit:
            return None
        if newest.unknown and (newest := self._learned(query, body, newest, known)) is None:
            return None
        if newest.rows is not self._order and not self._reorder(newest.rows):
            return None
        return StepRead(Window(self._seen, part.times, newest.values[:, None]), newest.warnings)

    def _learned(self, query: str, body: Body, newest: Newest, known: dict[bytes, SeriesKey]) -> Newest | None:
        """Give a row to each new series, and read again."""
        unknown = newest.unknown
        if len(self._series.keys) > _SPARE + 2 * len(newest.rows):
            self._series = _Series()
            everything = self._fresh_decoder().decode_step(query, body)
            unknown = everything.unknown if everything else unknown
        for labels in unknown:
            self._series.add(labels, known)
        self._decoder = self._fresh_decoder()
        return self._decoder.decode_step(query, body)

    def _reorder(self, rows: Positions) -> bool:
        if len(np.unique(rows)) < len(rows):
            return False
        self._order = rows
        self._seen = tuple(self._series.keys[row] for row in rows.tolist())
        return True

    def _fresh_decoder(self) -> InstantDecoder:
        return InstantDecoder(self._series.rows, takes_partial=self._takes_partial)


class _Series:
    """Keys, their rows, and the rows by the raw JSON of their labels, of which a key may have several."""

    def __init__(self) -> None:
        self.keys: list[SeriesKey] = []
        self.rows: dict[bytes, int] = {}
        self._row_of: dict[SeriesKey, int] = {}

    def add(self, labels: bytes, known: dict[bytes, SeriesKey]) -> None:
        key = known.get(labels)
        if key is None:
            key = known[labels] = SeriesKey(LABEL_SET.decode(labels))
        row = self.rows[labels] = self._row_of.setdefault(key, len(self.keys))
        if row == len(self.keys):
            self.keys.append(key)
