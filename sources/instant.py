"""From the bytes of an instant answer to the newest point of known series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
import simdjson

from series import FloatArray
from sources.decode import LABEL_SET
from sources.frame import Body, read_envelope
from sources.points import INSTANT, ONE_STEP, WIDTH, Bytes, Layout, Points, Positions, windows
from sources.refusal import check_envelope, not_an_answer

# Enough points for numpy to be busy, few enough to stay in the cache.
_BLOCK = 2_048
# By length of a number: what to keep of the bytes that start with it, and what to put into the others.
_KEEP = np.tril(np.full((WIDTH, WIDTH), 0xFF, np.uint8), -1)
_FILL = np.triu(np.full((WIDTH, WIDTH), ord(" "), np.uint8))
np.fill_diagonal(_FILL, ord(","))


@dataclass(frozen=True, eq=False)
class Newest:
    """The points of an instant answer, in the order of the server.

    Attributes
    ----------
    time : float
        Instant of evaluation, seconds since the epoch; NaN for an answer without points.
    rows : (n,) intp
        Row of each point's series, -1 for an unknown one.
    values : (n,) float64
    unknown : tuple of bytes
        The raw JSON labels of the unknown ones.
    warnings : tuple of str
        What the server wants its user to know.
    """

    time: float
    rows: Positions
    values: FloatArray
    unknown: tuple[bytes, ...]
    warnings: tuple[str, ...]


class InstantDecoder:
    """Matches the points of instant answers to the rows of known series.

    A server gives the series of one query in the same order again and again. So the labels are compared with those
    of the answer before, all at once, and only an answer that differs is looked up series by series.

    Parameters
    ----------
    rows : mapping of bytes to int
        Row of each known series by the raw JSON of its labels.
    takes_partial : bool, default False
        Whether an answer may be used that says it is partial; it then becomes a warning.
    """

    def __init__(self, rows: Mapping[bytes, int], *, takes_partial: bool = False) -> None:
        self._rows = rows
        self._takes_partial = takes_partial
        self._order: _Order | None = None
        self._parser = simdjson.Parser()

    def decode(self, query: str, body: Body) -> Newest:
        """Read one answer of ``/api/v1/query``. Native histograms are left out.

        Raises
        ------
        QueryRefused, SourceUnavailable, AnswerIncomplete
            As `sources.decode.RangeDecoder.add`.
        """
        try:
            return self._cut(query, body, INSTANT) or self._parse(query, body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise not_an_answer(query, body, error) from error

    def decode_step(self, query: str, body: Body) -> Newest | None:
        """Read one answer of ``/api/v1/query_range`` for a single step, or give None where its layout is another.

        Raises
        ------
        QueryRefused, SourceUnavailable, AnswerIncomplete
            As `decode`.
        """
        try:
            return self._cut(query, body, ONE_STEP)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise not_an_answer(query, body, error) from error

    def _cut(self, query: str, body: Body, layout: Layout) -> Newest | None:
        if (points := Points.of(body, layout)) is None or (values := self._numbers(points)) is None:
            return None
        check_envelope(query, points.envelope, layout.kind, takes_partial=self._takes_partial)
        if self._order is None or not self._order.holds(points):
            try:
                self._order = _Order(points, self._rows)
            except (msgspec.MsgspecError, ValueError):  # there is more between two points than labels
                return None
        return Newest(points.time, self._order.rows, values, self._order.unknown, points.envelope.told)

    def _numbers(self, points: Points) -> FloatArray | None:
        values = np.empty(len(points.values))
        for first in range(0, len(values), _BLOCK):
            some = slice(first, first + _BLOCK)
            block = self._block(points.text, points.values[some], points.lengths[some])
            if block is None:
                return None
            values[some] = block
        return values

    def _block(self, text: Bytes, starts: Positions, lengths: Positions) -> FloatArray | None:
        raw = windows(text, starts, WIDTH)
        # Not JSON: NaN, +Inf, -Inf. An integer for simdjson: -0. Rare, so read one by one.
        odd = (raw[:, 0] == ord("N")) | (raw[:, 0] == ord("+")) | (raw[:, 1] == ord("I"))
        odd |= (raw[:, 0] == ord("-")) & (raw[:, 1] == ord("0")) & (lengths == 2)
        spelled = [bytes(raw[at, : lengths[at]]) for at in np.flatnonzero(odd)]
        raw = (raw & _KEEP[lengths]) | _FILL[lengths]
        raw[odd] = _FILL[0]
        raw[odd, 0:2] = (ord("0"), ord(","))
        raw[-1][raw[-1] == ord(",")] = ord(" ")
        try:
            numbers = self._parser.parse(b"[" + raw.tobytes() + b"]").as_buffer(of_type="d")  # type: ignore[union-attr]
        except (ValueError, TypeError, RuntimeError):  # not JSON; not a number; an integer above 64 bits
            return None
        values = np.frombuffer(numbers, np.float64).copy()
        if len(values) != len(starts):
            return None
        values[odd] = [float(word) for word in spelled]
        return values

    def _parse(self, query: str, body: Body) -> Newest:
        envelope = read_envelope(body)
        check_envelope(query, envelope, "vector", takes_partial=self._takes_partial)
        points = [one for one in _POINTS.decode(envelope.data.result) if one.value] if envelope.data else []
        labels = [bytes(one.metric) for one in points]
        rows, unknown = _look_up(labels, self._rows)
        values = np.array([float(one.value[1]) for one in points if one.value], dtype=np.float64)
        time = points[0].value[0] if points and points[0].value else np.nan
        return Newest(time, rows, values, unknown, envelope.told)


class _Point(msgspec.Struct, gc=False):
    metric: msgspec.Raw
    value: tuple[float, str] | None = None


_POINTS = msgspec.json.Decoder(list[_Point])


class _Order:
    """The labels of one answer, in order, and the rows they stand for."""

    def __init__(self, points: Points, rows: Mapping[bytes, int]) -> None:
        labels = points.labels()
        self.rows, self.unknown = _look_up(labels, rows)
        self._lengths = points.label_ends - points.label_starts
        self._width = int(self._lengths.max())
        # One label as long as a page must not make each series take a page.
        self._remembers = self._width <= 4 * self._lengths.mean() + 64
        if self._remembers:
            self._labels = np.array(labels, dtype=f"S{self._width}").view(np.uint8).reshape(-1, self._width)
            self._beyond = np.arange(self._width) >= self._lengths[:, None]

    def holds(self, points: Points) -> bool:
        """True if `points` are those of the same series in the same order."""
        if not self._remembers or not np.array_equal(points.label_ends - points.label_starts, self._lengths):
            return False
        text = np.concatenate((points.text, np.zeros(self._width, np.uint8)))
        for first in range(0, len(self._lengths), _BLOCK):
            some = slice(first, first + _BLOCK)
            same = windows(text, points.label_starts[some], self._width) == self._labels[some]
            same |= self._beyond[some]
            if not same.all():
                return False
        return True


def _look_up(labels: list[bytes], rows: Mapping[bytes, int]) -> tuple[Positions, tuple[bytes, ...]]:
    """Row of each series, and the unknown labels; the known ones were checked when they became known."""
    found = np.fromiter((rows.get(label, -1) for label in labels), np.intp, len(labels))
    unknown = tuple(labels[at] for at in np.flatnonzero(found < 0))
    for label in unknown:
        LABEL_SET.decode(label)
    return found, unknown
