"""A detector alone in the service: its scores, with a band, a side and minimum deviations."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import FITTED
from detectors.walk import walk_forward
from exporter.config import Query
from exporter.models.single import Single
from exporter.models.stored import Packer, padded
from exporter.wiring import make_detector, make_judge
from series import Window

STEP, A_DAY = 900, 96
TODAY = 15 * A_DAY


def waves() -> Window:
    rng = np.random.default_rng(4)
    times = np.arange(16 * A_DAY)
    return Window.of(50 + 10 * np.sin(2 * np.pi * times / A_DAY) + rng.normal(0, 1, (2, len(times))), step=STEP)


def dropped(by: float) -> Window:
    window = waves()
    values = window.values.copy()
    values[:, TODAY + 40 :] -= by
    return Window(window.keys, window.times, values)


def judge(detector: str, **settings: object) -> Single:
    query = Query.model_validate({"name": "a", "query": "up", "detector": detector, "step": "15m", **settings})
    made = make_judge(query)
    assert isinstance(made, Single)
    return made.fit(waves().until(TODAY))


@pytest.mark.parametrize("detector", ["iqr", "ecod", "forecast_residual", "seasonal"])
def test_any_detector_shows_what_was_expected(detector: str) -> None:
    window = waves().since(TODAY)
    found = judge(detector).judge(window)
    assert (np.abs(found.band.expected - window.values) < 6).mean() > 0.99
    assert ((found.band.lower < window.values) & (window.values < found.band.upper)).mean() > 0.99


@pytest.mark.parametrize("detector", ["window_pca", "forecast_residual", "seasonal"])
def test_direction_and_minimum_deviation_hold_for_any_detector(detector: str) -> None:
    outage = dropped(30).since(TODAY).until(41)
    plain, above, minimum = (
        judge(detector, **settings).judge(outage).scores[:, 40]
        for settings in ({}, {"direction": "above"}, {"minimum_deviation": {"absolute": 40}})
    )
    assert (plain > 1).all()
    assert (above == 0).all()
    assert ((minimum > 0) & (minimum <= 1)).all()


def test_the_baseline_beside_it_takes_note_of_what_passed() -> None:
    lasting = dropped(30).since(TODAY)
    single = judge("iqr")
    whole = single.judge(lasting)
    single.advance(lasting.until(60))
    np.testing.assert_allclose(single.judge(lasting.since(60)).band.expected, whole.band.expected[:, 60:])
    assert single.season(lasting.times[:3]).shape == (2, 3)
    assert not np.isnan(single.season(lasting.times[:3])).any()


@pytest.mark.parametrize("detector", ["window_pca", "ecod", "forecast_residual"])
def test_any_detector_can_be_tried_on_the_past(detector: str) -> None:
    made = make_detector(Query.model_validate({"name": "a", "query": "up", "detector": detector}))
    before = dict(vars(made))
    walk = walk_forward(made, dropped(30), history=14 * A_DAY, refit=A_DAY // 2, first=14 * A_DAY)
    assert vars(made) == before
    assert (walk.scores[:, TODAY + 40 : TODAY + 60].max(axis=1) > walk.scores[:, : TODAY + 40].max(axis=1)).all()
    assert (np.abs(walk.band.expected[:, 14 * A_DAY : TODAY] - waves().values[:, 14 * A_DAY : TODAY]) < 6).mean() > 0.99


@pytest.mark.parametrize("detector", ["iqr", "ecod", "stl", "autoencoder", "seasonal"])
def test_what_it_learned_outlives_a_restart(detector: str) -> None:
    packer, fitted, window = Packer((*FITTED, Single)), judge(detector), dropped(30).since(TODAY)
    packed, arrays = packer.pack(fitted)
    content = b"".join(one.tobytes().ljust(padded(one.nbytes), b"\0") for one in arrays)
    again = packer.unpack(packed, np.frombuffer(content, dtype=np.uint8))
    for one in (fitted, again):
        one.advance(window.until(60))
    found, expected = again.judge(window.since(60)), fitted.judge(window.since(60))
    np.testing.assert_array_equal(found.scores, expected.scores)
    np.testing.assert_array_equal(found.band.expected, expected.band.expected)
