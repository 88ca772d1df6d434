"""From the text of one series, ``[[time,"value"],...]``, to floats, without an object for each sample."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import simdjson

from series import FloatArray

_OPEN, _CLOSE = b"[]"
# Without these the row is a flat list of numbers: time, value, time, value.
_FLATTEN = bytes.maketrans(b'"[]', b"   ")
# JSON has no such numbers. Each is read as a number that hardly ever occurs; `_restore` proves that it was meant.
_SPECIAL = ((b"NaN", b"-7e-311", math.nan), (b"+Inf", b"-8e-311", math.inf), (b"-Inf", b"-9e-311", -math.inf))
_PAIRS = msgspec.json.Decoder(list[tuple[float, str]])
# Below this many bytes the fixed cost of numpy calls is more than they save.
SHORT = 1_500

Pairs = tuple[FloatArray, FloatArray]


class RowReader:
    """Reads rows; keeps the buffers of its parser. Not for several threads at once."""

    def __init__(self) -> None:
        self._parser = simdjson.Parser()

    def read(self, text: bytes | bytearray | memoryview, short: int = SHORT) -> Pairs:
        """Times and values of one series.

        Parameters
        ----------
        text : bytes-like
            A JSON array of ``[time, "value"]`` arrays.
        short : int
            Rows of fewer bytes are read sample by sample, which gives the same.

        Returns
        -------
        times, values : (n,) float64
            Bit for bit what ``float`` makes of each; NaN and infinities are values here.

        Raises
        ------
        msgspec.MsgspecError, ValueError
            Where the text is anything else.
        """
        if len(text) >= short and (pairs := self._read_flat(bytearray(text))) is not None:
            return pairs
        return read_plainly(text)

    def _read_flat(self, row: bytearray) -> Pairs | None:
        """The fast way, or None for whatever it cannot prove to have read right."""
        if row[:2] != b"[[" or row[-2:] != b"]]":
            return None
        n_rows = np.count_nonzero(np.frombuffer(row, np.uint8) == _CLOSE) - 1
        flat = self._numbers(row)
        # A value that holds a comma would shift all after it, but then brackets and numbers no longer agree.
        if flat is None or len(flat) != 2 * n_rows:
            return None
        return flat[0::2], flat[1::2]

    def _numbers(self, row: bytearray) -> FloatArray | None:
        if b"N" in row or b"I" in row:
            return self._restore(row)
        flat = self._parse(row)
        if flat is not None and not flat.all() and b'"-0"' in row:
            return self._parse(row.replace(b'"-0"', b'"-0.0"'))  # simdjson reads an integer, which has no -0
        return flat

    def _restore(self, row: bytearray) -> FloatArray | None:
        counts = [row.count(name) for name, _, _ in _SPECIAL]
        row = row.replace(b'"-0"', b'"-0.0"')
        for name, stand_in, _ in _SPECIAL:
            row = row.replace(name, stand_in)
        flat = self._parse(row)
        if flat is None:
            return None
        flat = flat.copy()
        for count, (_, stand_in, value) in zip(counts, _SPECIAL, strict=True):
            meant = flat == float(stand_in)
            if np.count_nonzero(meant) != count:  # a sample is that very number
                return None
            flat[meant] = value
        return flat

    def _parse(self, row: bytearray) -> FloatArray | None:
        text = row.translate(_FLATTEN)
        text[0], text[-1] = _OPEN, _CLOSE
        try:
            return np.frombuffer(self._parser.parse(text).as_buffer(of_type="d"), np.float64)  # type: ignore[union-attr]
        except (ValueError, TypeError, RuntimeError):  # not JSON; not a number; an integer above 64 bits
            return None


def read_plainly(text: bytes | bytearray | memoryview) -> Pairs:
    """The same as `RowReader.read`, sample by sample: slower, and right for every layout of JSON."""
    pairs = _PAIRS.decode(text)
    times = np.fromiter((time for time, _ in pairs), np.float64, len(pairs))
    return times, np.fromiter((float(value) for _, value in pairs), np.float64, len(pairs))
