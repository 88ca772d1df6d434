"""Files as a source: what is read, what is refused, with the place of the mistake."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from series import Grid, SeriesKey
from sources.errors import QueryRefused
from sources.recording import Extent
from sources.replay import ReplaySource

GRID = Grid(1_700_000_040, 60, 3)
A = SeriesKey({"__name__": "runs", "job": "a"})
B = SeriesKey({"__name__": "runs", "job": 'b "x, y" é'})

CSV = """timestamp,__name__,value,job
1700000040,runs,1,a
1700000160.0,runs,3,a
1700000040,runs,10,"b ""x, y"" é"
2023-11-14T22:15:00Z,runs,NaN,"b ""x, y"" é"

2023-11-14 22:16:00,runs,,"b ""x, y"" é"
"""
OPENMETRICS = """# HELP runs How many.
# TYPE runs gauge
runs{job="a"} 1 1700000040
runs{job="a"} 3 1700000160.0
runs{job="b \\"x, y\\" é"} 10 1700000040
runs{job="b \\"x, y\\" é"} NaN 1700000100
# EOF
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def parquet(folder: Path, times: Any = None, **columns: Any) -> Path:
    table = {
        "timestamp": times if times is not None else pa.array([1700000040, 1700000160, 1700000040, 1700000100]),
        "__name__": ["runs"] * 4,
        "value": [1.0, 3.0, 10.0, None],
        "job": ["a", "a", B["job"], B["job"]],
        "label": pa.array([0, 1, 0, 0], pa.int8()),
        "scored": [True, False, True, True],
        **columns,
    }
    path = folder / "runs.parquet"
    pq.write_table(pa.table({name: column for name, column in table.items() if column is not None}), path)
    return path


def check(source: ReplaySource) -> None:
    window = source.read_range("runs", GRID, series_limit=2).window
    assert window.keys == (A, B)
    np.testing.assert_array_equal(window.values, [[1, np.nan, 3], [10, np.nan, np.nan]])


@pytest.mark.parametrize(
    ("name", "text"), [("x.csv", CSV), ("x.CSV", "\ufeff" + CSV), ("x.om", OPENMETRICS), ("x.prom", OPENMETRICS)]
)
def test_text_files_give_the_same_window(tmp_path: Path, name: str, text: str) -> None:
    check(ReplaySource(written(tmp_path, name, text)))


SECONDS = [1700000040, 1700000160, 1700000040, 1700000100]
STAMPS = [dt.datetime.fromtimestamp(second, dt.UTC) for second in SECONDS]


@pytest.mark.parametrize(
    "times",
    [
        pa.array(SECONDS, pa.int64()),
        pa.array([float(second) for second in SECONDS]),
        pa.array([stamp.replace(tzinfo=None) for stamp in STAMPS], pa.timestamp("ns")),
        pa.array([stamp.replace(tzinfo=None) for stamp in STAMPS], pa.timestamp("s")),
        pa.array(STAMPS, pa.timestamp("ms", "Europe/Berlin")),
        pa.array([stamp.isoformat() for stamp in STAMPS]),
        pa.array([str(second) for second in SECONDS]).dictionary_encode(),
    ],
    ids=["int", "float", "ns", "s", "zone", "iso", "dictionary"],
)
def test_parquet_gives_the_same_window_whatever_the_type_of_its_time(tmp_path: Path, times: pa.Array) -> None:
    check(ReplaySource(parquet(tmp_path, times)))


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_parquet_takes_text_of_any_type_as_labels(tmp_path: Path, kind: pa.DataType) -> None:
    check(ReplaySource(parquet(tmp_path, job=pa.array(["a", "a", B["job"], B["job"]]).cast(kind))))


def test_an_empty_label_is_absent(tmp_path: Path) -> None:
    table = written(tmp_path, "x.csv", "timestamp,value,job\n1700000040,1,\n")
    assert ReplaySource(table).read_range("", GRID, series_limit=1).window.keys == (SeriesKey(),)
    path = parquet(tmp_path, job=pa.array([None, "", None, ""]))
    assert ReplaySource(path).read_range("", GRID, series_limit=1).window.keys == (SeriesKey.named("runs"),)


def test_a_table_without_labels_is_one_series(tmp_path: Path) -> None:
    for path in (
        written(tmp_path, "x.csv", "value,timestamp\n1,1700000040\n"),
        parquet(tmp_path, job=None, __name__=None),
    ):
        assert ReplaySource(path).read_range("", GRID, series_limit=1).window.keys == (SeriesKey(),)


def test_the_newest_sample_of_a_step_counts_and_times_may_go_back(tmp_path: Path) -> None:
    lines = [(1700000090, 2), (1700000050, 1), (1700000090, 3), (1700000041, 0), (1700000030, 7), (1700099999, 9)]
    text = "timestamp,value\n" + "".join(f"{time},{value}\n" for time, value in lines)
    answer = ReplaySource(written(tmp_path, "x.csv", text)).read_range("", GRID, series_limit=1)
    np.testing.assert_array_equal(answer.window.values, [[7, 3, np.nan]])


def test_it_tells_its_extent(tmp_path: Path) -> None:
    assert ReplaySource(written(tmp_path, "x.om", OPENMETRICS)).extent() == Extent(1700000040, 1700000160, 90)
    lone = "timestamp,value,n\n5,1,a\n7.5,1,b\n"
    assert ReplaySource(written(tmp_path, "x.csv", lone)).extent() == Extent(5, 7.5, 1)
    assert ReplaySource(written(tmp_path, "x.csv", "timestamp,value\n")).extent() is None


def test_exemplars_and_labels_that_look_like_them_are_read(tmp_path: Path) -> None:
    text = (
        "# TYPE d histogram\n"
        'd_bucket{le="1"} 5 1700000040 # {trace_id="abc"} 0.9 1699999999.5\n'
        'd_bucket{le="1"} 6 1700000100 # {trace_id="abd"} 0.9\n'
        'd_bucket{le=" # {x} 1 2"} 7 1700000040\n'
        "# EOF\n"
    )
    window = ReplaySource(written(tmp_path, "x.om", text)).read_range("", GRID, series_limit=5).window
    assert [key["le"] for key in window.keys] == ["1", " # {x} 1 2"]
    np.testing.assert_array_equal(window.values, [[5, 6, np.nan], [7, np.nan, np.nan]])


def test_labels_in_another_order_are_the_same_series(tmp_path: Path) -> None:
    text = 'm{a="1",b="2"} 5 1700000040\nm{b="2",a="1"} 6 1700000100\n# EOF\n'
    window = ReplaySource(written(tmp_path, "x.om", text)).read_range("", GRID, series_limit=1).window
    np.testing.assert_array_equal(window.values, [[5, 6, np.nan]])


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("x.csv", "", "must have a column 'timestamp'. Got none."),
        ("x.csv", "time,value\n", "must have a column 'timestamp'. Got time, value."),
        ("x.csv", "timestamp,job\n", "must have a column 'value'"),
        ("x.csv", "timestamp,value,job,job\n", "different names. Got 'job' twice"),
        ("x.csv", "timestamp,value\n1,2\n3,4,5\n", "x.csv:3: must have 2 columns, as its header. Got 3."),
        ("x.csv", "timestamp,value\n1,2\n\n3,x\n", "x.csv:4: value must be a number. Got 'x'."),
        ("x.csv", "timestamp,value\nyesterday,2\n", "x.csv:2: timestamp must be seconds since the epoch or ISO 8601."),
        (
            "x.csv",
            "timestamp,value\n1700000040000,2\n",
            "must be seconds since the epoch. Got 1700000040000. Are these milliseconds?",
        ),
        ("x.csv", "timestamp,value\nnan,2\n", "must be seconds since the epoch. Got nan."),
        ("x.csv", 'timestamp,value\n1,"2\n', "must be CSV in UTF-8"),
        ("x.om", "m 1 1700000040\n", "x.om:1: the last line must be # EOF"),
        ("x.om", "m 1\n# EOF\n", "x.om:1: must be name{labels} value timestamp, one space between. Got m 1."),
        ("x.om", "\n# EOF\n", "x.om:1: must be name{labels} value timestamp, one space between. Got an empty line."),
        ("x.om", 'm{a="b} 1 1\n# EOF\n', "x.om:1: must be name"),
        ("x.om", "m 1 1\nm one 2\n# EOF\n", "x.om:2: must be name"),
        ("x.om", "m 1 1700000040000\n# EOF\n", "Are these milliseconds?"),
        ("x.json", "{}", "must end in one of .csv, .parquet, .om"),
        ("x.parquet", "no parquet", "must be a Parquet file. Got "),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, name: str, text: str, says: str) -> None:
    path = written(tmp_path, name, text)
    with pytest.raises(QueryRefused) as caught:
        ReplaySource(path)
    assert says in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["x.csv", "x.om"])
def test_other_bytes_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"timestamp,value\n1,\xff\n")
    with pytest.raises(QueryRefused, match=r"must be .*UTF-8"):
        ReplaySource(path)


def test_a_mistake_in_a_parquet_column_is_told(tmp_path: Path) -> None:
    for columns, says in (
        ({"value": ["a", "b", "c", "d"]}, "value must be a number. Got string."),
        ({"value": None}, "must have a column 'value'"),
        ({"times": pa.array([1, None, 2, 3])}, "every row must have a timestamp. Got null."),
        ({"times": pa.array(["x", "1", "2", "3"])}, "timestamp must be seconds since the epoch or ISO 8601"),
    ):
        with pytest.raises(QueryRefused) as caught:
            ReplaySource(parquet(tmp_path, **columns))
        assert says in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    for name in ("gone.csv", "gone.om", "gone.parquet"):
        with pytest.raises(QueryRefused, match=rf"{name}: must be a readable file\. Got No such file or directory"):
            ReplaySource(tmp_path / name)


def test_parquet_without_pyarrow_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path; from sources.errors import QueryRefused; from sources.replay import ReplaySource\n"
        "try: ReplaySource(Path('x.parquet'))\n"
        "except QueryRefused as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "x.parquet: Parquet files need pyarrow. Install it by: pip install 'forethought[parquet]'\n"


def test_more_series_than_allowed_are_refused(tmp_path: Path) -> None:
    source = ReplaySource(written(tmp_path, "x.csv", CSV))
    with pytest.raises(QueryRefused, match=r"at most 1 series of .*x\.csv\. Got 2\..*raise series_limit"):
        source.read_range("", GRID, series_limit=1)


@pytest.mark.parametrize(
    ("query", "jobs"),
    [
        ("", "ab"),
        ("runs", "ab"),
        (" runs {} ", "ab"),
        ("other", ""),
        ('{job="a"}', "a"),
        ("runs{job='a',}", "a"),
        ('runs{job!="a"}', "b"),
        ('runs{job=~"a|c"}', "a"),
        ('runs{job=~""}', ""),
        ('runs{job!~"a.*", __name__="runs"}', "b"),
        ('{job="b \\"x, y\\" é"}', "b"),
        ('{missing=""}', "ab"),
        ('{missing!=""}', ""),
    ],
)
def test_a_selector_picks_series(tmp_path: Path, query: str, jobs: str) -> None:
    window = ReplaySource(written(tmp_path, "x.csv", CSV)).read_range(query, GRID, series_limit=9).window
    assert [key["job"][0] for key in window.keys] == list(jobs)


@pytest.mark.parametrize(
    "query",
    ["rate(runs[5m])", "sum(runs)", "runs[5m]", "runs{job}", 'runs{job="a"', 'runs{job="a" x="b"}', "{job=a}", "1"],
)
def test_what_is_no_plain_selector_is_refused(tmp_path: Path, query: str) -> None:
    with pytest.raises(QueryRefused, match="a file is asked by a plain selector"):
        ReplaySource(written(tmp_path, "x.csv", CSV)).read_range(query, GRID, series_limit=9)


def test_a_bad_regular_expression_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QueryRefused, match="must be a regular expression"):
        ReplaySource(written(tmp_path, "x.csv", CSV)).read_range('{job=~"("}', GRID, series_limit=9)
