"""Samples onto a grid, against a loop that a person can check."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from series import Grid, onto_grid

STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
samples = st.lists(st.tuples(st.integers(-50, 400), st.one_of(st.floats(-1e9, 1e9), st.just(STALE))), max_size=40)


def plain_onto_grid(times, values, grid):
    row = []
    for instant in grid.times:
        seen = [
            (t, place, v)
            for place, (t, v) in enumerate(zip(times, values, strict=True))
            if instant - grid.step < t <= instant
        ]
        row.append(max(seen, key=lambda sample: sample[:2])[2] if seen else np.nan)
    return [np.nan if np.isnan(value) else value for value in row]


@given(samples, st.integers(1, 60), st.integers(0, 20))
def test_the_newest_sample_of_each_step_counts(pairs, step, n_steps):
    grid = Grid(-(-100 // step) * step, step, n_steps)
    times = np.array([time for time, _ in pairs], dtype=float)
    values = np.array([value for _, value in pairs], dtype=float)
    np.testing.assert_array_equal(onto_grid(times, values, grid), plain_onto_grid(times, values, grid))


@given(st.floats(0, 4e9), st.integers(1, 86_400), st.integers(1, 50), st.floats(0, 600))
def test_the_last_step_is_complete_and_the_next_is_not(now, step, n_steps, latency):
    grid = Grid.ending(now, step=step, history=step * n_steps, latency=latency)
    assert grid.n_steps == n_steps
    assert grid.end <= now - latency < grid.end + step
    assert grid.end % step == 0


@given(st.integers(0, 100), st.integers(1, 30))
def test_the_parts_of_a_split_make_up_the_whole(n_steps, most):
    grid = Grid(600, 60, n_steps)
    parts = grid.split(most)
    assert all(1 <= part.n_steps <= most for part in parts)
    joined = np.concatenate([part.times for part in parts]) if parts else np.empty(0)
    np.testing.assert_array_equal(joined, grid.times)


@pytest.mark.parametrize(("start", "step", "n_steps"), [(0, 0, 1), (0, -5, 1), (7, 5, 1), (0, 5, -1)])
def test_what_is_no_grid_is_refused(start, step, n_steps):
    with pytest.raises(ValueError, match=r"Grid\.(step|start|n_steps) must be"):
        Grid(start, step, n_steps)
