"""The parts of the seasonal baseline against slow, plain twins."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.level import Level, block_length
from detectors.phase import Between, Phase, day_bins
from detectors.profile import cross_fit
from detectors.robust import mean, median, quantile
from detectors.shape import fold, jitter, shrinkage, smooth
from detectors.width import Width, learn
from series import Calendar, FloatArray

DAY = 86_400


def gappy(shape: tuple[int, ...], *, seed: int = 1) -> FloatArray:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape)
    values[rng.random(shape) < 0.3] = np.nan
    return values


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.98, 1.0])
def test_quantile_is_numpys_without_its_warnings(share: float) -> None:
    values = gappy((20, 31))
    values[3] = np.nan
    twin = [np.quantile(row[~np.isnan(row)], share) if (~np.isnan(row)).any() else np.nan for row in values]
    np.testing.assert_allclose(quantile(values, share), twin)


def test_median_and_mean_of_nothing_are_nan() -> None:
    assert np.isnan(median(np.full((2, 3), np.nan))).all()
    assert np.isnan(mean(np.full((2, 3), np.nan))).all()
    assert np.isnan(quantile(np.empty((2, 0)), 0.5)).all()


def test_fold_takes_the_median_of_each_cell_and_drops_what_is_too_many() -> None:
    values = np.array([[1.0, 2.0, 9.0, 4.0, np.nan]])
    folded = fold(values, np.array([0, 0, 0, 2, 2]), 4, most=2)
    np.testing.assert_array_equal(folded, [[1.5, np.nan, 4.0, np.nan]])


def test_smooth_goes_round_the_circle_and_leaves_gaps_out() -> None:
    np.testing.assert_allclose(smooth(np.array([[6.0, np.nan, 0.0, 3.0]]), 1), [[4.5, 3.0, 1.5, 3.0]])


def test_smooth_leaves_no_rounding_where_all_is_equal() -> None:
    assert np.ptp(smooth(np.full((1, 288), 0.1), 6)) == 0


def test_shrinkage_is_full_for_agreement_and_nothing_for_noise() -> None:
    rng = np.random.default_rng(0)
    shape = np.sin(np.linspace(0, 2 * np.pi, 288, endpoint=False))[None]
    noise = rng.normal(size=(2, 1, 288))
    assert shrinkage(shape, shape)[0, 0] == 1
    assert shrinkage(shape + 0.1 * noise[0], shape + 0.1 * noise[1])[0, 0] == pytest.approx(0.99, abs=0.01)
    assert shrinkage(noise[0], noise[1])[0, 0] == 0
    assert shrinkage(shape, -shape)[0, 0] == 0


def test_a_narrow_peak_may_come_a_bin_off_or_not_at_all() -> None:
    daily = np.zeros((1, 288))
    daily[0, 24] = 5.0
    above, below = jitter(daily)
    assert above[0, [22, 23, 24, 25, 26]].tolist() == [0, 5, 0, 5, 0]
    assert below[0, [23, 24, 25]].tolist() == [0, 5, 0]


def test_a_broad_peak_has_no_jitter() -> None:
    daily = np.zeros((1, 288))
    daily[0, 24:48] = 5.0
    assert not np.any(jitter(daily))


def test_level_is_the_median_of_the_blocks_before() -> None:
    residual, step, memory = gappy((3, 200), seed=2), 1800.0, 6 * 3600.0
    start = Level.before(residual, step, memory)
    known, _ = start.follow(residual, step)
    for row in range(3):
        for column in range(200):
            first = column // 2 * 2
            blocks = [residual[row, at : at + 2] for at in range(max(0, first - 12), first, 2)]
            medians = [np.median(block[~np.isnan(block)]) for block in blocks if (~np.isnan(block)).any()]
            expected = np.median(medians) if medians else start.fallback[row]
            assert known[row, column] == pytest.approx(expected)


def test_level_goes_on_where_it_was_left() -> None:
    residual = gappy((2, 240), seed=3)
    start = Level.before(residual, 600.0, 6 * 3600.0)
    whole, _ = start.follow(residual, 600.0)
    first, level = start.follow(residual[:, :120], 600.0)
    second, _ = level.follow(residual[:, 120:], 600.0)
    np.testing.assert_array_equal(np.concatenate([first, second], axis=1), whole)


@pytest.mark.parametrize(("step", "length"), [(5.0, 720), (300.0, 12), (3600.0, 1), (7200.0, 1)])
def test_a_block_is_an_hour_or_a_step(step: float, length: int) -> None:
    assert block_length(step) == length


@pytest.mark.parametrize(("step", "bins"), [(5, 288), (300, 288), (420, 206), (900, 96), (3600, 24), (7 * DAY, 1)])
def test_bins_of_a_day(step: float, bins: int) -> None:
    assert day_bins(step) == bins


def test_between_reads_the_middle_of_each_bin_exactly_and_goes_round() -> None:
    profile = np.array([[0.0, 4.0, 8.0, 4.0]])
    at = Between.of(np.array([0.5, 1.0, 2.5, 3.75, 0.0]), 4)
    np.testing.assert_allclose(at.read(profile), [[0.0, 2.0, 8.0, 3.0, 2.0]])


def wave(days: float, step: int) -> tuple[Phase, FloatArray, FloatArray]:
    times = np.arange(int(days * DAY / step)) * float(step)
    return Phase.of(times, Calendar()), times, 10 * np.sin(2 * np.pi * times / DAY)


@pytest.mark.parametrize("step", [60, 300, 420, 3600])
def test_a_daily_rhythm_is_learned(step: int) -> None:
    phase, _, rhythm = wave(10, step)
    noise = np.random.default_rng(4).normal(0, 0.5, len(rhythm))
    profile, seasonal = cross_fit((50 + rhythm + noise)[None], phase, step)
    assert np.abs(profile.at(phase) - rhythm).max() < 1.5
    assert np.abs(seasonal - rhythm).mean() < 0.7


def test_a_series_without_rhythm_gets_none() -> None:
    phase, times, _ = wave(10, 300)
    profile, _ = cross_fit(np.random.default_rng(5).normal(size=(1, len(times))), phase, 300)
    assert not profile.daily.any()


def test_a_weekend_is_learned_from_two_weeks_and_not_from_one() -> None:
    phase, times, rhythm = wave(14, 900)
    values = (100 + rhythm - 30 * (phase.weekday >= 5))[None]
    profile, _ = cross_fit(values, phase, 900)
    weekend = profile.at(phase)[0, phase.weekday >= 5].mean() - profile.at(phase)[0, phase.weekday < 5].mean()
    assert weekend == pytest.approx(-30, abs=3)
    week = times < 7 * DAY
    short, _ = cross_fit(values[:, week], phase.where(week), 900)
    assert short.weekly is None


def test_an_incident_leaves_the_profile_alone() -> None:
    phase, _, rhythm = wave(7, 300)
    clean = (50 + rhythm)[None]
    broken = clean.copy()
    broken[:, 3 * 288 + 100 : 3 * 288 + 160] = 0
    healthy, wounded = (cross_fit(values, phase, 300)[0].at(phase) for values in (clean, broken))
    assert np.abs(healthy - wounded).max() < 1.0


def width_of(residual: FloatArray, step: int) -> Width:
    phase = Phase.of(np.arange(residual.shape[1]) * float(step), Calendar())
    flat = np.zeros((len(residual), day_bins(step)))
    return learn(residual, np.zeros_like(residual), flat, phase, step, rate=0.1, narrowest=4.0)


def test_heavy_tails_widen_the_band() -> None:
    rng = np.random.default_rng(6)
    shape = (1, 14 * 288)
    normal, heavy = width_of(rng.normal(size=shape), 300), width_of(rng.standard_t(2, shape), 300)
    assert heavy.above[0] > 2 * normal.above[0]


def test_incidents_in_a_quarter_of_the_days_do_not() -> None:
    residual = np.random.default_rng(7).normal(size=(1, 14 * 288))
    calm = width_of(residual, 300)
    for day in (2, 6, 9):
        residual[0, day * 288 + 30 : day * 288 + 40] = 50
    assert width_of(residual, 300).above[0] < 1.6 * calm.above[0]


def test_nights_that_are_quiet_get_a_narrower_band() -> None:
    residual = np.random.default_rng(8).normal(size=(1, 14 * 288))
    residual[:, np.arange(14 * 288) % 288 < 96] /= 10
    spread = width_of(residual, 300).spread[0]
    assert spread[2:6].max() < spread[12:20].min() / 4
