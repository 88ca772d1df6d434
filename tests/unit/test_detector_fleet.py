"""How sure an alarm must be among many series."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.fleet import SURE, fleet_threshold, held_back, tail_probability

STEP = 300.0


@pytest.mark.parametrize("n_series", [1, 10, 100, 280])
@pytest.mark.parametrize("strange", [0, 1, 3])
def test_a_few_series_hold_nothing_back(n_series: int, strange: int) -> None:
    scores = np.full(n_series, 0.4)
    scores[:strange] = 1.01
    assert fleet_threshold(scores, STEP) == 1.0


def test_the_more_series_the_surer_a_lone_alarm_must_be() -> None:
    needed = []
    for n_series in (100, 1_000, 3_000, 10_000, 300_000):
        lone = np.full(n_series, 0.4)
        allowed = [
            score for score in np.linspace(1.01, 3.01, 41) if fleet_threshold(np.append(lone, score), STEP) < score
        ]
        needed.append(allowed[0])
    assert needed == sorted(needed)
    assert needed[0] < 1.02 < needed[1] < needed[2] < needed[3] <= SURE + 0.05
    assert needed[4] <= SURE + 0.05


def test_it_is_the_rule_of_benjamini_and_hochberg() -> None:
    """Against a plain statement of it, where neither bound is reached."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        scores = np.append(np.full(3_000, 0.5), rng.uniform(0.9, 2.9, 8))
        p = tail_probability(scores, STEP)
        order = np.argsort(p)
        passing = [k for k in range(1, len(p) + 1) if p[order[k - 1]] <= 0.1 * k / len(p)]
        called = set(order[: max(passing)].tolist()) if passing else set()
        starting = scores > 1
        assert set(np.flatnonzero(starting & ~held_back(scores, starting, STEP)).tolist()) == called


def test_a_crowd_is_never_held_back() -> None:
    for n_series in (1_000, 10_000, 100_000):
        scores = np.full(n_series, 0.2)
        crowd = max(5, int(10 * n_series * 0.1 * STEP / 86_400) + 1)
        scores[:crowd] = 1.001
        assert fleet_threshold(scores, STEP) == 1.0


def test_a_score_that_is_sure_is_never_held_back() -> None:
    scores = np.full(1_000_000, 0.2)
    scores[7] = SURE + 0.01
    assert not held_back(scores, scores > 1, STEP).any()


def test_series_without_a_score_do_not_count() -> None:
    scores = np.append(np.full(100_000, np.nan), [1.1, 0.2])
    assert fleet_threshold(scores, STEP) == 1.0
    assert fleet_threshold(np.full(3, np.nan), STEP) == 1.0
    assert fleet_threshold(np.empty(0), STEP) == 1.0
    assert np.isnan(tail_probability(scores, STEP)[0])


def test_only_what_starts_is_held_back() -> None:
    scores = np.append(np.full(100_000, 0.2), [1.1, 1.1])
    starting = np.zeros(len(scores), dtype=np.bool_)
    starting[-1] = True
    assert np.flatnonzero(held_back(scores, starting, STEP)).tolist() == [len(scores) - 1]
