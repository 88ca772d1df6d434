"""Whatever a server does: the pace keeps its bounds, and a server that is well again is asked at full pace."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from sources.budget import Pace

# What happens to a request: how long it takes, and how it ends.
ENDS = st.tuples(st.floats(0.0, 100.0), st.sampled_from(["answered", "refused", "asked for a rest", "failed"]))


def play(pace: Pace, now: float, seconds: float, end: str) -> float:
    """Run one request as soon as it may start, and give the time after it."""
    now += pace.wait(now)
    pace.start()
    if end == "answered":
        pace.answered(now, now + seconds)
    elif end == "failed":
        pace.failed()
    else:
        pace.refused(now, now + seconds, 5.0 if end == "asked for a rest" else None)
    return now + seconds


@given(most=st.integers(1, 20), ends=st.lists(ENDS, max_size=60))
def test_bounds_hold_and_a_server_that_is_well_is_asked_at_full_pace_again(
    most: int, ends: list[tuple[float, str]]
) -> None:
    pace, now = Pace(most, slow=10.0, longest_rest=60.0), 0.0
    for seconds, end in ends:
        now = play(pace, now, seconds, end)
        assert 1 <= pace.limit <= most
        assert pace.running == 0
        assert 0 <= pace.wait(now) <= 60.0 + 1e-6
    for _ in range(most * most + 1):
        now = play(pace, now, 0.1, "answered")
    assert math.isclose(pace.limit, most)
    assert (pace.rest, pace.wait(now)) == (0, 0)
