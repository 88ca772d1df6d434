"""Which histories, and which parts of them, are fit to learn from."""

import numpy as np
import pytest

from detectors.fitness import TrainingData, Unfit
from series import Window

STEP, DAYS = 900.0, 14
PER_DAY = round(86_400 / STEP)


def days(n_series=20, count=DAYS, seed=0):
    rng = np.random.default_rng(seed)
    times = STEP * np.arange(count * PER_DAY)
    rhythm = 100 + 30 * np.sin(2 * np.pi * times / 86_400) - 25 * (((times // 86_400) + 3) % 7 >= 5)
    return rhythm + 3 * rng.normal(size=(n_series, len(times)))


def examine(values, alarms=None, **arguments):
    return TrainingData(**arguments).examine(Window.of(values, step=STEP), alarms)


def test_ordinary_weeks_are_learned_from_whole():
    for count in (6, 8, 14, 28):
        fitness = examine(days(count=count))
        assert fitness.fit.all()
        assert fitness.learn.mean() > 0.99


@pytest.mark.parametrize("day", [0, 3, 13])
def test_an_atypical_day_is_left_out_alone(day):
    values = days()
    values[:, day * PER_DAY : (day + 1) * PER_DAY] = 20.0
    fitness = examine(values)
    assert (fitness.atypical_days == 1).all()
    assert fitness.fit.all()
    left_out = ~fitness.learn
    assert left_out[:, day * PER_DAY : (day + 1) * PER_DAY].all()
    assert left_out.sum() == 20 * PER_DAY


def test_a_fortnight_of_which_half_is_atypical_is_unfit_and_left_whole():
    values = days()
    values[:, 8 * PER_DAY : 12 * PER_DAY] = 20.0
    fitness = examine(values)
    assert fitness.reasons[Unfit.ATYPICAL].all()
    assert not fitness.fit.any()
    assert fitness.learn.all()


def test_gaps_count_from_the_first_sample():
    values = days(3)
    values[0, : 10 * PER_DAY] = np.nan  # young
    values[1, 5 * PER_DAY :: 2] = np.nan
    values[1, 7 * PER_DAY : 13 * PER_DAY] = np.nan
    fitness = examine(values)
    assert fitness.reasons[Unfit.GAPS].tolist() == [False, True, False]
    assert not examine(np.full((1, 100), np.nan)).fit[0]


def test_a_constant_is_told_and_is_fit():
    fitness = examine(np.array([[5.0] * (10 * PER_DAY), [5.0] * (10 * PER_DAY - 1) + [6.0]]))
    assert fitness.reasons[Unfit.CONSTANT].tolist() == [True, False]
    assert fitness.fit.all()


def test_past_alarms_are_left_out_the_newest_first_up_to_the_share():
    values = days(2)
    alarms = np.zeros(values.shape, dtype=bool)
    alarms[0, 100:150] = True
    alarms[1] = True
    fitness = examine(values, alarms)
    assert np.array_equal(~fitness.learn[0], alarms[0])
    assert (~fitness.learn[1]).mean() == pytest.approx(0.2, abs=0.01)
    assert not fitness.learn[1, -10:].any()
    assert np.isnan(fitness.kept(values)).sum() == (~fitness.learn).sum()


def test_atypical_days_and_alarms_share_one_bound():
    values = days(5)
    values[:, : 2 * PER_DAY] = 20.0
    fitness = examine(values, np.ones(values.shape, dtype=bool))
    assert ((~fitness.learn).mean(axis=1) <= 0.2).all()
    assert not fitness.learn[:, : 2 * PER_DAY].any()


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200, 0.0])
def test_hostile_values_are_no_days(value):
    values = days(2)
    values[0] = value
    fitness = examine(values)
    assert fitness.learn[0].any() == (value == 0.0)
    assert fitness.learn[1].all()


def test_short_and_empty_histories():
    for count in (0, 1, 2, 50):
        fitness = examine(np.ones((2, count)))
        assert fitness.learn.all()
        assert fitness.fit.tolist() == [count > 0] * 2


def test_clocks_that_change_are_followed():
    start = 1_774_000_000.0 // 3_600 * 3_600  # ten days before summer time begins
    values = days(3, count=20)
    history = Window.of(values, step=STEP, start=start)
    assert TrainingData(timezone="Europe/Berlin").examine(history).fit.all()


@pytest.mark.parametrize("arguments", [{"most_missing": 1.0}, {"most_left_out": -0.1}, {"far": 0.0}])
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match=f"TrainingData.{next(iter(arguments))} must be"):
        TrainingData(**arguments)
