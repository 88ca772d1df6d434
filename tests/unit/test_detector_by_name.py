"""Detectors by their names, and those of other libraries under the contract."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from detectors import FITTED
from detectors.autoencoder import Autoencoder
from detectors.base import Band
from detectors.by_name import BY_NAME, NEEDS, arguments_of, available, by_name, require
from detectors.decomposition import StlResidual
from detectors.ensemble import Ensemble
from detectors.forecast_residual import ForecastResidual, usual_day
from detectors.iqr import Iqr
from detectors.outlier_model import OutlierModel
from detectors.tails import Ecod
from exporter.models.stored import Packer, padded
from series import FloatArray, Window
from tests.contract.detector_checks import CHECKS, busy, split

STEP, A_DAY = 900, 96


def waves(days: int = 16, *, seed: int = 2) -> Window:
    rng = np.random.default_rng(seed)
    values = 50 + 10 * np.sin(2 * np.pi * np.arange(days * A_DAY) / A_DAY) + rng.normal(0, 1, (3, days * A_DAY))
    return Window.of(values, step=STEP)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("name", ["stl", "autoencoder"])
def test_every_promise_is_kept(name: str, check: Callable[[type[Any]], None]) -> None:
    pytest.importorskip(NEEDS[name])
    check(BY_NAME[name])


@pytest.mark.parametrize("name", ["stl", "forecast_residual", "seasonal"])
def test_what_knows_the_day_sees_a_wave_that_stops(name: str) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    window = waves()
    values = window.values.copy()
    values[:, 15 * A_DAY + 40 : 15 * A_DAY + 60] = 60.0  # ordinary by day, not at this time of it
    fitted = by_name(name).fit(window.until(15 * A_DAY))
    scores = fitted.score(Window(window.keys, window.times, values).since(15 * A_DAY))
    assert (scores[:, :40] > 1).mean() < 0.03
    assert (scores[:, 50:60].max(axis=1) > 1).all()


@pytest.mark.parametrize("kind", [StlResidual, Iqr, Ensemble, Ecod, Autoencoder])
def test_what_was_learned_outlives_a_restart(kind: type[Any]) -> None:
    window = waves()
    fitted = kind().fit(window.until(15 * A_DAY))
    packer = Packer(FITTED)
    packed, arrays = packer.pack(fitted)
    content = b"".join(one.tobytes().ljust(padded(one.nbytes), b"\0") for one in arrays)
    again = packer.unpack(packed, np.frombuffer(content, dtype=np.uint8))
    np.testing.assert_array_equal(again.score(window.since(15 * A_DAY)), fitted.score(window.since(15 * A_DAY)))


def test_the_level_of_a_decomposition_follows_a_lasting_change() -> None:
    pytest.importorskip("statsmodels")
    window = waves()
    values = window.values.copy()
    values[:, 14 * A_DAY :] += 30
    scores = (
        StlResidual().fit(window.until(14 * A_DAY)).score(Window(window.keys, window.times, values).since(14 * A_DAY))
    )
    assert (scores[:, :20] > 1).all()
    assert (scores[:, A_DAY:] > 1).mean() < 0.05


def test_an_autoencoder_sees_a_shape_that_no_day_had() -> None:
    pytest.importorskip("sklearn")
    window = waves()
    values = window.values.copy()
    values[:, 15 * A_DAY + 40 : 15 * A_DAY + 60 : 2] += 8.0  # restless inside of the range of the history
    fitted = by_name("autoencoder").fit(window.until(15 * A_DAY))
    scores = fitted.score(Window(window.keys, window.times, values).since(15 * A_DAY))
    assert (scores[:, :40] > 1).mean() < 0.03
    assert (scores[:, 46:60] > 1).mean() > 0.9


def test_any_forecaster_will_do() -> None:
    asked = []

    def constant(history: Window, steps: int) -> FloatArray:
        asked.append((history.n_steps, steps))
        return np.full((history.n_series, steps), 50.0)

    window = waves()
    fitted = ForecastResidual(forecaster=constant, origins=3).fit(window.until(15 * A_DAY))
    assert asked == [(15 * A_DAY, 2 * A_DAY), (12 * A_DAY, A_DAY), (13 * A_DAY, A_DAY), (14 * A_DAY, A_DAY)]
    band = fitted.expect(window.since(15 * A_DAY))
    assert isinstance(band, Band)
    np.testing.assert_array_equal(band.expected, 50.0)
    assert ((band.upper - band.expected) > 10).all()  # it misses the wave, and knows


def test_a_forecast_is_repeated_after_two_days() -> None:
    window = waves(days=19)
    fitted = ForecastResidual().fit(window.until(15 * A_DAY))
    expected = fitted.expect(window.since(15 * A_DAY)).expected
    np.testing.assert_array_equal(expected[:, 2 * A_DAY : 3 * A_DAY], expected[:, A_DAY : 2 * A_DAY])
    np.testing.assert_array_equal(expected[:, :A_DAY], usual_day(window.until(15 * A_DAY), A_DAY))


def test_fences_move_along() -> None:
    rng = np.random.default_rng(1)
    window = Window.of(10 * np.sin(np.arange(16 * A_DAY) / 300) + rng.normal(0, 0.3, (1, 16 * A_DAY)), step=STEP)
    values = window.values.copy()
    values[0, 15 * A_DAY + 50] *= -0.5  # inside of the range of the history
    scores = Iqr().fit(window.until(15 * A_DAY)).score(Window(window.keys, window.times, values).since(15 * A_DAY))
    assert np.argmax(scores[0]) == 50


def test_every_available_name_can_be_made() -> None:
    assert {"ensemble", "seasonal", "iqr", "forecast_residual"} <= set(available())
    for name in available():
        assert "rate" in arguments_of(name)
        made = by_name(name, rate=0.2)
        assert made.rate == 0.2  # type: ignore[attr-defined]
        assert not isinstance(made, OutlierModel) or made.estimator == name


@pytest.mark.parametrize("name", sorted(set(NEEDS) - {"stl", "autoencoder"}))
def test_outlier_models_by_name_judge(name: str) -> None:
    pytest.importorskip(NEEDS[name])
    history, window = split(busy(n_series=1, days=3))
    scores = by_name(name).fit(history).score(window.until(30))
    np.testing.assert_array_equal(np.isnan(scores), np.isnan(window.until(30).values))
    assert np.nanmin(scores) >= 0


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match=re.escape("A detector must be one of ensemble, seasonal, ")):
        by_name("magic")


def test_a_library_that_is_not_installed_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match=re.escape("detector ecod needs no_such_library: pip install '")):
        require("ecod", "no_such_library")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Iqr(width=4), ValueError, "Iqr.width must be 5 or more. Got 4."),
        (lambda: StlResidual(warm_up=3600), ValueError, "StlResidual.warm_up must be 345600 or more. Got 3600."),
        (lambda: Autoencoder(code=24), ValueError, "Autoencoder.code must be below width (24). Got 24."),
        (lambda: ForecastResidual(origins=0), ValueError, "ForecastResidual.origins must be 1 or more. Got 0."),
        (lambda: ForecastResidual(forecaster=3), TypeError, "ForecastResidual.forecaster must be callable. Got 3."),  # type: ignore[arg-type]
    ],
)
def test_bad_arguments_are_refused(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        make()
