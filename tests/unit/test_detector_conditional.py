"""Metrics of a group that no longer follow from each other."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import FITTED
from detectors.conditional import MOST_METRICS, RIDGE, Conditional
from detectors.ensemble import Ensemble
from exporter.models.stored import Packer
from series import FloatArray, Window

STEP = 900.0
A_DAY = 96
DAYS = 15


def service(n_metrics: int = 4, days: int = DAYS + 1, *, seed: int = 3) -> FloatArray:
    """Metrics that follow one load, each with a little noise of its own."""
    rng = np.random.default_rng(seed)
    at = np.arange(days * A_DAY)
    load = 50 + 20 * np.sin(2 * np.pi * at / A_DAY) + rng.normal(0, 5, len(at))
    slopes = np.linspace(1, 3, n_metrics)[:, None]
    return np.asarray(slopes * load + rng.normal(0, 1, (n_metrics, len(at))))


def learn(values: FloatArray) -> Conditional:
    learned = Conditional.learn(values, STEP, rate=0.1)
    assert learned is not None
    return learned[0]


def test_a_metric_that_leaves_the_others_is_strange_though_each_is_ordinary() -> None:
    values = service()
    now = values[:, DAYS * A_DAY :].copy()
    now[1, 40:46] = np.median(values[1]) - (now[1, 40:46] - np.median(values[1]))
    assert now[1].min() > values[1].min()
    assert now[1].max() < values[1].max()
    scores = learn(values[:, : DAYS * A_DAY]).score(now)
    assert scores[40:46].max() > 1
    assert (scores[:40] < 1).all()


def test_more_load_that_moves_all_metrics_along_is_not_strange() -> None:
    values = service()
    now = values[:, DAYS * A_DAY :] + np.linspace(1, 3, 4)[:, None] * 40
    assert now.min(axis=1)[0] > np.median(values[0])
    assert np.median(learn(values[:, : DAYS * A_DAY]).score(now)) < 1
    alone = now.copy()
    alone[1:] = values[1:, DAYS * A_DAY :]
    assert (learn(values[:, : DAYS * A_DAY]).score(alone)[3:] > 1).all()


def test_the_errors_are_those_of_one_ridge_regression_a_metric() -> None:
    values = service(n_metrics=3)
    learned = learn(values)
    samples = (values - learned.center) / learned.spread
    pairs = np.concatenate([samples[:, 1:], samples[:, :-1]])
    pairs -= pairs.mean(axis=1, keepdims=True)
    covariance = np.cov(pairs, bias=True)
    ridge = RIDGE * np.trace(covariance) / 6 * np.eye(5)
    for metric in range(3):
        others = [row for row in range(6) if row != metric]
        slopes = np.linalg.solve(covariance[np.ix_(others, others)] + ridge, covariance[others, metric])
        weights = learned.weights[metric] / learned.weights[metric, metric]
        np.testing.assert_allclose(weights[others], -slopes, rtol=0.02, atol=0.002)


def test_steps_are_judged_by_those_before_them_only() -> None:
    values = service()
    learned, now = learn(values[:, : DAYS * A_DAY]), values[:, DAYS * A_DAY :].copy()
    now[2, 10:30] = np.nan
    now[0, 50] = 900.0
    at_once = learned.score(now)
    for step in range(A_DAY):
        np.testing.assert_allclose(learned.score(now[:, step : step + 1]), at_once[step : step + 1])
        learned = learned.advance(now[:, step : step + 1])


def test_a_history_scores_itself_below_1_and_no_steps_change_nothing() -> None:
    values = service()
    found = Conditional.learn(values, STEP, rate=0.1)
    assert found is not None
    learned, scores = found
    assert scores.shape == (values.shape[1],)
    assert (scores > 1).mean() < 0.01
    np.testing.assert_array_equal(learned.advance(values[:, :0]).before, learned.before)
    assert learned.score(values[:, :0]).shape == (0,)


def test_metrics_that_stand_still_together_are_no_better_than_ordinary() -> None:
    values = service()
    found = Conditional.learn(values[:, : DAYS * A_DAY], STEP, rate=0.1)
    assert found is not None
    learned, scores = found
    still = learned.score(np.repeat(values.mean(axis=1, keepdims=True), 50, axis=1))
    np.testing.assert_allclose(still[3:], np.quantile(scores, 0.9), rtol=0.01)


def test_an_outage_of_all_metrics_is_told_to_its_end() -> None:
    values = service()
    values[:, DAYS * A_DAY + 30 : DAYS * A_DAY + 38] = 0
    window = Window.of(values, step=STEP)
    fitted = Ensemble().fit(window.until(DAYS * A_DAY), [0] * 4)
    scores = fitted.judge(window.since(DAYS * A_DAY)).group_scores[0]
    assert (scores[30:38] > 1).all()
    assert (scores[:30] < 1).all()


def test_a_missing_sample_counts_as_the_one_before() -> None:
    values = service()
    values[1, 100:110] = np.nan
    values[3, :50] = np.nan
    learned, now = learn(values[:, : DAYS * A_DAY]), values[:, DAYS * A_DAY :]
    gap, held = now.copy(), now.copy()
    gap[0, 20:25], held[0, 20:25] = np.nan, now[0, 19]
    np.testing.assert_array_equal(learned.score(gap), learned.score(held))
    assert np.isfinite(learned.score(np.full((4, 3), np.nan))).all()


@pytest.mark.parametrize("huge", [1e30, 1e99, 1e300, np.inf, -np.inf])
def test_huge_values_give_numbers(huge: float) -> None:
    values = service()
    values[0, 300] = huge
    learned, now = learn(values[:, : DAYS * A_DAY]), values[:, DAYS * A_DAY :].copy()
    now[1, 5] = huge
    scores = learned.score(now)
    assert ((scores >= learned.least) & (scores <= 5)).all()


def test_metrics_that_say_the_same_twice_share_their_weight() -> None:
    values = service(n_metrics=3)
    twice = np.concatenate([values, 2 * values[:1] + 7])
    learned, now = learn(twice[:, : DAYS * A_DAY]), twice[:, DAYS * A_DAY :].copy()
    assert np.abs(learned.weights).max() < 1e4
    assert np.median(learned.score(now)) < 1
    now[3, 60:] += 100
    assert learned.score(now)[60:63].max() > 1


@pytest.mark.parametrize(
    "values",
    [
        np.full((3, 900), 5.0),
        np.concatenate([service(1), np.zeros((2, (DAYS + 1) * A_DAY))]),
        np.full((3, 900), np.nan),
        service(10)[:, :150],
        service(3)[:, :0],
        service(MOST_METRICS + 1, 30),
    ],
    ids=["constant", "one varies", "empty", "short", "no steps", "too many"],
)
def test_nothing_is_learned_of_what_says_nothing(values: FloatArray) -> None:
    assert Conditional.learn(values, STEP, rate=0.1) is None


def test_constant_metrics_are_left_out() -> None:
    values = np.insert(service(), 2, 7.0, axis=0)
    learned = learn(values[:, : DAYS * A_DAY])
    assert learned.metrics.tolist() == [0, 1, 3, 4]
    np.testing.assert_array_equal(
        learned.score(values[:, DAYS * A_DAY :]),
        learn(service()[:, : DAYS * A_DAY]).score(service()[:, DAYS * A_DAY :]),
    )


@pytest.mark.parametrize("n_metrics", [2, 5])
def test_an_ensemble_hears_how_its_groups_go_together(n_metrics: int) -> None:
    values = np.concatenate([service(n_metrics), service(1, seed=8)])
    groups = [0] * n_metrics + [1]
    window = Window.of(values, step=STEP)
    fitted = Ensemble().fit(window.until(DAYS * A_DAY), groups)
    now = window.since(DAYS * A_DAY)
    found = fitted.judge(now)
    assert fitted.joint_.conditional[0] is not None
    np.testing.assert_array_equal(found.group_scores[1], found.scores[n_metrics])
    packer = Packer(FITTED)
    header, arrays = packer.pack(fitted)
    padded = [np.frombuffer(one.tobytes().ljust(-(-one.nbytes // 8) * 8, b"\0"), dtype=np.uint8) for one in arrays]
    again = packer.unpack(header, np.concatenate(padded))
    for one in (fitted, again):
        one.advance(now.until(30))
        np.testing.assert_allclose(one.judge(now.since(30)).group_scores, found.group_scores[:, 30:])
