"""Peers: the odd one out, and nobody where there is no odd one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from detectors.peers import Peers, drawn_steps
from series import Window

N_HISTORY = 500


def fleet(n_members=6, n_steps=700, seed=5):
    """Members of one group share a rhythm; each has its own share of the load and its own noise."""
    rng = np.random.default_rng(seed)
    load = 100 + 60 * np.sin(np.arange(n_steps) / 30) + np.cumsum(rng.normal(size=n_steps))
    return load + 10 * np.arange(n_members)[:, None] + rng.normal(size=(n_members, n_steps))


def scores(values, groups=None, **arguments):
    window = Window.of(values, step=300)
    groups = np.zeros(len(values), dtype=int) if groups is None else np.asarray(groups)
    return Peers(**arguments).fit(window.until(N_HISTORY), groups).score(window.since(N_HISTORY))


def test_what_all_do_together_is_ordinary():
    values = fleet()
    values[:, 600:] += 400  # a load nobody has seen before
    assert (scores(values) < 1).mean() > 0.999


@pytest.mark.parametrize("size", [30.0, -30.0])
def test_one_that_leaves_its_peers_is_odd(size):
    values = fleet()
    values[2, 600:] += size
    odd = scores(values) > 1
    assert odd[2, 100:].mean() > 0.99
    assert odd[[0, 1, 3, 4, 5]].mean() < 0.01


def test_two_of_six_are_odd_and_half_of_them_are_not():
    values = fleet()
    values[:2, 600:] += 40
    assert (scores(values)[:2, 100:] > 1).all()
    values[2, 600:] += 40
    assert (scores(values) > 1)[:, 100:].mean() < 0.01


def test_groups_are_judged_each_by_itself_and_none_without_peers():
    values = np.concatenate([fleet(5, seed=1), 1_000 - 5 * fleet(5, seed=2), fleet(3, seed=3), fleet(1, seed=4)])
    groups = np.repeat([7, 3, 9, -1], [5, 5, 3, 1])
    values[5, 600:] += 300
    values[10, 600:] += 300  # in a group of three
    values[13, 600:] += 300  # in no group
    odd = (scores(values, groups) > 1)[:, 100:]
    assert odd[5].all()
    assert np.delete(odd, 5, axis=0).mean() < 0.01


def test_missing_members_and_hostile_values_are_no_peers():
    values = fleet(8)
    values[0, 550:] = np.nan
    values[1, 550:] = np.inf
    values[2, 550:] = 1e300
    values[3:5, 600:] = np.nan
    result = scores(values)
    assert np.isnan(result[0, 50:]).all()
    assert np.isfinite(result[1:3]).all()
    assert (result[5:, 100:] == 0).all()  # three are left: too few


def test_equal_members_are_ordinary_until_one_is_not():
    values = np.full((5, 700), 7.0)
    values[1, 650] = 8.0
    odd = scores(values) > 1
    assert odd.sum() == 1
    assert odd[1, 150]


def test_a_member_is_not_judged_before_a_day_with_its_peers_is_known():
    values = fleet(n_steps=700)
    values[4, : N_HISTORY - 200] = np.nan  # 200 steps of 5 minutes are known
    values[3:5, 600:] += 400
    odd = scores(values) > 1
    assert odd[3, 100:].all()
    assert not odd[4].any()
    assert not scores(values[:, -701:], warm_up=N_HISTORY * 300 + 1).any()
    assert scores(values, warm_up=N_HISTORY * 300).any()


def test_direction_and_least_deviation_are_those_of_the_query():
    values = fleet()
    values[1, 600:] += 40
    values[2, 650:] -= 40
    above, below = (scores(values, direction=side) > 1 for side in ("above", "below"))
    assert above[1, 100:].all()
    assert not above[2, 150:].any()
    assert below[2, 150:].all()
    assert not below[1, 100:].any()
    assert not (scores(values, minimum_absolute=60) > 1).any()
    assert not (scores(values, minimum_relative=0.9) > 1).any()
    assert (scores(values, minimum_absolute=20)[1, 100:] > 1).all()


def test_the_band_is_where_a_member_usually_is_beside_its_peers():
    values = fleet()
    window = Window.of(values, step=300)
    peers = Peers().fit(window.until(N_HISTORY), np.zeros(6, dtype=int))
    judged = peers.judge(window.since(N_HISTORY))
    inside = (judged.band.lower <= window.values[:, N_HISTORY:]) & (window.values[:, N_HISTORY:] <= judged.band.upper)
    assert inside.mean() > 0.99
    assert (judged.scores[inside] <= 1).all()
    assert np.allclose(judged.band.expected - values[:, N_HISTORY:], 0, atol=6)


def test_a_long_history_is_drawn_from_without_a_rhythm():
    drawn = drawn_steps(20_160)
    assert (np.diff(drawn) > 0).all()
    assert np.unique(drawn % 60).size == 60
    assert drawn.tolist() == drawn_steps(20_160).tolist()


def test_members_by_the_hundred_are_learned_as_a_few_are(monkeypatch):
    values = fleet(150)
    values[7, 600:] += 1_000
    whole = scores(values)
    monkeypatch.setattr("detectors.peers._BLOCK_SAMPLES", 5_000)
    np.testing.assert_array_equal(scores(values), whole)
    assert (whole[7, 100:] > 1).all()


finite = st.sampled_from([0.0, 1.0, 2.0, 5.0, 9.0, np.nan])


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(float, st.tuples(st.integers(4, 9), st.just(12)), elements=finite))
def test_against_a_twin_of_one_step_and_member_at_a_time(values):
    window = Window.of(values, step=60)
    peers = Peers(fewest=2, warm_up=0).fit(window, np.zeros(len(values), dtype=int))
    result = peers.score(window)
    for step, column in enumerate(values.T):
        for member, value in enumerate(column):
            assert result[member, step] == pytest.approx(twin(peers, column, member, value), nan_ok=True)


def twin(peers, column, member, value):
    if np.isnan(value):
        return np.nan
    present = [number for number in range(len(column)) if not np.isnan(column[number])]
    if len(present) < 4 or np.isnan(peers.half_[member]):
        return 0.0
    own = float(abs(value - np.median(column[present]) - peers.middle_[member])) / float(peers.half_[member])
    others = [column[other] - peers.middle_[other] for other in present if other != member]
    distances = sorted(abs(other - (value - peers.middle_[member])) for other in others)
    alone = float(distances[max(1, int(0.4 * len(present) + 1e-9)) - 1]) / float(peers.shared_[member])
    return min(own, alone, 100.0)


@pytest.mark.parametrize(
    "arguments", [{"smallest_group": 2}, {"reach": 0}, {"neighbours": 1.0}, {"fewest": 1}, {"reach": float("inf")}]
)
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match=f"Peers.{next(iter(arguments))} must be"):
        Peers(**arguments)


def test_groups_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="groups must have shape"):
        Peers().fit(Window.of(np.zeros((2, 5)), step=60), np.zeros(3, dtype=int))
