"""From the texts of series, ``[[time,"value"],...]`` each, to floats, without an object for each sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import msgspec
import numpy as np
import simdjson

from series import FloatArray
from sources.frame import Text

_OPEN, _CLOSE = b"[]"
# Without these the rows are a flat list of numbers: time, value, time, value.
_FLATTEN = bytes.maketrans(b'"[]', b"   ")
# JSON has no NaN and no infinity. Other numbers stand in for them: as many as there are of the stand-in were meant, or
# a sample is that very number and the row is read the plain way. NaN turns into 9e9 on the way, letter by letter.
_FLATTEN_NAN = bytes.maketrans(b'"[]Na', b"   9e")
_NAN = 9e9
_INFINITE = ((b"+Inf", b"-8e-211", math.inf), (b"-Inf", b"-9e-211", -math.inf))
_PAIRS = msgspec.json.Decoder(list[tuple[float, str]])


@dataclass(frozen=True, eq=False)
class Samples:
    """The samples of some series, one series after the other.

    Attributes
    ----------
    counts : list of int
        Samples of each series.
    times, values : (n,) float64
        Bit for bit what ``float`` makes of the texts; NaN and infinities are values here.
    """

    counts: list[int]
    times: FloatArray
    values: FloatArray

    @classmethod
    def joined(cls, parts: Sequence[Samples]) -> Self:
        """Some samples after the other."""
        return cls(
            [count for part in parts for count in part.counts],
            np.concatenate([part.times for part in parts]),
            np.concatenate([part.values for part in parts]),
        )


class RowReader:
    """Reads rows; keeps the buffers of its parser. Not for several threads at once."""

    def __init__(self) -> None:
        self._parser = simdjson.Parser()

    def read(self, texts: Sequence[Text]) -> Samples:
        """Samples of one series or more.

        Parameters
        ----------
        texts : sequence of bytes-like
            Of each series, a JSON array of ``[time, "value"]`` arrays.

        Raises
        ------
        msgspec.MsgspecError, ValueError
            Where a text is anything else.
        """
        samples = self._read_flat(texts)
        if samples is not None:
            return samples
        if len(texts) == 1:
            return read_plainly(texts[0])
        return Samples.joined([self.read([text]) for text in texts])

    def _read_flat(self, texts: Sequence[Text]) -> Samples | None:
        """The fast way, or None for whatever it cannot prove to have read right."""
        rows, counts = _one(texts[0]) if len(texts) == 1 else _several(texts)
        flat = self._numbers(rows)
        # A value that holds a comma would shift all after it, but then brackets and numbers no longer agree.
        if flat is None or len(flat) != 2 * sum(counts):
            return None
        return Samples(counts, flat[0::2], flat[1::2])

    def _numbers(self, rows: bytearray) -> FloatArray | None:
        stand_ins: list[tuple[float, float, float]] = []
        table = _FLATTEN
        if b"I" in rows:
            for name, stand_in, value in _INFINITE:
                stand_ins.append((float(stand_in), rows.count(name), value))
                rows = rows.replace(name, stand_in)
        if b"N" in rows:
            stand_ins.append((_NAN, rows.count(b"N") / 2, math.nan))
            table = _FLATTEN_NAN
        flat = self._parse(rows, table)
        if flat is not None and not flat.all() and b'"-0"' in rows:
            flat = self._parse(rows.replace(b'"-0"', b'"-0.0"'), table)  # simdjson reads an integer, which has no -0
        return _restored(flat, stand_ins) if stand_ins and flat is not None else flat

    def _parse(self, rows: bytearray, table: bytes) -> FloatArray | None:
        text = rows.translate(table)
        text[0], text[-1] = _OPEN, _CLOSE
        try:
            return np.frombuffer(self._parser.parse(text).as_buffer(of_type="d"), np.float64)  # type: ignore[union-attr]
        except (ValueError, TypeError, RuntimeError):  # not JSON; not a number; an integer above 64 bits
            return None


def _one(text: Text) -> tuple[bytearray, list[int]]:
    rows = bytearray(text)
    return rows, [int(np.count_nonzero(np.frombuffer(rows, np.uint8) == _CLOSE)) - 1]


def _several(texts: Sequence[Text]) -> tuple[bytearray, list[int]]:
    whole = [bytes(text) for text in texts]
    rows = bytearray(b"[%b]" % b",".join([text[1:-1] for text in whole if text != b"[]"]))
    return rows, [text.count(b"]") - 1 for text in whole]


def _restored(flat: FloatArray, stand_ins: list[tuple[float, float, float]]) -> FloatArray | None:
    """Put the numbers in that were meant, or None where one is not a stand-in but a sample."""
    flat = flat.copy()
    for stand_in, count, value in stand_ins:
        meant = flat == stand_in
        if np.count_nonzero(meant) != count:
            return None
        flat[meant] = value
    return flat


def read_plainly(text: Text) -> Samples:
    """The same as `RowReader.read` for one series, sample by sample: slower, and right for every layout of JSON."""
    pairs = _PAIRS.decode(text)
    times = np.array([time for time, _ in pairs], np.float64)
    return Samples([len(pairs)], times, np.array([float(value) for _, value in pairs], np.float64))
