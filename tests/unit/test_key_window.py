"""Keys and windows."""

import numpy as np
import pytest

from series import SeriesKey, Window


def test_the_order_of_labels_and_empty_values_do_not_matter():
    assert SeriesKey({"b": "2", "a": "1", "c": ""}) == SeriesKey([("a", "1"), ("b", "2")])
    assert hash(SeriesKey({"b": "2", "a": "1"})) == hash(SeriesKey({"a": "1", "b": "2"}))
    assert SeriesKey({"a": "1"}) != SeriesKey({"a": "2"})


def test_reads_as_promql():
    key = SeriesKey({"__name__": "up", "path": 'C:\\"x"\n'})
    assert repr(key) == 'up{path="C:\\\\\\"x\\"\\n"}'
    assert repr(SeriesKey()) == "{}"


def test_a_window_refuses_shapes_that_do_not_belong_together():
    with pytest.raises(ValueError, match=r"must have shape \(1, 3\)"):
        Window((SeriesKey(),), np.arange(3.0), np.zeros((2, 3)))


def test_parts_of_a_window_are_views():
    window = Window.of([[1.0, 2.0, 3.0]], step=60)
    assert np.shares_memory(window.until(2).values, window.values)
    assert np.shares_memory(window.since(1).values, window.values)
    assert window.since(1).times.tolist() == [60, 120]
    assert window.rows([0]).keys == window.keys


def test_a_single_column_has_no_step():
    with pytest.raises(ValueError, match="at least 2 columns"):
        _ = Window.of([[1.0]], step=60).step
