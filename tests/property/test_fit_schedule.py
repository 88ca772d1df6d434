"""Whenever a process starts, it learns from the steps that one which never stopped has learned from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.models.fit_schedule import FitSchedule
from series import Window

STEP = 60.0


def window(end: int, n_steps: int) -> Window:
    times = STEP * np.arange(end - n_steps, end)
    return Window((), times, np.empty((0, n_steps)))


@given(
    n_steps=st.integers(8, 60),
    every=st.floats(STEP, 40 * STEP),
    offset=st.floats(0, 3_600),
    end=st.integers(1_000, 1_200),
    spare=st.integers(0, 1),
)
def test_a_fit_learns_from_the_same_steps_whenever_it_is_made(
    n_steps: int, every: float, offset: float, end: int, spare: int
) -> None:
    schedule = FitSchedule(every, offset)
    learned: dict[float, list[float]] = {}
    for last in range(end, end + 3 * n_steps):
        now = window(last, n_steps)
        history = schedule.history(now, schedule.last_fit(now, spare=spare))
        assert history.times[-1] <= now.times[-1 - spare]
        assert learned.setdefault(float(history.times[-1]), history.times.tolist()) == history.times.tolist()


@pytest.mark.parametrize("n_steps", [2, 3, 4])
def test_two_steps_at_least_are_learned_from(n_steps: int) -> None:
    now = window(1_000, n_steps)
    schedule = FitSchedule(3_600.0)
    assert schedule.history(now, schedule.last_fit(now, spare=0)).n_steps >= min(2, n_steps - 1)
