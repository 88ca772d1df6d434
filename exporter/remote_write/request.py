"""Results as bodies of Prometheus' remote write 1.0: protocol buffers in a snappy block.

Each series is one ``TimeSeries`` of a ``WriteRequest``, with one sample. Messages are put together from bytes that are
made once a series, so a sample costs less than a microsecond.
Format: https://prometheus.io/docs/specs/prw/remote_write_spec/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import cramjam
import numpy as np
import numpy.typing as npt

from exporter.remote_write.labels import between, label, varint
from exporter.results import Column
from series import FloatArray, SeriesKey
from series.key import NAME

# The quiet NaN that tells Prometheus that a series has ended (model/value/value.go, StaleNaN).
STALE = np.uint64(0x7FF0_0000_0000_0002).view(np.float64)

# TimeSeries.samples = 2, a Sample of 16 bytes: double value = 1, int64 timestamp = 2.
_SAMPLE = np.dtype([("before", "V3"), ("value", "<f8"), ("tag", "u1"), ("time", "V6")])
_BEFORE = np.void(b"\x12\x10\x09")
_TIME_TAG = 0x10

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True)
class WriteRequest:
    """A body ready to be sent.

    Attributes
    ----------
    body : bytes
    samples : int
    at : float
        Time of its samples, in seconds since the epoch.
    """

    body: bytes
    samples: int
    at: float


class Messages:
    """Encodes the samples of one query; keeps the label bytes of each series between cycles.

    Parameters
    ----------
    query : str
        Value of the label `query`.
    external_labels : mapping of str to str
        Added where a series has no label of that name.
    """

    def __init__(self, query: str, external_labels: Mapping[str, str]) -> None:
        self.query = query
        self._external = tuple((name, value) for name, value in external_labels.items() if value)
        self._keys: tuple[SeriesKey, ...] = ()
        self._known: dict[tuple[str, ...], _Heads] = {}

    def encode(
        self, keys: tuple[SeriesKey, ...], column: Column, rows: IntArray, values: FloatArray, at: float
    ) -> bytes:
        """One message for each of some series.

        Parameters
        ----------
        keys : tuple of SeriesKey, length n_series
        column : Column
            Whose family and labels they have.
        rows : (n,) intp
            Which series.
        values : (n,) float64
        at : float
            Seconds since the epoch.
        """
        own = {NAME: column.family.name, "query": self.query, **column.labels}
        return self._heads(keys, tuple(sorted(own))).join(own, rows, _samples(values, at))

    def _heads(self, keys: tuple[SeriesKey, ...], own: tuple[str, ...]) -> _Heads:
        if keys is not self._keys:
            self._keys, self._known = keys, {}
        if own not in self._known:
            self._known[own] = _Heads(own, [between(key, own, self._external) for key in keys])
        return self._known[own]


class _Heads:
    """Labels of series as bytes, divided where the own labels stand: a request must have them in order of name."""

    def __init__(self, own: tuple[str, ...], rows: Sequence[list[bytes]]) -> None:
        self._own = own
        self._between = [[row[gap] for row in rows] for gap in range(len(own) + 1)]
        self._length = np.zeros(len(rows), np.intp)
        for part in self._between:
            self._length += np.fromiter(map(len, part), np.intp, len(part))

    def join(self, own: Mapping[str, str], rows: IntArray, samples: list[bytes]) -> bytes:
        fixed = [label(name, own[name]) for name in self._own]
        lengths = self._length[rows] + sum(map(len, fixed)) + _SAMPLE.itemsize
        starts = {length: b"\x0a" + varint(length) for length in np.unique(lengths).tolist()}
        some = rows.tolist()
        parts: list[list[bytes]] = [[starts[length] for length in lengths.tolist()]]
        for text, labels in zip([b"", *fixed], self._between, strict=True):
            parts += [[text] * len(some)] if text else []
            parts.append([labels[row] for row in some])
        pieces = [b""] * (len(some) * (len(parts) + 1))
        for place, part in enumerate([*parts, samples]):
            pieces[place :: len(parts) + 1] = part
        return b"".join(pieces)


def in_requests(messages: Iterable[tuple[int, bytes]], at: float, most: int) -> Iterator[WriteRequest]:
    """Pack messages into requests of about `most` samples.

    Parameters
    ----------
    messages : iterable of (int, bytes)
        Encoded series, and how many they are.
    at : float
        Time of their samples.
    most : int
    """
    waiting: list[bytes] = []
    samples = 0
    for count, message in messages:
        if waiting and samples + count > most:
            yield _request(waiting, samples, at)
            waiting, samples = [], 0
        waiting.append(message)
        samples += count
    if waiting:
        yield _request(waiting, samples, at)


def _request(messages: list[bytes], samples: int, at: float) -> WriteRequest:
    return WriteRequest(bytes(cramjam.snappy.compress_raw(b"".join(messages))), samples, at)


def _samples(values: FloatArray, at: float) -> list[bytes]:
    samples = np.empty(len(values), _SAMPLE)
    samples["before"] = _BEFORE
    samples["value"] = values
    samples["tag"] = _TIME_TAG
    samples["time"] = np.void(_six_bytes(round(at * 1_000)))
    encoded: list[bytes] = samples.view(f"V{_SAMPLE.itemsize}").tolist()
    return encoded


def _six_bytes(number: int) -> bytes:
    """A varint that always has six bytes, as milliseconds since the epoch need from 2004 to 2109."""
    return bytes([*(number >> shift & 0x7F | 0x80 for shift in range(0, 35, 7)), number >> 35])
