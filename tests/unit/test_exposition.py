"""Rendered text is read back by Prometheus' own Python parser."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from exporter import metrics
from exporter.exposition import Lines, header, label_text
from exporter.page import Block, ResultPage, gzip_member
from exporter.results import Column, output_names
from series import SeriesKey

KEYS = (SeriesKey({"job": "a"}), SeriesKey({"job": "b"}), SeriesKey({}))


def render(lines, family, keys, values, labels=None):
    (pieces,) = lines.render(keys, Column(family, np.array(values), labels or {}))
    return b"".join(pieces)


def parse(text: bytes):
    return [sample for family in text_string_to_metric_families(text.decode()) for sample in family.samples]


def test_each_value_gets_one_line_and_nan_none():
    text = render(Lines("q"), metrics.VALUE, KEYS, [1.5, np.nan, -0.0])
    assert [(s.name, s.labels, s.value) for s in parse(text)] == [
        ("forethought_value", {"query": "q", "job": "a"}, 1.5),
        ("forethought_value", {"query": "q"}, -0.0),
    ]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=3))
def test_numbers_read_back_as_the_same_double(values):
    text = render(Lines("q"), metrics.VALUE, KEYS[: len(values)], values)
    assert [sample.value for sample in parse(text)] == values


@given(
    st.dictionaries(st.sampled_from(["job", "path", "query", "horizon", "metric", "__name__"]), st.text(max_size=20))
)
def test_any_label_value_reads_back_under_its_output_name(labels):
    key = SeriesKey(labels)
    text = render(Lines("q"), metrics.FORECAST, (key,), [1.0], {"horizon": "1h"})
    (sample,) = parse(text)
    names = output_names(tuple(name for name, _ in key))
    assert len(set(names) | {"query", "horizon"}) == len(names) + 2
    expected = dict(zip(names, (value for _, value in key), strict=True))
    assert sample.labels == expected | {"query": "q", "horizon": "1h"}


def test_the_metric_name_keeps_apart_what_nothing_else_does():
    one, other = SeriesKey({"__name__": "a"}), SeriesKey({"__name__": "b"})
    assert label_text(one) != label_text(other)
    assert output_names(("__name__", "metric")) == ("exported_metric", "metric")


def test_new_series_are_rendered_after_a_cycle_without_them():
    lines = Lines("q")
    assert render(lines, metrics.VALUE, (), []) == b""
    assert len(parse(render(lines, metrics.VALUE, KEYS, np.ones(3)))) == 3


def test_an_infinite_result_is_refused():
    with pytest.raises(ValueError, match="must be finite"):
        Column(metrics.VALUE, np.array([1.0, np.inf, 2.0]))


class Clock:
    def __init__(self, now=0.0):
        self.now = now

    def __call__(self):
        return self.now


def block(line: bytes, expires: float) -> Block:
    return Block([{metrics.VALUE: [line]}], expires, samples=1)


def test_a_page_groups_families_and_drops_what_is_too_old():
    clock = Clock()
    page = ResultPage(clock)
    page.publish("a", block(b'forethought_value{query="a"} 1.0\n', expires=10))
    page.publish("b", block(b'forethought_value{query="b"} 2.0\n', expires=20))
    both = header(metrics.VALUE) + b'forethought_value{query="a"} 1.0\nforethought_value{query="b"} 2.0\n'
    assert page.body() == both
    assert gzip.decompress(page.compressed() + gzip_member([b"# end\n"])) == both + b"# end\n"
    clock.now = 15
    assert b'query="a"' not in page.body()
    assert b'query="b"' in page.body()
    page.withdraw("b")
    assert page.body() == b""


def test_a_page_is_joined_once_a_cycle():
    page = ResultPage(Clock())
    page.publish("a", block(b'forethought_value{query="a"} 1.0\n', expires=10))
    assert page.body() is page.body()
    assert page.compressed() is page.compressed()


def test_every_declared_name_follows_the_naming_rules():
    for family in metrics.FAMILIES:
        assert family.name.startswith("forethought_")
        assert (family.kind == "counter") == family.name.endswith("_total"), family.name
        assert family.help.endswith("."), family.name
        assert not family.name.endswith(("_percent", "_ms", "_milliseconds")), family.name
    assert len({family.name for family in metrics.FAMILIES}) == len(metrics.FAMILIES)


def test_a_label_name_is_no_format():
    assert label_text(SeriesKey({"a%sb": "100%"})) == 'a%sb="100%"'
