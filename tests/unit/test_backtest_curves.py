"""Curves as the page carries them: what the eye must see survives, and what it reads is right."""

from __future__ import annotations

import base64
import json

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.backtests.report import Anomaly, Curves, Ribbon
from exporter.pages.curves import WHOLE, chosen_columns, encode
from series import FloatArray

NOTHING = np.array([], dtype=np.intp)


def curves(values: FloatArray, *, scores: FloatArray | None = None, past: FloatArray | None = None) -> Curves:
    nowhere = np.full(values.size, np.nan)
    middle = nowhere if past is None else past
    return Curves(
        values=values,
        scores=np.zeros(values.size) if scores is None else scores,
        band=Ribbon(values - 1, values - 2, values + 2),
        past=Ribbon(middle, middle - 1, middle + 1),
        ahead=Ribbon(np.arange(300.0), np.arange(300.0) - 1, np.arange(300.0) + 1),
    )


def unpack(packed: object, kind: str) -> npt.NDArray[np.float64]:
    assert isinstance(packed, str)
    return np.frombuffer(base64.b64decode(packed), kind).astype(np.float64)


def decoded(line: Curves, anomalies: tuple[Anomaly, ...] = ()) -> tuple[FloatArray, FloatArray, dict[str, object]]:
    coded = encode(line, anomalies, np.arange(0.0, 60.0 * line.values.size, 60.0), 60.0)
    assert json.loads(json.dumps(coded, allow_nan=False)) == coded
    scale, offset = coded["scale"], coded["offset"]
    assert isinstance(scale, float)
    assert isinstance(offset, float)
    index = np.arange(line.values.size) if coded["index"] is None else unpack(coded["index"], "<u4")
    return index.astype(np.float64), unpack(coded["value"], "<f4") * scale + offset, coded


def test_few_points_go_in_whole() -> None:
    values = np.random.default_rng(1).normal(size=WHOLE)
    index, seen, _ = decoded(curves(values))
    np.testing.assert_array_equal(index, np.arange(WHOLE))
    np.testing.assert_allclose(seen, values, atol=1e-6)


@settings(max_examples=25)
@given(st.integers(0, 49_999), st.sampled_from([1e6, -1e6]))
def test_a_spike_of_one_sample_survives(place: int, height: float) -> None:
    values = np.sin(np.arange(50_000) / 300)
    values[place] = height
    assert place in chosen_columns(curves(values), NOTHING)


@settings(max_examples=25)
@given(st.integers(0, 49_999))
def test_a_gap_and_a_strange_sample_survive(place: int) -> None:
    values, scores = np.sin(np.arange(50_000) / 300), np.zeros(50_000)
    values[place] = np.nan
    scores[(place + 777) % 50_000] = 1.5
    chosen = chosen_columns(curves(values, scores=scores), NOTHING)
    assert {place, (place + 777) % 50_000} <= set(chosen.tolist())


def test_two_past_forecasts_stay_apart() -> None:
    past = np.full(50_000, np.nan)
    past[20_000:21_000], past[21_001:22_001] = 1.0, 2.0
    chosen = set(chosen_columns(curves(np.sin(np.arange(50_000) / 300), past=past), NOTHING).tolist())
    assert {19_999, 20_000, 20_999, 21_000, 21_001, 22_000, 22_001} <= chosen


def test_many_points_become_few_and_ascend() -> None:
    rng = np.random.default_rng(3)
    values, scores = rng.normal(size=50_000), rng.exponential(size=50_000)
    values[rng.random(50_000) < 0.3] = np.nan
    chosen = chosen_columns(curves(values, scores=scores), NOTHING)
    assert (np.diff(chosen) > 0).all()
    assert chosen.size < 3_500


def test_an_anomaly_is_kept_whole_with_its_surroundings() -> None:
    anomaly = Anomaly(30_000 * 60.0, 30_010 * 60.0, 30_005 * 60.0, 4.0, 9.0, 1.0, 0.0, 2.0)
    index, _, _ = decoded(curves(np.sin(np.arange(50_000) / 300)), (anomaly,))
    assert set(range(29_980, 30_031)) <= set(index.tolist())


@pytest.mark.parametrize("base", [1.79e9, -3e15, 1e-9, 0.0])
def test_large_and_small_values_keep_their_digits(base: float) -> None:
    values = base + np.random.default_rng(5).normal(size=500) * max(abs(base), 1e-6) * 1e-6
    _, seen, _ = decoded(curves(values))
    np.testing.assert_allclose(seen, values, atol=np.ptp(values) * 1e-6)


def test_what_no_float32_holds_becomes_a_gap_not_an_error() -> None:
    line = curves(np.full(100, 1e-300))
    line.band.upper[:] = 1e300
    line.values[3] = 2e-300
    _, seen, coded = decoded(line)
    band = coded["band"]
    assert isinstance(band, dict)
    assert np.isfinite(seen).all()
    assert not np.isfinite(unpack(band["upper"], "<f4")).any()


@pytest.mark.parametrize("values", [np.full(100, np.nan), np.full(100, 7.0), np.zeros(100)])
def test_nothing_and_constants_can_be_carried(values: FloatArray) -> None:
    _, seen, _ = decoded(curves(values))
    np.testing.assert_array_equal(seen, values)


def test_scores_are_carried_as_hundredths_and_capped() -> None:
    line = curves(np.zeros(4), scores=np.array([0.456, np.nan, 1e9, np.inf]))
    _, _, coded = decoded(line)
    np.testing.assert_allclose(unpack(coded["score"], "<u2") / 100, [0.46, 0, 655.35, 655.35])


def test_twenty_long_series_stay_below_two_megabytes() -> None:
    rng = np.random.default_rng(11)
    times = np.arange(0.0, 60.0 * 20_160, 60.0)
    past = np.full(20_160, np.nan)
    past[7_000:19_000] = 1.0
    marks = tuple(Anomaly(s, s, s, 2.0, 1.0, 0.0, 0.0, 0.0) for s in times[100::500])
    size = 0
    for _ in range(20):
        line = curves(rng.normal(size=20_160), scores=rng.exponential(0.3, size=20_160), past=past)
        size += len(json.dumps(encode(line, marks, times, 60.0)))
    assert size < 2_000_000
