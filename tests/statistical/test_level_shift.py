"""A level that changes for good calls once, and not again while the old level is still part of the history."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from detectors.ensemble import Ensemble
from detectors.suppress import Suppression
from detectors.walk import walk_forward
from series import FloatArray, Window
from series.calendar import DAY, WEEK

HISTORY, BEFORE, AFTER = 14, 10, 21
EACH = 4
Shape = Callable[[np.random.Generator, FloatArray, int], FloatArray]


def daily(times: FloatArray) -> FloatArray:
    return np.asarray(10 * np.sin(2 * np.pi * times / DAY))


def weekly(times: FloatArray) -> FloatArray:
    return daily(times) - 8 * ((times // DAY + 3) % 7 >= 5)


def noisy(rng: np.random.Generator, times: FloatArray, n_series: int) -> FloatArray:
    return np.asarray(100 + 2 * rng.normal(size=(n_series, len(times))))


def autoregressive(rng: np.random.Generator, times: FloatArray, n_series: int) -> FloatArray:
    noise = rng.normal(size=(n_series, len(times)))
    for step in range(1, len(times)):
        noise[:, step] += 0.8 * noise[:, step - 1]
    return 100 + noise


def bursty(rng: np.random.Generator, times: FloatArray, n_series: int) -> FloatArray:
    shape = (n_series, len(times))
    bursts = np.where(rng.random(shape) < 0.004, rng.lognormal(1.5, 0.5, shape), 0.0)
    return np.asarray(100 + rng.lognormal(0, 0.5, shape) + bursts)


SHAPES: dict[str, Shape] = {
    "flat": noisy,
    "daily": lambda rng, times, n: noisy(rng, times, n) + daily(times),
    "weekly": lambda rng, times, n: noisy(rng, times, n) + weekly(times),
    "weekly_autoregressive": lambda rng, times, n: autoregressive(rng, times, n) + weekly(times),
    "counts": lambda rng, times, n: rng.poisson(4 + 0.2 * daily(times), (n, len(times))).astype(np.float64),
    "bursty": lambda rng, times, n: bursty(rng, times, n) + 0.5 * daily(times),
}
LEVELS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "unchanged": lambda values: values,
    "higher": lambda values: values + 30,
    "much higher": lambda values: values + 100,
    "lower": lambda values: values - 30,
    "in another unit": lambda values: values * 1_000,
}
# A Thursday morning, the night to Saturday and the middle of a Sunday.
THURSDAY, SATURDAY, SUNDAY = 3.37, 5.1, 6.6


def calls_after(shape: Shape, step: int, weekday: float) -> dict[str, FloatArray]:
    """For each change of level on that day of the week, alarms of each series in the three weeks from it on."""
    days = DAY // step
    at = round((HISTORY + BEFORE + weekday % 1) * days)
    monday = 4.0 * DAY + WEEK * 1_000
    start = monday + (weekday // 1 - HISTORY - BEFORE) * DAY
    times = start + np.arange(at + AFTER * days) * float(step)
    usual = shape(np.random.default_rng(5), times, EACH)
    values = np.concatenate(
        [np.concatenate([usual[:, :at], change(usual[:, at:])], axis=1) for change in LEVELS.values()]
    )
    window = Window.of(values, step=step, start=start)
    scores = walk_forward(Ensemble(), window, history=HISTORY * days, refit=days, first=HISTORY * days).scores
    alarms = Suppression().alarms(scores[:, HISTORY * days :], step)
    starts = (alarms[:, 1:] & ~alarms[:, :-1])[:, at - HISTORY * days - 1 :].sum(axis=1).reshape(-1, EACH)
    return dict(zip(LEVELS, starts.astype(np.float64), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "step", "weekday"),
    [(shape, step, THURSDAY) for shape in SHAPES for step in (300, 3_600)]
    + [("weekly", step, weekday) for step in (300, 3_600) for weekday in (SATURDAY, SUNDAY)]
    + [("weekly", 60, THURSDAY)],
)
def test_a_new_level_calls_once(shape: str, step: int, weekday: float) -> None:
    calls = calls_after(SHAPES[shape], step, weekday)
    healthy = calls.pop("unchanged").mean()
    for change, of in calls.items():
        # In another unit the noise is another one too, which few or bursty samples tell late.
        most = 2.0 if change == "in another unit" and (step > 300 or shape == "bursty") else 1.5
        assert (of >= 1).all(), change
        assert of.mean() <= most + healthy, change
