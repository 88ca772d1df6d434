"""The ring store against a plain dictionary of samples."""

import gc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from series import Grid, SeriesKey, Window
from series.memory_budget import MemoryBudget, StoreFull
from series.store import RingStore

STEP, N_STEPS = 10, 7


class PlainStore:
    """Slow twin: remembers every sample by key and time."""

    def __init__(self):
        self.samples: dict[SeriesKey, dict[int, float]] = {}
        self.pulled: set[int] = set()

    def merge(self, window, grid):
        for time in grid.times.astype(int):
            self.pulled.add(int(time))
            for samples in self.samples.values():
                samples.pop(int(time), None)
        for key, row in zip(window.keys, window.values, strict=True):
            for time, value in zip(grid.times.astype(int), row, strict=True):
                if not np.isnan(value):
                    self.samples.setdefault(key, {})[int(time)] = value

    def row(self, key, grid):
        return [self.samples.get(key, {}).get(int(time), np.nan) for time in grid.times]


advances = st.lists(st.tuples(st.integers(0, 9), st.sets(st.integers(0, 5)), st.booleans()), max_size=40)


@settings(deadline=None, max_examples=200)
@given(advances, st.integers(0, 9))
def test_holds_what_a_dictionary_of_samples_holds(moves, late_steps):
    store, plain, end = RingStore(step=STEP, n_steps=N_STEPS, late_steps=late_steps), PlainStore(), 1000
    rng = np.random.default_rng(0)
    for steps, present, answered in moves:
        end += steps * STEP
        grid = Grid(end - (N_STEPS - 1) * STEP, STEP, N_STEPS)
        store.advance(grid)
        if answered:
            for part in store.missing():
                keys = tuple(SeriesKey.named(f"s{number}") for number in sorted(present))
                values = rng.normal(size=(len(keys), part.n_steps))
                values[rng.random(values.shape) < 0.2] = np.nan
                for twin in (store, plain):
                    twin.merge(Window(keys, part.times, values), part)
        window = store.window()
        np.testing.assert_array_equal(window.times, grid.times)
        for key, row in zip(window.keys, window.values, strict=True):
            np.testing.assert_array_equal(row, plain.row(key, grid))
        held = {key for key in plain.samples if not np.isnan(plain.row(key, grid)).all()}
        assert held <= set(window.keys)
        assert store.n_unpulled == len({int(time) for time in grid.times} - plain.pulled)


def nothing_came(store, part):
    store.merge(Window((), part.times, np.empty((0, part.n_steps))), part)


def test_missing_ranges_come_newest_first():
    store = RingStore(step=STEP, n_steps=N_STEPS)
    store.advance(Grid(0, STEP, N_STEPS))
    assert store.missing() == [Grid(0, STEP, N_STEPS)]
    nothing_came(store, Grid(20, STEP, 2))
    assert store.missing() == [Grid(40, STEP, 3), Grid(0, STEP, 2)]
    nothing_came(store, Grid(0, STEP, N_STEPS))
    assert store.missing() == []


def test_each_step_is_asked_for_when_new_and_once_more_when_late_samples_have_come():
    store = RingStore(step=STEP, n_steps=N_STEPS, late_steps=3)
    asked = []
    for turn in [0, 1, 2, 3, 3, 5, 6, 7]:
        store.advance(Grid(turn * STEP, STEP, N_STEPS))
        ranges = store.missing()
        asked.append([((part.end - turn * STEP) // STEP - N_STEPS + 1, part.n_steps) for part in ranges])
        for part in ranges:
            nothing_came(store, part)
    # Ages of the newest step of each range, and their lengths.
    one_new = [(0, 1), (-3, 1)]
    assert asked == [[(0, 7)], one_new, one_new, one_new, [], [(0, 2), (-3, 2)], one_new, one_new]


def test_a_store_that_was_filled_asks_once_more_for_what_may_have_changed_meanwhile():
    first, second = (RingStore(step=STEP, n_steps=N_STEPS, late_steps=2) for _ in range(2))
    grid = Grid(0, STEP, N_STEPS)
    first.advance(grid)
    nothing_came(first, grid)
    second.fill(first.window(), grid, first.pulled)
    assert second.missing() == []
    second.advance(Grid(3 * STEP, STEP, N_STEPS))
    assert second.missing() == [Grid(7 * STEP, STEP, 3), Grid(5 * STEP, STEP, 2)]


def test_a_clock_set_back_empties_the_store():
    store = RingStore(step=STEP, n_steps=N_STEPS)
    grid = Grid(1000, STEP, N_STEPS)
    store.advance(grid)
    store.merge(Window.of([[1.0] * N_STEPS], step=STEP), grid)
    store.advance(Grid(900, STEP, N_STEPS))
    assert store.window().n_series == 0
    assert store.missing() == [Grid(900, STEP, N_STEPS)]


def test_series_that_never_come_back_are_dropped_and_memory_stays_flat():
    store = RingStore(step=STEP, n_steps=N_STEPS)
    sizes = []
    for turn in range(200):
        grid = Grid(turn * STEP, STEP, N_STEPS)
        store.advance(grid)
        for part in store.missing():
            key = SeriesKey.named(f"pod_{turn}")
            store.merge(Window((key,), part.times, np.ones((1, part.n_steps))), part)
        sizes.append(store.nbytes)
    assert len(store.window().keys) <= 2 * N_STEPS
    assert max(sizes[50:]) <= sizes[49]


def test_stores_share_a_memory_budget_and_give_back_what_they_held():
    budget = MemoryBudget(limit=14_000)
    grid = Grid(0, STEP, N_STEPS)
    one, other = (RingStore(step=STEP, n_steps=N_STEPS, budget=budget) for _ in range(2))
    for store, n_series in ((one, 150), (other, 100)):
        store.advance(grid)
        keys = tuple(SeriesKey.named(f"s{number}") for number in range(n_series))
        window = Window(keys, grid.times, np.ones((n_series, N_STEPS)))
        if store is one:
            store.merge(window, grid)
            assert budget.used == one.nbytes
        else:
            with pytest.raises(StoreFull, match=r"may take 14,000 bytes. With this query it would be \d\d,\d\d\d"):
                store.merge(window, grid)
    assert other.window().n_series == 0
    del one, store
    gc.collect()
    other.merge(window, grid)
    assert other.window().n_series == 100


def test_refuses_what_does_not_fit():
    store = RingStore(step=STEP, n_steps=N_STEPS)
    with pytest.raises(ValueError, match="advance"):
        store.window()
    with pytest.raises(ValueError, match="7 steps of 10 s"):
        store.advance(Grid(0, STEP, N_STEPS + 1))
    store.advance(Grid(0, STEP, N_STEPS))
    outside = Grid(0, STEP, N_STEPS + 1)
    with pytest.raises(ValueError, match="inside"):
        store.merge(Window((), outside.times, np.empty((0, N_STEPS + 1))), outside)


def test_a_budget_is_summed_while_another_thread_adds_a_store():
    budget = MemoryBudget(10**9)
    late: list[RingStore] = []

    class GrowsMeanwhile(RingStore):
        @property
        def nbytes(self):
            late.append(RingStore(step=60, n_steps=10, budget=budget))
            budget._stores.add(late[-1])
            return 80

    stores = [GrowsMeanwhile(step=60, n_steps=10, budget=budget) for _ in range(3)]
    for store in stores:
        budget.allow(store, 80)
    assert budget.used >= 240


def test_a_new_series_takes_the_row_of_one_that_is_long_gone():
    store = RingStore(step=60, n_steps=10)
    for step in range(200):
        grid = Grid(60 * step, 60, 10)
        store.advance(grid)
        name = f"job_{step // 3}"
        newest = Grid(grid.end, 60, 1)
        values = np.full((1, newest.n_steps), float(step))
        store.merge(Window((SeriesKey.named(name),), newest.times, values), newest)
        window = store.window()
        row = [key.name for key in window.keys].index(name)
        assert window.values[row, -1] == step
        # A row that changed its owner holds nothing of the former one.
        assert np.nanmin(window.values[row]) >= step // 3 * 3
        assert len(set(window.keys)) == len(window.keys)
    assert store.nbytes <= 8 * 8 * 12  # no more than 5 of the series were seen within 10 steps


def test_float32_takes_half_of_the_memory_and_makes_what_is_too_large_infinite():
    grid = Grid(0, 60, 4)
    window = Window((SeriesKey.named("a"),), grid.times, np.array([[0.1, 1e300, np.nan, -1e300]]))
    wide, narrow = (RingStore(step=60, n_steps=4, dtype=dtype) for dtype in ("float64", "float32"))
    for store in (wide, narrow):
        store.advance(grid)
        store.merge(window, grid)
    assert 2 * narrow.nbytes == wide.nbytes
    np.testing.assert_array_equal(narrow.window().values, [[np.float32(0.1), np.inf, np.nan, -np.inf]])
