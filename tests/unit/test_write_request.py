"""Remote write bodies are read back by a plain twin of the wire format."""

import struct

import cramjam
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter import metrics
from exporter.remote_write.labels import varint as encode
from exporter.remote_write.request import STALE, Messages, in_requests
from exporter.remote_write.shown import Shown
from exporter.results import Column, Results, output_names
from series import SeriesKey
from tests.fakes.write_reader import fields, read, varint

AT = 1_700_000_000.123


def bits(value: float) -> int:
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def requests_of(messages: Messages, keys, column, most=1_000, at=AT):
    rows = np.arange(len(keys))
    portions = [rows[first : first + most] for first in range(0, len(rows), most)]
    encoded = ((len(some), messages.encode(keys, column, some, column.values[some], at)) for some in portions)
    return list(in_requests(encoded, at, most))


NAMES = st.sampled_from(["__name__", "job", "A", "query", "horizon", "hot", "zone", "metric", "replica"])


@given(
    st.lists(st.dictionaries(NAMES, st.text(max_size=200), max_size=6), min_size=1, max_size=5),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
)
def test_every_series_is_read_back_with_sorted_labels(rows, value, ahead):
    keys = tuple(map(SeriesKey, rows))
    column = Column(metrics.FORECAST, np.full(len(keys), value), {"horizon": "1h"} if ahead else {})
    (request,) = requests_of(Messages("q", {"replica": "a", "query": "not ours", "empty": ""}), keys, column)
    assert request.samples == len(keys)
    for key, (labels, number, milliseconds) in zip(keys, read(request.body), strict=True):
        given_names = output_names(tuple(name for name, _ in key))
        expected = {"replica": "a"} | dict(zip(given_names, (value for _, value in key), strict=True))
        expected |= {"__name__": "forethought_forecast", "query": "q"} | column.labels
        assert labels == sorted(expected.items())
        assert (number, milliseconds) == (bits(value), 1_700_000_000_123)


def test_the_bytes_are_those_of_the_specification():
    keys = (SeriesKey({"job": "a"}),)
    (request,) = requests_of(Messages("q", {}), keys, Column(metrics.VALUE, np.array([1.0])), at=1.7e9)
    labels = (
        b"\n\x1d\n\x08__name__\x12\x11forethought_value" + b"\n\x08\n\x03job\x12\x01a" + b"\n\x0a\n\x05query\x12\x01q"
    )
    sample = b"\x09\x00\x00\x00\x00\x00\x00\xf0\x3f" + b"\x10\x80\xd0\x95\xff\xbc1"
    body = bytes(cramjam.snappy.decompress_raw(request.body))
    assert list(fields(body)) == [(1, labels + b"\x12" + bytes([len(sample)]) + sample)]


@pytest.mark.parametrize("at", [0.0, 1.0, 1.0e9, 4.0e9])
def test_any_time_reads_back(at):
    (request,) = requests_of(Messages("q", {}), (SeriesKey(),), Column(metrics.VALUE, np.array([1.0])), at=at)
    assert read(request.body)[0][2] == at * 1_000


def test_long_labels_and_many_series_are_split_into_requests():
    keys = tuple(SeriesKey({"path": str(number) * 500}) for number in range(10))
    requests = requests_of(Messages("q", {}), keys, Column(metrics.VALUE, np.arange(10.0)), most=4)
    assert [request.samples for request in requests] == [4, 4, 2]
    paths = [dict(labels)["path"] for request in requests for labels, *_ in read(request.body)]
    assert paths == [str(number) * 500 for number in range(10)]


def test_small_messages_share_a_request():
    requests = list(in_requests([(3, b"a"), (3, b"b"), (5, b"c"), (20, b"d")], AT, most=10))
    assert [(request.samples, bytes(cramjam.snappy.decompress_raw(request.body))) for request in requests] == [
        (6, b"ab"),
        (5, b"c"),
        (20, b"d"),
    ]


def test_the_stale_marker_keeps_its_bits():
    keys = (SeriesKey({"job": "a"}),)
    column = Column(metrics.VALUE, np.array([STALE]))
    (request,) = requests_of(Messages("q", {}), keys, column)
    assert read(request.body)[0][1] == 0x7FF0_0000_0000_0002


A, B, C = (SeriesKey({"job": name}) for name in "abc")


def gone(shown: Shown, keys, values):
    column = Column(metrics.VALUE, np.array(values, dtype=float))
    return sorted(each.keys[row]["job"] for each in shown.replace(_results(keys, column)) for row in each.rows)


def _results(keys, *columns):
    return Results("q", tuple(keys), columns, expires=0.0)


def test_series_that_stop_are_found_wherever_the_others_move():
    shown, nan = Shown(), np.nan
    keys = (A, B)
    assert gone(shown, keys, [1, 1]) == []
    assert gone(shown, keys, [1, nan]) == ["b"]
    assert gone(shown, keys, [1, nan]) == []
    assert gone(shown, keys, [1, 2]) == []
    assert gone(shown, (C, B), [1, 2]) == ["a"]
    assert gone(shown, (B, C, A), [nan, 1, 2]) == ["b"]
    assert gone(shown, (), []) == ["a", "c"]


def test_a_column_that_is_left_out_has_stopped():
    shown = Shown()
    ahead = [Column(metrics.FORECAST, np.ones(2), {"horizon": horizon}) for horizon in ("1h", "1d")]
    assert list(shown.replace(_results((A, B), *ahead))) == []
    (left,) = shown.replace(_results((A, B), ahead[1]))
    assert (left.column.labels, left.rows.tolist()) == ({"horizon": "1h"}, [0, 1])
    (rest,) = shown.replace(None)
    assert rest.column.labels == {"horizon": "1d"}
    assert list(shown.replace(None)) == []


@pytest.mark.parametrize("number", [0, 127, 128, 300, 2**42])
def test_varints_read_back(number):
    assert varint(encode(number), 0) == (number, len(encode(number)))
