"""Whatever the distribution, healthy series rarely call."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

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
def test_false_starts_stay_within_the_budget(noise: str, season: float) -> None:
    times = np.arange(SHAPE[1]) * STEP
    values = NOISES[noise](np.random.default_rng(11)) + season * (1 + np.sin(2 * np.pi * times / 86_400))
    window = Window.of(values, step=STEP)
    scores = walk_forward(SeasonalBaseline(), window, history=14 * 96, refit=96, first=14 * 96).scores[:, 14 * 96 :]
    alarms = Suppression().alarms(scores, STEP)
    starts = np.sum(alarms[:, 1:] & ~alarms[:, :-1])
    assert starts / (SERIES * 7) <= 0.1
