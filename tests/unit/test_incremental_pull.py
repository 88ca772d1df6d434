"""What a pull asks for: the newest first, in parts, within its budget, and the present before the past."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

import sources.incremental
from series import Grid, SeriesKey, Window
from series.store import RingStore
from sources.base import Answer
from sources.errors import QueryRefused, SourceError, SourceUnavailable
from sources.incremental import PullBudget, pull_missing

STEP, STEPS = 60, 40
GRID = Grid(1_700_000_040, STEP, STEPS)
KEYS = tuple(SeriesKey({"n": str(n)}) for n in range(200_000))


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class CountingSource:
    """Gives each instant as its value, for some series; takes a second a request; fails from some request on."""

    clock: Clock
    n_series: int = 200_000
    fails_after: int = 10**9
    error: SourceError = field(default_factory=lambda: SourceUnavailable("q", "server must be reachable."))
    asked: list[Grid] = field(default_factory=list)

    def read_range(self, query: str, grid: Grid, *, series_limit: int) -> Answer:
        self.clock.now += 1.0
        if len(self.asked) >= self.fails_after:
            raise self.error
        self.asked.append(grid)
        values = np.tile(grid.times, (self.n_series, 1))
        return Answer(Window(KEYS[: self.n_series], grid.times, values), samples=values.size)

    def close(self) -> None:
        """Nothing is open."""


def pull(source: CountingSource, store: RingStore, grid: Grid = GRID, **budget: float) -> sources.incremental.Pulled:
    limits = PullBudget(**budget)  # type: ignore[arg-type]
    return pull_missing(source, "q", store, grid, limit=200_000, budget=limits, clock=source.clock)


@pytest.fixture
def store() -> RingStore:
    return RingStore(step=STEP, n_steps=STEPS)


def is_whole(store: RingStore, steps: int) -> bool:
    """True if just the newest steps are there."""
    values = store.window().values
    return bool(np.isnan(values[:, :-steps]).all() and (values[:, -steps:] == store.window().times[-steps:]).all())


def test_a_large_history_comes_in_parts_newest_first(store: RingStore) -> None:
    source = CountingSource(Clock())
    pulled = pull(source, store)
    assert [grid.n_steps for grid in source.asked] == [10] * 4
    assert [grid.end for grid in source.asked] == [GRID.end - 600 * part for part in range(4)]
    assert pulled.unpulled == 0
    assert is_whole(store, STEPS)


@pytest.mark.parametrize("budget", [{"samples": 2_100_000}, {"seconds": 2.0}])
def test_a_pull_stops_at_its_budget_and_the_next_goes_on(store: RingStore, budget: dict[str, float]) -> None:
    source = CountingSource(Clock())
    assert pull(source, store, **budget).unpulled == 20
    assert is_whole(store, 20)
    later = Grid(GRID.start + STEP, STEP, STEPS)
    assert pull(source, store, later, **budget).unpulled == 9
    assert source.asked[2:] == [Grid(later.end, STEP, 1), Grid(later.end - 30 * STEP, STEP, 10)]
    assert is_whole(store, 31)


def test_a_budget_that_is_used_up_at_once_still_gives_the_newest_part(store: RingStore) -> None:
    assert pull(CountingSource(Clock()), store, samples=1, seconds=0.1).unpulled == 30


def test_a_past_that_is_not_available_keeps_no_present_waiting(store: RingStore) -> None:
    source = CountingSource(Clock(), fails_after=2)
    pulled = pull(source, store)
    assert (pulled.unpulled, pulled.warnings) == (20, ("server must be reachable.",))
    assert is_whole(store, 20)
    source.fails_after = 10**9
    assert pull(source, store).unpulled == 0
    assert is_whole(store, STEPS)


def test_a_present_that_is_not_available_is_an_error(store: RingStore) -> None:
    with pytest.raises(SourceUnavailable):
        pull(CountingSource(Clock(), fails_after=0), store)


def test_a_past_that_is_refused_is_an_error(store: RingStore) -> None:
    source = CountingSource(Clock(), fails_after=1, error=QueryRefused("q", "may return at most 5 series."))
    with pytest.raises(QueryRefused):
        pull(source, store)
    assert is_whole(store, 10)


def test_nothing_new_asks_for_nothing(store: RingStore) -> None:
    source = CountingSource(Clock(), n_series=2)
    pull(source, store)
    source.asked.clear()
    assert pull(source, store).unpulled == 0
    assert source.asked == []
