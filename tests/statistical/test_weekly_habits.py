"""What jumps once a week, each week, calls until it was seen twice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from detectors.ensemble import Ensemble
from detectors.suppress import Suppression
from detectors.walk import walk_forward
from series import FloatArray, Window
from series.calendar import DAY, WEEK

WEEKS, SEEN, STEP, SERIES = 5, 2, 900, 12
SUNDAY, WEDNESDAY = 6, 2
MONDAY = 4.0 * DAY + WEEK * 1_000
Jump = Callable[[FloatArray, FloatArray], FloatArray]


def between(weekday: int, first: float, last: float) -> Jump:
    """1 from hour `first` to hour `last` of that weekday, else 0, `late` seconds later."""
    return lambda times, late: np.asarray(
        (times // DAY % 7 == (weekday + 4) % 7)
        & (times % DAY >= first * 3_600 + late)
        & (times % DAY < last * 3_600 + late),
        dtype=np.float64,
    )


# Each in deviations of the noise; the last comes up to 40 minutes late, another time each week.
JUMPS: dict[str, tuple[float, Jump, float]] = {
    "batch of an hour": (25, between(SUNDAY, 22, 23), 0),
    "batch of half an hour": (25, between(SUNDAY, 22, 22.5), 0),
    "two hours of nothing": (-25, between(WEDNESDAY, 9, 11), 0),
    "late batch": (25, between(SUNDAY, 22, 23), 2_400),
}


def fleet(jump: str, rng: np.random.Generator) -> Window:
    size, shape, latest = JUMPS[jump]
    times = MONDAY + np.arange(WEEKS * WEEK // STEP) * float(STEP)
    late = latest * rng.random((SERIES, WEEKS))[:, ((times - MONDAY) // WEEK).astype(int)]
    noise = rng.normal(size=(SERIES, len(times)))
    return Window.of(
        100 + 7 * np.sin(2 * np.pi * times / DAY) + noise + size * shape(times, late), step=STEP, start=MONDAY
    )


def calls(window: Window) -> float:
    """Alarms a series and week, after the first two weeks."""
    a_day = DAY // STEP
    first = SEEN * 7 * a_day
    scores = walk_forward(Ensemble(), window, history=14 * a_day, refit=a_day, first=first).scores[:, first:]
    alarms = Suppression().alarms(scores, STEP)
    return float(np.sum(alarms[:, 1:] & ~alarms[:, :-1]) / (SERIES * (WEEKS - SEEN)))


@pytest.mark.slow
@pytest.mark.parametrize("jump", JUMPS)
def test_weekly_jumps_that_were_seen_twice_rarely_call(jump: str) -> None:
    assert calls(fleet(jump, np.random.default_rng(7))) <= 0.2


@pytest.mark.slow
def test_the_same_jump_on_another_day_calls() -> None:
    window = fleet("batch of an hour", np.random.default_rng(7))
    thursday = (WEEKS - 1) * WEEK + 3 * DAY + 22 * 3_600
    window.values[:, thursday // STEP : (thursday + 3_600) // STEP] += 25
    assert calls(window) >= 1 / (WEEKS - SEEN)
