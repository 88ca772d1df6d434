"""Whatever the distribution, healthy series rarely call."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from detectors.base import Baseline
from detectors.ensemble import Ensemble
from detectors.seasonal import SeasonalBaseline
from detectors.suppress import Suppression
from detectors.walk import walk_forward
from series import FloatArray, Window

DAYS, STEP, SERIES = 21, 900, 40
SHAPE = (SERIES, DAYS * 96)
Noise = Callable[[np.random.Generator], FloatArray]


def autoregressive(rng: np.random.Generator) -> FloatArray:
    noise = rng.normal(size=SHAPE)
    for step in range(1, SHAPE[1]):
        noise[:, step] += 0.8 * noise[:, step - 1]
    return noise


NOISES: dict[str, Noise] = {
    "normal": lambda rng: rng.normal(size=SHAPE),
    "lognormal": lambda rng: rng.lognormal(0, 1, SHAPE),
    "student": lambda rng: rng.standard_t(3, SHAPE),
    "counts": lambda rng: rng.poisson(3, SHAPE).astype(np.float64),
    "rare": lambda rng: rng.poisson(0.02, SHAPE).astype(np.float64),
    "autoregressive": autoregressive,
    "float32": lambda rng: rng.normal(1e6, 10, SHAPE).astype(np.float32).astype(np.float64),
}


@pytest.mark.slow
@pytest.mark.parametrize("season", [0.0, 5.0], ids=["flat", "daily"])
@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize(
    # A baseline alone has no second opinion: with heavy tails it keeps the budget where one look needs twice as much.
    ("detector", "rule"),
    [(Ensemble, Suppression()), (SeasonalBaseline, Suppression(at_once=2.0, quiet=3600, release=0.8))],
    ids=["ensemble", "seasonal"],
)
def test_false_starts_stay_within_the_budget(
    detector: Callable[[], Baseline], rule: Suppression, noise: str, season: float
) -> None:
    times = np.arange(SHAPE[1]) * STEP
    values = NOISES[noise](np.random.default_rng(11)) + season * (1 + np.sin(2 * np.pi * times / 86_400))
    window = Window.of(values, step=STEP)
    scores = walk_forward(detector(), window, history=14 * 96, refit=96, first=14 * 96).scores[:, 14 * 96 :]
    alarms = rule.alarms(scores, STEP)
    starts = np.sum(alarms[:, 1:] & ~alarms[:, :-1])
    assert starts / (SERIES * 7) <= 0.1


@pytest.mark.slow
@pytest.mark.parametrize("noise", NOISES)
def test_groups_stay_within_the_budget_too(noise: str) -> None:
    window = Window.of(NOISES[noise](np.random.default_rng(12)), step=STEP)
    groups = np.arange(SERIES) // 4
    scores = np.zeros((SERIES // 4, 7 * 96))
    for day in range(7):
        first = (14 + day) * 96
        found = Ensemble().fit(window.until(first).since(day * 96), groups).judge(window.until(first + 96).since(first))
        scores[:, day * 96 : (day + 1) * 96] = found.group_scores
    alarms = Suppression().alarms(scores, STEP)
    expected = 0.1 * len(scores) * 7
    # Few groups, few days: up to two standard deviations of a count of that size are chance.
    assert np.sum(alarms[:, 1:] & ~alarms[:, :-1]) <= expected + 2 * expected**0.5
