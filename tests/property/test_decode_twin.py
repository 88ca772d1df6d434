"""The fast decoders give what json and float give, whatever the data."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from series import FloatArray, Grid, SeriesKey
from sources.decode import RangeDecoder
from sources.frame import read_frame
from sources.instant import InstantDecoder
from sources.row import RowReader, read_plainly

GRID = Grid(1_699_999_800, 300, 100)
TIMES = [int(time) for time in GRID.times]

# Byte strings that look like the frame, and characters that JSON escapes.
HOSTILE = (
    '"result":[',
    '{"metric":{',
    '},"values":[[',
    '},"value":[1700000000.123,"',
    '"]},{"metric":{',
    "]]}]}}",
    "\\",
    '\\"',
    "\u2028",
    "é\U0001f600",
    "\x7f",
    "<&>",
    "",
)
text = st.one_of(
    st.sampled_from(HOSTILE), st.text(max_size=12), st.lists(st.sampled_from(HOSTILE), max_size=4).map("".join)
)
labels = st.dictionaries(text, text, max_size=4)


def spell(value: float) -> str:
    """As Prometheus' API spells a double (util/jsonutil/marshal.go): no exponent from 1e-6 up to 1e21."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'+' if value > 0 else '-'}Inf"
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return np.format_float_positional(value, trim="-")
    return repr(value)


numbers = st.one_of(
    st.floats(),
    st.integers(-(2**70), 2**70).map(float),
    st.sampled_from([0.0, -0.0, 5e-324, 9e9, -8e-211, -9e-211, 1e21, 2.0**53 + 2, 2.0**63, 2.0**64, 0.1 + 0.2]),
    st.floats(0, 1e3).map(lambda value: round(value, 3)),
)
rows = st.lists(st.one_of(st.none(), numbers), min_size=1, max_size=8).map(lambda some: (some * 100)[:100])


def bits(value: float) -> bytes:
    return struct.pack("<d", math.nan if math.isnan(value) else value)


def naive_range(body: bytes, grid: Grid) -> dict[SeriesKey, list[float]]:
    found: dict[SeriesKey, list[float]] = {}
    for one in json.loads(body)["data"]["result"]:
        key = SeriesKey(one["metric"])
        if key not in found:
            found[key] = [math.nan] * grid.n_steps
            for time, value in one["values"]:
                found[key][(time - grid.start) // grid.step] = float(value)
    return found


def render(result: list[Any], kind: str, *, compact: bool, ascii_only: bool) -> bytes:
    whole = {"status": "success", "data": {"resultType": kind, "result": result}}
    separators = (",", ":") if compact else (" , ", " : ")
    return json.dumps(whole, separators=separators, ensure_ascii=ascii_only).encode()


def same(one: FloatArray, other: list[float]) -> bool:
    return [bits(value) for value in one.tolist()] == [bits(value) for value in other]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(labels, rows), max_size=5), st.booleans(), st.booleans())
def test_a_range_answer_is_read_as_its_naive_twin(
    data: list[tuple[dict[str, str], list[float | None]]], compact: bool, ascii_only: bool
) -> None:
    result = [
        {
            "metric": names,
            "values": [[time, spell(value)] for time, value in zip(TIMES, row, strict=True) if value is not None],
        }
        for names, row in data
    ]
    body = render(result, "matrix", compact=compact, ascii_only=ascii_only)
    decoder = RangeDecoder("q", GRID, series_limit=10)
    decoder.add(bytearray(body), GRID)
    window, twin = decoder.window(), naive_range(body, GRID)
    assert window.keys == tuple(twin)
    assert all(same(window.values[row], twin[key]) for row, key in enumerate(window.keys))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**10) | st.floats(0, 1e10), numbers), max_size=30))
def test_the_fast_row_is_read_as_the_plain_one(pairs: list[tuple[float, float]]) -> None:
    row = ("[" + ",".join(f'[{time!r},"{spell(value)}"]' for time, value in pairs) + "]").encode()
    fast, plain = RowReader().read([row]), read_plainly(row)
    assert same(fast.times, plain.times.tolist())
    assert same(fast.values, plain.values.tolist())
    assert same(fast.values, [float(spell(value)) for _, value in pairs])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 99), numbers), max_size=4), min_size=1, max_size=6), st.booleans())
def test_rows_read_at_once_are_those_read_one_by_one(rows: list[list[tuple[int, float]]], compact: bool) -> None:
    separators = (",", ":") if compact else (" , ", " : ")
    texts = [json.dumps([[time, spell(value)] for time, value in row], separators=separators).encode() for row in rows]
    samples = RowReader().read(texts)
    assert samples.counts == [len(row) for row in rows]
    assert same(samples.times, [time for row in rows for time, _ in row])
    assert same(samples.values, [value for row in rows for _, value in row])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=20) | st.text('[]",0123456789.eE+-NaInf {}:', max_size=30).map(str.encode))
def test_whatever_stands_in_a_row_is_read_as_json_reads_it_or_refused(rest: bytes) -> None:
    row = b'[[1,"2"],' + rest + b"]"
    try:
        twin: list[tuple[float, float]] | None = [(time, float(value)) for time, value in json.loads(row)]
    except (ValueError, TypeError):
        twin = None
    try:
        samples = RowReader().read([row])
    except (msgspec.MsgspecError, ValueError):
        return
    if twin is None:  # quotation marks at other places; but no sample may be lost or shifted
        assert row.count(b"]") == len(samples.times) + 1
    else:
        assert same(samples.times, [time for time, _ in twin])
        assert same(samples.values, [value for _, value in twin])


@settings(max_examples=100, deadline=None)
@given(st.lists(labels, max_size=5))
def test_frames_are_cut_where_json_cuts_them(names: list[dict[str, str]]) -> None:
    result = [{"metric": one, "values": [[1, "2"]]} for one in names]
    body = render(result, "matrix", compact=True, ascii_only=False)
    assert [json.loads(raw) for raw, _ in read_frame(body).rows] == names


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(labels, numbers), max_size=6, unique_by=lambda one: tuple(sorted(one[0].items()))),
    st.sampled_from([1_700_000_000, 1_700_000_000.123, 5]),
    st.booleans(),
    st.booleans(),
    st.data(),
)
def test_an_instant_answer_is_read_as_its_naive_twin(
    points: list[tuple[dict[str, str], float]], time: float, compact: bool, ascii_only: bool, data: st.DataObject
) -> None:
    result = [{"metric": names, "value": [time, spell(value)]} for names, value in points]
    body = render(result, "vector", compact=compact, ascii_only=ascii_only)
    separators = (",", ":") if compact else (" , ", " : ")
    raw = [json.dumps(names, separators=separators, ensure_ascii=ascii_only).encode() for names, _ in points]
    known = {label: 100 + at for at, label in enumerate(raw) if data.draw(st.booleans())}
    decoder = InstantDecoder(known)
    for newest in (decoder.decode("q", bytearray(body)), decoder.decode("q", body)):
        assert same(newest.values, [value for _, value in points])
        assert newest.rows.tolist() == [known.get(label, -1) for label in raw]
        assert newest.unknown == tuple(label for label in raw if label not in known)
        assert math.isnan(newest.time) if not points else newest.time == time
