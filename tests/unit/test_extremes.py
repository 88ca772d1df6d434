"""What no ordinary day reached."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.ensemble import Ensemble
from detectors.extremes import NOTHING, Extremes
from series import Window

STEP = 300
A_DAY = 288
DAYS = 14


def traffic(seed: int = 3) -> np.ndarray:
    """Requests with a strong rhythm, whose days differ by half."""
    rng = np.random.default_rng(seed)
    steps = np.arange(DAYS * A_DAY)
    size = np.repeat(rng.uniform(0.6, 1.4, DAYS), A_DAY)
    return size * (300 - 200 * np.cos(2 * np.pi * steps / A_DAY)) + rng.normal(0, 5, len(steps))


def after(value: float) -> Window:
    return Window.of([[value]], step=STEP, start=DAYS * 86_400)


def test_the_score_is_the_share_of_what_the_days_reached_squared_below_the_threshold() -> None:
    values = traffic()
    fitted = Extremes().fit(Window.of([values], step=STEP))
    offset = NOTHING * np.median(values)
    scaled = np.log(values + offset)
    middle = np.log(np.median(values) + offset)
    reached = np.sort(scaled.reshape(DAYS, A_DAY).max(axis=1) - middle)[-3]
    least = 2 * (np.quantile(scaled, 0.75) - np.quantile(scaled, 0.25))
    for value in (700.0, 5_000.0):
        distance = (np.log(value + offset) - middle) / (1.5 * max(reached, least))
        score = fitted.score(after(value))[0, 0]
        assert score == pytest.approx(min(distance, distance**2), rel=0.01)


def test_traffic_that_falls_to_nothing_is_strange_at_any_hour() -> None:
    history = Window.of([traffic()], step=STEP)
    nothing, night = (Extremes().fit(history).score(after(value))[0, 0] for value in (0.0, 80.0))
    assert night < 0.8 < 1.5 < nothing
    assert Ensemble().fit(history).score(after(0.0))[0, 0] > Ensemble().fit(history).score(after(80.0))[0, 0]


def test_two_days_with_incidents_do_not_count_as_ordinary() -> None:
    values = traffic()
    plain = Extremes().fit(Window.of([values], step=STEP)).score(after(20_000))[0, 0]
    for day in (4, 9):
        values[day * A_DAY + 100 : day * A_DAY + 120] = 50_000
    assert Extremes().fit(Window.of([values], step=STEP)).score(after(20_000))[0, 0] > 0.8 * plain > 1
    assert Extremes(rate=1e-9).fit(Window.of([values], step=STEP)).score(after(20_000))[0, 0] < 1


def test_samples_too_small_for_a_hundredth_of_them_are_measured_by_differences() -> None:
    rows = np.stack([np.zeros(DAYS * A_DAY), np.arange(DAYS * A_DAY) % 3 * 5e-324])
    scores = Extremes().fit(Window.of(rows, step=STEP)).score(Window.of([[0.0], [1.0]], step=STEP, start=DAYS * 86_400))
    assert scores[0, 0] == 0
    assert scores[1, 0] > 1


def test_a_series_that_is_negative_at_times_is_measured_by_differences() -> None:
    rng = np.random.default_rng(1)
    history = Window.of([rng.normal(0, 1, DAYS * A_DAY)], step=STEP)
    fitted = Extremes().fit(history)
    up, twice = (fitted.score(after(value))[0, 0] for value in (10.0, 20.0))
    assert up > 1
    assert twice == pytest.approx(2 * up, rel=0.01)


@pytest.mark.parametrize(("value", "score"), [(7.0, 0.0), (7.0000001, 0.0), (8.0, 100.0), (0.0, 100.0)])
def test_a_constant_series_ignores_rounding_only(value: float, score: float) -> None:
    fitted = Extremes().fit(Window.of(np.full((1, DAYS * A_DAY), 7.0), step=STEP))
    assert fitted.score(after(value))[0, 0] == pytest.approx(score, abs=0.5)


def test_of_what_was_always_zero_anything_else_is_strange() -> None:
    fitted = Extremes().fit(Window.of(np.zeros((1, DAYS * A_DAY)), step=STEP))
    assert fitted.score(after(0.0))[0, 0] == 0
    assert fitted.score(after(1e-9))[0, 0] == 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rate": 0.0}, "Extremes.rate must be above 0. Got 0.0."),
        ({"margin": 0.0}, "Extremes.margin must be above 0"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Extremes(**arguments)  # type: ignore[arg-type]
