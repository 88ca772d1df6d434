"""A level that changes among weeks is told apart from their rhythm, wherever it changes."""

import numpy as np
import pytest

from detectors.phase import Phase
from detectors.profile import cross_fit
from detectors.week_steps import without_steps
from series import Calendar

# What a daily shape leaves: quieter weekends, and hours of the week with a habit of their own.
RHYTHM = np.where(np.arange(168) // 24 >= 5, 12.0, 20.0) + np.random.default_rng(0).normal(size=168)


def weeks_of(n_weeks, *, noise=1.0, n_series=6, seed=1):
    return RHYTHM + noise * np.random.default_rng(seed).normal(size=(n_series, n_weeks, 168))


def changed(weeks, at, size, until=None):
    values = weeks.reshape(len(weeks), -1).copy()
    values[:, at:until] += size
    return values.reshape(weeks.shape)


@pytest.mark.parametrize("n_weeks", [2, 3, 5])
@pytest.mark.parametrize("size", [12.0, -15.0, 1e6])
@pytest.mark.parametrize("at", [2, 30, 100, 150, 166, 168, 170, 200, 270, 330])
def test_a_step_is_taken_out_wherever_it_is(n_weeks, size, at):
    weeks = weeks_of(n_weeks)
    found = without_steps(changed(weeks, at, size))
    # All at the last level: a few hours beside the step may stand on the wrong side of it.
    apart = np.abs(found - weeks - size).reshape(len(weeks), -1)
    assert np.median(apart) < 1
    assert (apart > 2).sum(axis=1).max() <= 2


def test_two_steps_are_taken_out():
    weeks = weeks_of(2)
    found = without_steps(changed(changed(weeks, 60, 20.0), 250, -35.0))
    assert (np.abs(found - (weeks - 15)) > 2).mean() < 0.02


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_weeks_without_a_step_are_left_alone(noise):
    weeks = weeks_of(2, noise=noise, n_series=500)
    untouched = (without_steps(weeks) == weeks).all(axis=(1, 2))
    assert untouched.mean() > 0.995


@pytest.mark.parametrize("at", [60, 150, 160, 165, 200, 260])
@pytest.mark.parametrize("hours", [3, 17, 30])
def test_an_incident_is_not_moved_into_the_other_week(at, hours):
    """Of two weeks the hours of an incident are odd in one; taken for a step they would be odd in both."""
    weeks = weeks_of(2)
    found = without_steps(changed(weeks, at, 30.0, at + hours))
    level = np.median(found - weeks, axis=(1, 2))[:, None, None]
    odd = (np.abs(found - weeks - level) > 10).sum(axis=(1, 2))
    assert odd.max() <= hours + 2


def test_of_a_slope_only_whole_weeks_are_moved():
    slope = weeks_of(2) + np.linspace(0, 6, 336).reshape(2, 168)
    found = without_steps(slope)
    np.testing.assert_allclose(found - np.median(found, axis=2)[..., None], slope - np.median(slope, axis=2)[..., None])


def test_rows_without_samples_and_hostile_values_pass():
    weeks = weeks_of(2, n_series=5)
    weeks[0], weeks[1], weeks[2] = np.nan, 0.0, 1e99
    weeks[3, 0] = np.nan  # no other week to compare with
    np.testing.assert_array_equal(without_steps(weeks)[:4], weeks[:4])
    assert without_steps(weeks[:0]).shape == (0, 2, 168)


@pytest.mark.parametrize("age", [0.3, 1, 4, 6.9, 7.1, 9, 13.5])
def test_the_weekly_shape_is_learned_whatever_the_age_of_a_new_level(age):
    step = 1_800.0
    times = 4 * 86_400 + np.arange(14 * 48) * step
    weekday = (times // 86_400 + 3) % 7
    values = 100 - 8.0 * (weekday >= 5) + np.random.default_rng(3).normal(size=(4, len(times)))
    values[:, len(times) - round(age * 48) :] += 40
    phase = Phase.of(times, Calendar())
    profile = cross_fit(values, phase, step)[0].at(phase)
    weekend, week = (np.median(profile[:, np.isin(weekday, days)], axis=1) for days in ([5, 6], [1, 2, 3]))
    np.testing.assert_allclose(week - weekend, 8.0, atol=1.5)
