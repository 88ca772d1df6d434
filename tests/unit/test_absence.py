"""Silence, stillness and dead exporters: told when unusual, and once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from detectors.absence import Absence, outages, vanished
from series import SeriesKey


def daily(days):
    """One sample a day, hourly steps."""
    row = np.full(days * 24, np.nan)
    row[3::24] = np.arange(days)
    return row


def test_a_sample_a_day_is_missed_after_a_day_and_a_half_not_after_an_hour():
    past = np.stack([daily(14), np.arange(14 * 24.0)])
    silent = np.full((2, 40), np.nan)
    scores = [Absence().missing(past, silent[:, :hours]) for hours in (2, 3, 15, 18, 40)]
    assert [(score > 1)[0] for score in scores] == [False, False, False, True, True]  # 20 hours after the last sample
    assert [(score > 1)[1] for score in scores] == [False, False, True, True, True]


def test_a_sample_ends_the_silence():
    past = np.arange(100.0)[None]
    recent = np.full((1, 50), np.nan)
    assert Absence().missing(past, recent)[0] > 1
    recent[0, -1] = 5.0
    assert Absence().missing(past, recent)[0] == 0


def test_an_outage_that_began_in_the_past_does_not_excuse_itself():
    past = np.arange(300.0)[None]
    past[0, 100:] = np.nan
    assert Absence().missing(past, np.full((1, 1), np.nan))[0] > 50


def test_a_stuck_value_is_told_where_values_usually_change():
    rng = np.random.default_rng(0)
    lively, lazy, counts = rng.normal(size=500), np.repeat(rng.normal(size=50), 10), rng.poisson(0.1, 500) * 1.0
    past = np.stack([lively, lazy, counts])
    recent = np.repeat(past[:, -1:], 20, axis=1)
    assert (Absence().still(past, recent) > 1).tolist() == [True, False, False]
    recent[:, -1] = np.nan
    assert not Absence().still(past, recent).any()


def test_a_stuck_value_is_found_through_gaps():
    past = np.random.default_rng(0).normal(size=(1, 300))
    past[0, ::3] = np.nan
    recent = np.full((1, 30), past[0, -1])
    recent[0, ::3] = np.nan
    assert Absence().still(past, recent)[0] > 1


def test_too_sparse_a_past_says_nothing():
    past = np.full((1, 500), np.nan)
    past[0, ::100] = 1.0
    assert Absence().missing(past, np.full((1, 500), np.nan))[0] == 0


floats = st.one_of(st.just(np.nan), st.sampled_from([0.0, 1.0, 1.0, 2.0]))


@settings(max_examples=100, deadline=None)
@given(arrays.arrays(float, st.tuples(st.integers(1, 4), st.integers(2, 40)), elements=floats), st.integers(1, 39))
def test_against_a_search_one_step_at_a_time(values, cut):
    cut = min(cut, values.shape[1] - 1)
    rule = Absence(fewest=2)
    past, recent = values[:, :cut], values[:, cut:]
    np.testing.assert_allclose(rule.missing(past, recent), [twin_missing(rule, row, cut) for row in values])
    np.testing.assert_allclose(rule.still(past, recent), [twin_still(rule, row, cut) for row in values])


def runs_of(flags):
    lengths, run = [], 0
    for flag in [*flags, False]:
        if flag:
            run += 1
        elif run:
            lengths.append(run)
            run = 0
    return lengths


def score(rule, flags, cut):
    ended = list(flags[:cut])
    while ended and ended[-1]:
        ended.pop()
    now = runs_of(flags)[-1] if flags[-1] else 0
    return now / (rule.margin * max(runs_of(ended), default=0) + rule.grace + 1)


def twin_missing(rule, row, cut):
    silent = [bool(np.isnan(value)) for value in row]
    return score(rule, silent, cut) if cut - sum(silent[:cut]) >= rule.fewest else 0.0


def twin_still(rule, row, cut):
    same, last, changes = [], None, 0
    for place, value in enumerate(row):
        changed = last is not None and not np.isnan(value) and value != last
        same.append(last is not None and not changed)
        changes += changed and place < cut
        last = last if np.isnan(value) else value
    known = int((~np.isnan(row[:cut])).sum())
    if known < rule.fewest or changes < rule.fewest or 2 * changes <= known or np.isnan(row[-1]):
        return 0.0
    return score(rule, same, cut)


def keys(*names, per=4):
    return [SeriesKey({"job": "node", "instance": name, "disk": f"{disk}"}) for name in names for disk in range(per)]


def test_a_dead_exporter_is_one_outage():
    silent = np.zeros(12, dtype=bool)
    silent[4:8] = True
    found = outages(keys("a", "b", "c"), silent, np.ones(12, dtype=bool))
    assert [(each.label, each.value, each.rows) for each in found] == [("instance", "b", (4, 5, 6, 7))]


def test_two_dead_exporters_and_a_lone_series():
    silent = np.array([1] * 4 + [0, 0, 1, 0] + [1] * 4, dtype=bool)
    found = outages(keys("a", "b", "c"), silent, np.ones(12, dtype=bool))
    assert [each.value for each in found] == ["a", "c"]
    assert not {6} & {row for each in found for row in each.rows}


def test_everything_gone_is_the_query():
    assert str(outages(keys("a", "b"), np.ones(8, dtype=bool), np.ones(8, dtype=bool))[0]) == (
        "all 8 series of the query stopped"
    )


def test_a_series_long_gone_is_no_witness():
    silent = np.array([1, 1, 1, 1, 0, 0, 0, 0], dtype=bool)
    there = np.ones(8, dtype=bool)
    there[3] = False
    found = outages(keys("a", "b"), silent, there)
    assert found[0].rows == (0, 1, 2)


def test_few_silent_series_are_told_of_one_by_one():
    silent = np.array([1, 1, 0, 0, 0, 0, 0, 0], dtype=bool)
    assert outages(keys("a", "b"), silent, np.ones(8, dtype=bool)) == []
    assert outages([], np.zeros(0, dtype=bool), np.zeros(0, dtype=bool)) == []


def test_vanished_series_were_there_just_before():
    past = np.array([[1.0, 2.0], [1.0, np.nan], [1.0, 2.0]])
    recent = np.array([[np.nan, np.nan], [np.nan, np.nan], [np.nan, 1.0]])
    assert vanished(past, recent).tolist() == [True, False, False]


@pytest.mark.parametrize("arguments", [{"margin": 0.5}, {"grace": -1}, {"fewest": 1}, {"margin": float("nan")}])
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match=f"Absence.{next(iter(arguments))} must be"):
        Absence(**arguments)
