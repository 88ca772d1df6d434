"""The promises of a detector, one function each; `test_detectors.py` runs them on every entry of DETECTORS."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import numpy as np
import pytest

from detectors.base import Detector
from series import FloatArray, Window

DAY = 86_400


def busy(n_series: int = 4, days: float = 8, step: int = 900, *, seed: int = 7) -> Window:
    """Daily rhythm, noise, a weekend dip, gaps and a few spikes."""
    rng = np.random.default_rng(seed)
    times = np.arange(int(days * DAY / step)) * float(step)
    wave = 100 + 40 * np.sin(2 * np.pi * times / DAY) - 30 * (times // DAY % 7 >= 5)
    values = wave * rng.uniform(0.5, 20, (n_series, 1)) + rng.normal(0, 3, (n_series, len(times)))
    values[rng.random(values.shape) < 0.02] = np.nan
    values[rng.random(values.shape) < 0.003] *= 3
    return Window.of(values, step=step)


def hostile(n_steps: int) -> Window:
    """Rows that break naive arithmetic."""
    rng = np.random.default_rng(3)
    ramp = np.arange(float(n_steps))
    sparse = np.where(rng.random(n_steps) < 0.01, 5.0, 0.0)
    lonely = np.where(ramp % 97 == 1, 1.0, np.nan)
    spiked = np.where(ramp == n_steps - 1, 1e300, 1.0)
    rows = [
        np.full(n_steps, np.nan),
        np.full(n_steps, np.inf),
        np.where(rng.random(n_steps) < 0.5, -np.inf, 1.0),
        np.zeros(n_steps),
        np.full(n_steps, 0.1, dtype=np.float32).astype(np.float64),
        np.full(n_steps, 1e308),
        np.where(rng.random(n_steps) < 0.5, 1e308, -1e308),
        rng.random(n_steps) * 1e-12,
        rng.random(n_steps) * 1e15,
        rng.poisson(0.05, n_steps).astype(np.float64),
        sparse,
        lonely,
        ramp,
        spiked,
    ]
    return Window.of(np.array(rows), step=300)


def split(window: Window, share: float = 0.8) -> tuple[Window, Window]:
    """History and the steps after it."""
    place = int(window.n_steps * share)
    return window.until(place), window.since(place)


def check_arguments_are_keyword_only_and_kept(detector: type[Any]) -> None:
    fields = dataclasses.fields(detector)
    made = detector(**{field.name: field.default for field in fields if field.init})
    assert all(getattr(made, field.name) == field.default for field in fields)
    with pytest.raises(TypeError):
        detector(fields[0].default)


def check_fit_returns_self_and_leaves_arguments_alone(detector: type[Any]) -> None:
    made = detector()
    before = dataclasses.asdict(made)
    assert made.fit(busy()) is made
    assert dataclasses.asdict(made) == before


def check_history_is_not_written_to(detector: type[Any]) -> None:
    history, window = split(busy())
    for part in (history, window):
        part.values.setflags(write=False)
    detector().fit(history).score(window)


def check_shapes(detector: type[Any]) -> None:
    history, window = split(busy())
    fitted = detector().fit(history)
    assert fitted.score(window).shape == window.values.shape
    assert fitted.warming_up_.shape == (window.n_series,)
    assert fitted.score(window).dtype == np.float64


def check_nan_exactly_where_there_is_no_sample(detector: type[Any]) -> None:
    history, window = split(busy())
    scores = detector().fit(history).score(window)
    np.testing.assert_array_equal(np.isnan(scores), np.isnan(window.values))
    assert np.nanmin(scores) >= 0


def check_zero_while_warming_up(detector: type[Any]) -> None:
    window = busy(days=2)
    fitted = detector().fit(window.until(5))
    assert fitted.warming_up_.all()
    assert np.nanmax(fitted.score(window.since(5))) == 0


def check_an_outage_stands_out(detector: type[Any]) -> None:
    history, window = split(busy())
    normal = np.nanmedian(detector().fit(history).score(window))
    away = Window(window.keys, window.times, window.values * 5).until(round(7200 / window.step))
    highest = np.nanmax(detector().fit(history).score(away), axis=1)
    assert (highest > max(1, 3 * normal)).all()


def check_never_looks_ahead(detector: type[Any]) -> None:
    history, window = split(busy())
    fitted = detector().fit(history)
    whole = fitted.score(window)
    for step in (1, 7, window.n_steps - 1):
        # Single precision rounds otherwise in a product of another shape.
        np.testing.assert_allclose(fitted.score(window.until(step)), whole[:, :step], rtol=1e-4, atol=1e-4)


def check_advancing_changes_no_score(detector: type[Any]) -> None:
    history, window = split(busy())
    whole = detector().fit(history).score(window)
    stepwise = detector().fit(history)
    for first, last in ((0, 1), (1, 8), (8, 8), (8, 31), (31, window.n_steps)):
        part = window.until(last).since(first)
        np.testing.assert_allclose(stepwise.score(part), whole[:, first:last], rtol=1e-4, atol=1e-4)
        stepwise.advance(part)


def check_rows_are_independent(detector: type[Any]) -> None:
    history, window = split(busy())
    together = detector().fit(history).score(window)
    for row in range(window.n_series):
        alone = detector().fit(history.rows([row])).score(window.rows([row]))
        np.testing.assert_allclose(alone[0], together[row], rtol=1e-9, atol=1e-12)


def check_same_answer_twice(detector: type[Any]) -> None:
    history, window = split(busy())
    first = detector().fit(history).score(window)
    np.testing.assert_array_equal(detector().fit(history).score(window), first)


def check_no_warning_on_hostile_input(detector: type[Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n_steps in (0, 1, 2, 3, 50, 2016):
            rows = hostile(n_steps + 40)
            scores = _scores(detector(), rows, n_steps)
            assert not np.isinf(scores).any()
            np.testing.assert_array_equal(np.isnan(scores), np.isnan(rows.since(n_steps).values))


def check_no_series_is_an_answer_too(detector: type[Any]) -> None:
    history, window = split(busy().rows([]))
    assert detector().fit(history).score(window).shape == (0, window.n_steps)


def check_scale_does_not_matter(detector: type[Any]) -> None:
    history, window = split(busy())
    scores = detector().fit(history).score(window)
    for factor in (2.0**-40, 2.0**40):
        large = [Window(part.keys, part.times, part.values * factor) for part in (history, window)]
        np.testing.assert_allclose(detector().fit(large[0]).score(large[1]), scores, rtol=1e-6, atol=1e-9)


def _scores(detector: Detector, rows: Window, n_steps: int) -> FloatArray:
    return detector.fit(rows.until(n_steps)).score(rows.since(n_steps))


CHECKS = [check for name, check in sorted(globals().items()) if name.startswith("check_")]
