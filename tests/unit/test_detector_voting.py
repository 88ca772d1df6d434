"""What kind of series it is, who votes on it, and what operators teach the votes."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.character import KINDS, Character, sample
from detectors.ensemble import Ensemble
from detectors.voting import GAIN, families, mean_vote, shares
from detectors.weights import LARGEST, SMALLEST, learn_weights
from series import FloatArray, Window

STEP = 900
A_DAY = 96
DAYS = 15


def of_every_kind() -> Window:
    """One series a kind, in the order of `KINDS`, and a plain one."""
    rng = np.random.default_rng(8)
    steps = DAYS * A_DAY
    noise = rng.normal(0, 1, steps)
    rows = [
        np.full(steps, 7.0),
        np.where(rng.random(steps) < 0.3, 20 + noise, np.nan),
        rng.poisson(0.3, steps).astype(np.float64),
        np.cumsum(rng.poisson(3, steps)) % 4000.0,
        np.where(rng.random(steps) < 0.03, 40.0, 10 + noise),
        10 + 3 * np.sin(2 * np.pi * np.arange(steps) / A_DAY) + noise,
        10 + noise,
    ]
    return Window.of(rows, step=STEP)


def test_each_kind_is_recognised_and_a_plain_series_is_none_of_them() -> None:
    found = list(Ensemble().fit(of_every_kind()).character_)
    assert found == [*((kind,) for kind in KINDS), ()]


def test_a_series_without_samples_has_no_character() -> None:
    window = Window.of(np.full((1, 50), np.nan), step=STEP)
    assert list(Character.of(window, np.zeros((1, len(sample(50)))))) == [()]


@pytest.mark.parametrize("n_steps", [0, 1, 255, 256, 2016, 4032])
def test_what_is_looked_at_ends_with_the_newest_step_and_is_bounded(n_steps: int) -> None:
    steps = sample(n_steps)
    assert len(steps) <= 2 * 256
    assert n_steps == 0 or steps[-1] == n_steps - 1
    assert (np.diff(steps) > 0).all()


def test_shapes_do_not_judge_sparse_series() -> None:
    window = of_every_kind()
    ensemble = Ensemble().fit(window)
    assert ensemble.members_ == ("seasonal", "extremes", "window_pca_6")
    np.testing.assert_array_equal(ensemble.taking_part_[0], True)
    assert ensemble.taking_part_[1].tolist() == [True, False, True, True, True, True, True]
    now = Window(window.keys, window.times[-1] + STEP * np.arange(1, 4), np.full((7, 3), 500.0))
    found = ensemble.judge(now)
    np.testing.assert_array_equal(np.isnan(found.votes).all(axis=2), ~ensemble.taking_part_)
    assert (found.scores[:, 0] > 1).all()
    assert found.agreeing()[[0, 1, 2, 6], 0].tolist() == [2, 1, 2, 2]


def one_outside_of_the_band() -> tuple[Window, Window]:
    """Quiet days, then a drift so slow that no shape is strange, at last beyond the band."""
    rng = np.random.default_rng(5)
    values = 50 + rng.normal(0, 1, (2, DAYS * A_DAY))
    values[0, -20:] += np.linspace(0, 12, 20)
    values[1, -10:] += 40
    window = Window.of(values, step=STEP)
    return window.until(DAYS * A_DAY - 20), window.since(DAYS * A_DAY - 20)


def test_where_two_must_agree_one_family_alone_stays_at_the_threshold() -> None:
    history, now = one_outside_of_the_band()
    alone, together = (Ensemble(agree=count).fit(history).judge(now) for count in (1, 2))
    held = (alone.scores > 1) & (alone.agreeing() < 2)
    assert held.any()
    assert (together.scores[held] == 1).all()
    np.testing.assert_array_equal(together.scores[~held], alone.scores[~held])
    assert together.scores[1].max() > 1


def test_where_one_family_votes_it_need_not_agree_with_another() -> None:
    history = Window.of(np.where(np.arange(DAYS * A_DAY) % 4 > 0, np.nan, of_every_kind().values[-1:]), step=STEP)
    now = Window.of([[10.0, 90.0]], step=STEP, start=DAYS * 86_400)
    assert Ensemble(agree=2).fit(history).score(now)[0, 1] > 1


def test_weights_move_the_consensus_towards_the_member() -> None:
    history, now = one_outside_of_the_band()
    plain = Ensemble().fit(history)
    level = Ensemble(weights={"seasonal": 2.0, "window_pca_6": 0.5}).fit(history)
    np.testing.assert_allclose(plain.shares_[:, 0], [GAIN / 2, GAIN / 4, GAIN / 4])
    np.testing.assert_allclose(level.shares_[:, 0], [GAIN * 8 / 11, GAIN * 2 / 11, GAIN / 11])
    votes = [np.full((2, 1), score) for score in (3.0, 1.0, 1.0)]
    np.testing.assert_allclose(mean_vote(votes, plain.shares_), GAIN * 2)
    np.testing.assert_allclose(mean_vote(votes, level.shares_), GAIN * 27 / 11)
    assert (level.score(now) != plain.score(now)).any()


def test_a_vote_that_counts_alone_is_not_amplified() -> None:
    part = np.array([[True, True], [True, False], [True, False]])
    each = shares(("seasonal", "extremes", "window_pca_6"), {}, part)
    np.testing.assert_allclose(each.sum(axis=0), [GAIN, 1.0])
    votes = [np.full((2, 1), 0.9), np.full((2, 1), 0.8), np.full((2, 1), 100.0)]
    np.testing.assert_allclose(mean_vote(votes, each)[1], 0.9)
    assert [count.tolist() for count in families(votes, part)] == [[[1], [0]], [2, 1]]


def test_two_that_judge_the_level_are_one_witness() -> None:
    part = np.ones((3, 2), dtype=np.bool_)
    votes = [np.array([[2.0], [0.5]]), np.array([[3.0], [0.5]]), np.array([[0.5], [4.0]])]
    assert [count.tolist() for count in families(votes, part)] == [[[1], [1]], [2, 2]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"agree": 3}, "Ensemble.agree must be 1 or 2. Got 3."),
        ({"agree": 0}, "Ensemble.agree must be 1 or 2. Got 0."),
        ({"weights": {"magic": 1.0}}, "Ensemble.weights must name seasonal, .* Got 'magic'."),
        ({"weights": {"seasonal": 0.0}}, "Ensemble.weights must be above 0. Got seasonal: 0.0."),
        ({"weights": {"seasonal": float("nan")}}, "Ensemble.weights must be above 0. Got seasonal: nan."),
    ],
)
def test_bad_votes_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Ensemble(**arguments)  # type: ignore[arg-type]


def verdicts(count: int, *, seed: int, skill: tuple[float, ...] = (0.9, 0.7, 0.5)) -> tuple[FloatArray, FloatArray]:
    """Votes of members that are right of a share `skill` of the alarms, 7 of 10 of which are true."""
    rng = np.random.default_rng(seed)
    right = rng.random(count) < 0.7
    correct = rng.random((len(skill), count)) < np.array(skill)[:, None]
    return np.where(correct == right, 2.0, 0.3), right


def test_members_that_were_right_more_often_count_more() -> None:
    for seed in range(20):
        weights = learn_weights(*verdicts(200, seed=seed))
        assert weights[0] > weights[1] > weights[2]


def test_learned_weights_decide_better_than_equal_ones() -> None:
    """Weights of 100 verdicts, tried on 20,000 other alarms."""
    skill = (0.9, 0.6, 0.6)
    wins = []
    for seed in range(20):
        weights = learn_weights(*verdicts(100, seed=seed, skill=skill))
        votes, right = verdicts(20_000, seed=1_000 + seed, skill=skill)
        decided = [((each @ (votes > 1)) / each.sum() > 0.5) == right for each in (weights, np.ones(3))]
        wins.append(decided[0].mean() - decided[1].mean())
    assert np.mean(wins) > 0.02


def test_a_handful_of_verdicts_changes_little_and_none_changes_nothing() -> None:
    np.testing.assert_array_equal(learn_weights(np.empty((3, 0)), np.empty(0, dtype=np.bool_)), 1.0)
    for seed in range(20):
        assert np.abs(learn_weights(*verdicts(3, seed=seed)) - 1).max() < 0.35


def test_members_without_a_difference_keep_equal_weights() -> None:
    weights = [learn_weights(*verdicts(100, seed=seed, skill=(0.7, 0.7, 0.7))) for seed in range(40)]
    np.testing.assert_allclose(np.mean(weights, axis=0), 1, atol=0.06)


def test_weights_are_bounded_whatever_is_said() -> None:
    votes = np.array([[9.0, 0.0] * 5_000, [0.0, 9.0] * 5_000, [9.0, 9.0] * 5_000])
    weights = learn_weights(votes, np.array([True, False] * 5_000), np.array([1.0, 50.0, 1.0]))
    np.testing.assert_allclose(weights.mean(), 1)
    assert weights.max() / weights.min() <= LARGEST / SMALLEST


def test_who_takes_no_part_is_neither_right_nor_wrong() -> None:
    votes, right = verdicts(200, seed=3)
    some = votes.copy()
    some[2] = np.nan
    weights = learn_weights(some, right)
    assert weights[0] > weights[2] > 0


def test_a_member_that_breaks_its_promise_counts_less() -> None:
    nothing = np.empty((2, 0)), np.empty(0, dtype=np.bool_)
    np.testing.assert_allclose(learn_weights(*nothing, np.array([0.1, 2.25])), [1.2, 0.8])


@pytest.mark.parametrize("wrong", [(np.ones(3, dtype=np.bool_), None), (np.ones(2, dtype=np.bool_), np.ones(5))])
def test_lengths_must_fit(wrong: tuple[FloatArray, FloatArray | None]) -> None:
    with pytest.raises(ValueError, match="learn_weights needs"):
        learn_weights(np.ones((4, 2)), *wrong)
