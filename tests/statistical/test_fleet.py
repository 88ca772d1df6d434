"""Ten thousand healthy series give no flood, and an incident among them is still told."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from detectors.ensemble import Ensemble
from detectors.fleet import held_back
from detectors.suppress import Suppression
from series import BoolArray, FloatArray, Window

STEP, A_DAY, DAYS = 900, 96, 15
SERIES, KINDS = 10_000, 5


def healthy(kind: int, rng: np.random.Generator) -> FloatArray:
    """Two weeks and a day of a fifth of the fleet."""
    shape = (SERIES // KINDS, DAYS * A_DAY)
    wave = np.sin(2 * np.pi * np.arange(shape[1]) / A_DAY)
    noise = (
        lambda: rng.normal(size=shape),
        lambda: rng.lognormal(0, 1, shape),
        lambda: rng.standard_t(3, shape),
        lambda: rng.poisson(3, shape).astype(np.float64),
        lambda: rng.poisson(0.02, shape).astype(np.float64),
    )[kind]()
    return np.asarray(noise + rng.uniform(0, 5, (shape[0], 1)) * wave)


@functools.cache
def a_day_of_scores() -> FloatArray:
    """(10000, 96): consensus of the last day, each series by a fit on the two weeks before it."""
    rng, scores = np.random.default_rng(17), []
    for kind in range(KINDS):
        window = Window.of(healthy(kind, rng), step=STEP)
        ensemble = Ensemble().fit(window.until((DAYS - 1) * A_DAY))
        scores.append(ensemble.score(window.since((DAYS - 1) * A_DAY)))
    return np.concatenate(scores)


def told(scores: FloatArray) -> BoolArray:
    """(n_series, n_steps): alarms that begin and are not held back."""
    alarms = Suppression().alarms(scores, STEP)
    # One that waited is told as soon as it may be, if it still lasts.
    waiting, begun = np.zeros(len(scores), dtype=np.bool_), np.zeros(scores.shape, dtype=np.bool_)
    for column in range(scores.shape[1]):
        new = alarms[:, column] & ~(alarms[:, column - 1] if column else False)
        starting = (new | waiting) & alarms[:, column]
        waiting = held_back(scores[:, column], starting, STEP)
        begun[:, column] = starting & ~waiting
    return begun


@pytest.mark.slow
def test_ten_thousand_healthy_series_call_a_few_times_a_day() -> None:
    scores = a_day_of_scores()
    alarms = Suppression().alarms(scores, STEP)
    uncontrolled = np.count_nonzero(alarms[:, 0]) + np.count_nonzero(alarms[:, 1:] & ~alarms[:, :-1])
    assert uncontrolled > 100  # each keeps its own budget, and that is a flood for whoever watches them all
    assert np.count_nonzero(told(scores)) < uncontrolled / 5
    assert np.count_nonzero(told(scores)) < 50


@pytest.mark.slow
@pytest.mark.parametrize("touched", [1_500, 3_000])
def test_a_broad_incident_of_low_scores_is_told_of_every_series(touched: int) -> None:
    scores = a_day_of_scores().copy()
    scores[:touched, 40:50] = np.maximum(scores[:touched, 40:50], 1.2)
    assert told(scores)[:touched, :50].any(axis=1).all()


@pytest.mark.slow
def test_a_lone_outage_is_told_at_once() -> None:
    scores = a_day_of_scores().copy()
    scores[0], scores[0, 40:] = 0.3, 3.5
    assert told(scores)[0].tolist() == [column == 40 for column in range(A_DAY)]
