"""The consensus, what it is compared with, and what it says of groups."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.autoregression import Autoregression
from detectors.control_charts import Cusum, EwmaChart
from detectors.ensemble import Ensemble
from detectors.familiar import Familiar
from detectors.group import Joint
from detectors.nearest_window import NearestWindow
from detectors.phase import Phase
from detectors.quantile_band import QuantileBand
from detectors.samples import filled
from detectors.spectral_residual import SpectralResidual
from detectors.window_pca import WindowPca
from detectors.windowed import Windowed
from series import Calendar, FloatArray, Window

STEP = 900
A_DAY = 96


def quiet(n_series: int = 6, days: int = 16, *, seed: int = 5) -> Window:
    rng = np.random.default_rng(seed)
    times = np.arange(days * A_DAY) * float(STEP)
    wave = 50 + 10 * np.sin(2 * np.pi * times / 86_400)
    return Window.of(wave + rng.normal(0, 1, (n_series, len(times))), step=STEP)


def phase_of(n_steps: int) -> Phase:
    return Phase.of(np.arange(n_steps) * float(STEP), Calendar("UTC"))


def test_a_restless_hour_inside_of_the_band_is_seen() -> None:
    window = quiet()
    restless = window.values.copy()
    place = 15 * A_DAY + 10
    restless[0, place : place + 8] += np.tile([3.4, -3.4], 4)
    ensemble = Ensemble().fit(window.until(15 * A_DAY))
    now = Window(window.keys, window.times, restless).since(15 * A_DAY)
    found = ensemble.judge(now)
    assert found.scores[0, 10:18].max() > 1
    assert found.agreeing()[0, 10:18].max() >= 1
    assert found.votes.shape == (len(ensemble.members_), *now.values.shape)
    np.testing.assert_array_equal(found.scores, ensemble.score(now))
    np.testing.assert_array_equal(found.band.expected, ensemble.expect(now).expected)


def test_an_unusual_restlessness_is_accepted_when_it_lasts() -> None:
    window = quiet(n_series=1)
    values = window.values.copy()
    values[:, 15 * A_DAY :] += 6 * np.random.default_rng(1).normal(size=A_DAY)
    ensemble = Ensemble().fit(window.until(15 * A_DAY))
    scores = ensemble.score(Window(window.keys, window.times, values).since(15 * A_DAY))[0]
    assert np.median(scores[:16]) > 1
    assert np.median(scores[60:]) < 1


@pytest.mark.parametrize("direction", ["above", "below"])
def test_the_other_side_does_not_count(direction: str) -> None:
    window = quiet()
    ensemble = Ensemble(direction=direction).fit(window.until(15 * A_DAY))  # type: ignore[arg-type]
    now = window.since(15 * A_DAY)
    band, scores = ensemble.expect(now), ensemble.score(now)
    other = now.values < band.expected if direction == "above" else now.values > band.expected
    assert other.any()
    assert (scores[other] == 0).all()


def test_a_deviation_below_the_minimum_never_scores_above_1() -> None:
    window = quiet()
    values = window.values.copy()
    values[:, 15 * A_DAY + 5] += 15
    now = Window(window.keys, window.times, values).since(15 * A_DAY)
    history = window.until(15 * A_DAY)
    assert (Ensemble().fit(history).score(now)[:, 5] > 1).all()
    assert (Ensemble(minimum_absolute=40).fit(history).score(now) <= 1).all()


def test_long_windows_are_left_out_where_steps_are_long() -> None:
    assert Ensemble().fit(quiet()).members_ == ("seasonal", "extremes", "window_pca_6")
    fine = Window.of(quiet().values, step=60)
    assert Ensemble().fit(fine).members_ == ("seasonal", "extremes", "window_pca_6", "window_pca_12", "window_pca_24")


def test_what_happened_at_this_hour_on_two_days_is_familiar() -> None:
    scores = np.full((1, 10 * A_DAY), 0.5)
    for day in (7, 8):
        scores[0, day * A_DAY + 40] = 4.0
    familiar = Familiar.learn(scores, phase_of(scores.shape[1]), STEP, rate=0.1)
    day = familiar.settle(np.full((1, A_DAY), 4.0), phase_of(A_DAY))[0]
    assert day[40] < 1
    assert day[80] > 4


def test_what_happened_on_three_days_is_familiar_at_any_hour() -> None:
    scores = np.full((1, 10 * A_DAY), 0.5)
    for day, hour in ((1, 3), (4, 11), (8, 20)):
        scores[0, day * A_DAY + hour * 4] = 4.0
    familiar = Familiar.learn(scores, phase_of(scores.shape[1]), STEP, rate=0.1)
    assert (familiar.settle(np.full((1, A_DAY), 4.0), phase_of(A_DAY)) < 1 + 1e-9).all()


@pytest.mark.parametrize("late", [0, 1, 30, 70])
@pytest.mark.parametrize(("weeks", "seen"), [(2, (0, 1)), (3, (0, 1)), (3, (0, 2)), (3, (1, 2))])
def test_what_happened_at_this_hour_of_two_of_the_last_weeks_is_familiar(
    weeks: int, seen: tuple[int, int], late: int
) -> None:
    """Wherever in the day the history ends, it is the hours from 9 to 12 of that weekday."""
    scores = np.full((1, weeks * 7 * A_DAY + late), 0.5)
    for week in seen:
        scores[0, (week * 7 + 1) * A_DAY + 40 : (week * 7 + 1) * A_DAY + 42] = 4.0
    phase = phase_of(scores.shape[1]).where(np.arange(scores.shape[1]) >= late)
    familiar = Familiar.learn(scores[:, late:], phase, STEP, rate=0.1)
    settled = familiar.settle(np.full((1, 7 * A_DAY), 4.0), phase_of(7 * A_DAY))[0]
    np.testing.assert_array_equal(np.flatnonzero(settled < 1), A_DAY + np.arange(36, 48))


def test_what_happened_once_a_fortnight_is_not() -> None:
    scores = np.full((1, 3 * 7 * A_DAY), 0.5)
    for day in (1, 11):
        scores[0, day * A_DAY + 40] = 4.0
    familiar = Familiar.learn(scores, phase_of(scores.shape[1]), STEP, rate=0.1)
    assert (familiar.settle(np.full((1, 7 * A_DAY), 4.0), phase_of(7 * A_DAY)) > 1).all()


def test_a_history_without_steps_makes_nothing_familiar() -> None:
    familiar = Familiar.learn(np.empty((2, 0)), phase_of(0), STEP, rate=0.1)
    np.testing.assert_array_equal(familiar.settle(np.full((2, 3), 0.7), phase_of(3)), np.full((2, 3), 0.7))


def joint(scores: FloatArray, groups: list[int]) -> Joint:
    return Joint.learn(scores, np.array(groups), phase_of(scores.shape[1]), STEP, rate=0.1)


def test_a_group_scores_by_all_its_members_and_blames_the_strange_one() -> None:
    rng = np.random.default_rng(2)
    history = np.abs(rng.normal(0.3, 0.1, (7, 10 * A_DAY)))
    learned = joint(history, [4, 2, 2, 2, 2, 2, 2])
    now = np.full((7, A_DAY), 0.3)
    now[3, 50] = 5.0
    score, shares = learned.score(now, phase_of(A_DAY)), learned.contributions(now)
    assert score.shape == (2, A_DAY)
    assert score[0, 50] > 1 > score[0, 49]
    np.testing.assert_array_equal(score[1], now[0])
    assert shares[3, 50] > 0.9
    np.testing.assert_allclose(shares[1:, 50].sum(), 1.0)


def test_a_group_without_a_sample_has_no_score() -> None:
    learned = joint(np.full((2, 5 * A_DAY), 0.3), [0, 0])
    now = np.array([[np.nan, 0.5], [np.nan, np.nan]])
    assert np.isnan(learned.score(now, phase_of(2))[0]).tolist() == [True, False]


def test_groups_of_one_score_as_their_series() -> None:
    window = quiet()
    history, now = window.until(15 * A_DAY), window.since(15 * A_DAY)
    found = Ensemble().fit(history).judge(now)
    np.testing.assert_array_equal(found.group_scores, found.scores)


@pytest.mark.parametrize(
    "detector",
    [Autoregression, Cusum, EwmaChart, NearestWindow, SpectralResidual, WindowPca],
    ids=lambda one: one.__name__,
)
def test_a_jump_of_ten_deviations_is_seen_and_quiet_days_are_not(detector: type[Windowed]) -> None:
    noise = np.random.default_rng(4).normal(0, 1, (3, 16 * A_DAY))
    noise[:, 15 * A_DAY + 50 :] += 10
    window = Window.of(noise, step=STEP)
    scores = detector().fit(window.until(15 * A_DAY)).score(window.since(15 * A_DAY))
    assert (scores[:, :50] > 1).mean() < 0.02
    assert (scores[:, 50:60].max(axis=1) > 1).all()


def test_fences_know_the_quartiles() -> None:
    noise = np.random.default_rng(4).normal(0, 1, (2, 15 * A_DAY))
    fitted = QuantileBand().fit(Window.of(noise, step=STEP))
    np.testing.assert_allclose(fitted.edges_, [[-0.67, 0.67]] * 2, atol=0.1)
    inside = Window.of(np.zeros((2, 4)), step=STEP, start=15 * 86_400)
    np.testing.assert_array_equal(fitted.score(inside), 0.0)


def naive_window_distance(values: FloatArray, width: int, components: int) -> FloatArray:
    scaled = (values - values.mean()) / values.std()
    windows = np.array([scaled[at : at + width] for at in range(len(scaled) - width + 1)])
    _, axes = np.linalg.eigh(windows.T @ windows)
    kept = axes[:, -components:]
    return np.array([np.linalg.norm(window - kept @ (kept.T @ window)) for window in windows])


def test_window_pca_is_the_distance_from_the_principal_space() -> None:
    values = quiet(n_series=1).values
    scores = WindowPca().learn(Window.of(values, step=STEP))[0, 11:]
    expected = naive_window_distance(values[0], 12, 3)
    np.testing.assert_allclose(scores / scores.max(), expected / expected.max(), rtol=1e-3)


def test_a_gap_is_filled_with_the_sample_before() -> None:
    rows = np.array([[np.nan, 1.0, np.nan, 3.0], [np.nan] * 4, [1.0, 2.0, 3.0, 4.0]])
    np.testing.assert_array_equal(filled(rows), [[1, 1, 1, 3], [0, 0, 0, 0], [1, 2, 3, 4]])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WindowPca(components=12), "WindowPca.components must be below width"),
        (lambda: EwmaChart(weight=1.0), "EwmaChart.weight must be above 0 and below 1. Got 1.0."),
        (lambda: Cusum(slack=0.0), "Cusum.slack must be above 0. Got 0.0."),
        (lambda: QuantileBand(lower=0.9), "QuantileBand.lower must be from 0 to below upper"),
        (lambda: Autoregression(lags=0), "Autoregression.lags must be 1 or more. Got 0."),
        (lambda: NearestWindow(examples=1), "NearestWindow.examples must be 2 or more. Got 1."),
        (lambda: SpectralResidual(width=5), "SpectralResidual.width must be 12 or more. Got 5."),
        (lambda: Ensemble(rate=0.0), "Ensemble.rate must be above 0. Got 0.0."),
        (lambda: Ensemble(direction="up"), "Ensemble.direction must be both, above or below. Got 'up'."),  # type: ignore[arg-type]
        (lambda: Ensemble(timezone="Mars/Base"), "timezone must be an IANA name"),
    ],
)
def test_bad_arguments_are_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=message):
        make()
