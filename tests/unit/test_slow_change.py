"""Drift, change points and level shifts: found where they are, silent where they are not."""

import numpy as np
import pytest

from detectors.changepoint import ChangePoints, Changes, learn_from
from detectors.drift import Drift
from detectors.seasonal import SeasonalBaseline
from detectors.shift import ShiftRule
from detectors.suppress import Suppression
from detectors.unseasoned import unseasoned
from detectors.walk import walk_forward
from series import Calendar, Window

STEP, DAYS = 1_800.0, 14
N_STEPS = round(DAYS * 86_400 / STEP)


def noise(n_series=200, *, persistence=0.8, seed=3, n_steps=N_STEPS):
    shocks = np.random.default_rng(seed).normal(size=(n_series, n_steps))
    values = np.empty_like(shocks)
    values[:, 0] = shocks[:, 0]
    for step in range(1, n_steps):
        values[:, step] = persistence * values[:, step - 1] + np.sqrt(1 - persistence**2) * shocks[:, step]
    return values


def stepped(values, at, size):
    values[:, at:] += size
    return values


@pytest.mark.parametrize("persistence", [0.0, 0.8, 0.95])
def test_ordinary_noise_neither_drifts_nor_changes(persistence):
    values = noise(persistence=persistence)
    assert (Drift().judge(values, STEP).score > 1).mean() <= 0.02
    assert len(ChangePoints().find(values, STEP).row) <= 4


def test_a_slope_drifts_and_its_size_is_told():
    drifts = Drift().judge(noise() + np.linspace(0, 6, N_STEPS), STEP)
    assert (drifts.score > 1).mean() > 0.95
    assert np.median(drifts.shift) == pytest.approx(3, abs=0.7)  # the last three days against the eleven before


def test_a_spread_that_grows_is_a_drift_without_a_shift():
    values = noise(persistence=0.2)
    values[:, -4 * 48 :] *= 4
    drifts = Drift().judge(values, STEP)
    assert (drifts.score > 1).mean() > 0.9
    assert np.median(drifts.widening) == pytest.approx(4, rel=0.2)
    assert np.median(np.abs(drifts.shift)) < 0.5


def test_one_bad_day_is_no_drift():
    values = noise()
    values[:, -48:] += 50
    assert (Drift().judge(values, STEP).score > 1).mean() < 0.02


def test_too_short_a_past_is_not_judged():
    drifts = Drift().judge(noise(5, n_steps=48 * 6) + np.linspace(0, 60, 48 * 6), STEP)
    assert not drifts.judged.any()
    assert not drifts.score.any()


@pytest.mark.parametrize("size", [-8.0, 8.0])
def test_a_change_of_level_is_dated_to_the_step(size):
    at = 400
    changes = ChangePoints().find(stepped(noise(50, persistence=0.3), at, size), STEP)
    assert sorted(set(changes.row)) == list(range(50))
    assert (np.abs(changes.step - at) <= 1).mean() > 0.9
    assert np.median(changes.after - changes.before) == pytest.approx(size, abs=0.5)


def test_several_changes_of_one_series():
    values = stepped(stepped(noise(20, persistence=0.2), 200, 10.0), 450, -25.0)
    changes = ChangePoints().find(values, STEP)
    assert len(changes.row) == 40
    assert (np.abs(changes.step.reshape(20, 2) - [200, 450]) <= 2).all()
    np.testing.assert_allclose(np.median(changes.after.reshape(20, 2), axis=0), [10, -15], atol=0.5)


def test_an_incident_that_is_over_is_no_change():
    values = noise(50)
    values[:, 300:310] += 30
    assert len(ChangePoints().find(values, STEP).row) == 0


@pytest.mark.parametrize("hours", [36, 48, 60, 72])
def test_a_weekend_is_no_change_while_one_week_is_known(hours):
    values = noise(50, n_steps=7 * 48 + 48)
    values[:, -2 * hours : len(values[0]) - 2 * (hours - 48) if hours > 48 else None] -= 12
    assert len(ChangePoints().find(values, STEP).row) == 0


def test_only_a_settled_level_is_learned_from_alone():
    times = 3_600.0 * np.arange(200)
    changes = Changes(np.array([0, 0, 1]), np.array([50, 120, 190]), np.array([1.0, 2, 5]), np.array([2.0, 4, 9]))
    np.testing.assert_array_equal(learn_from(changes, times, 3, settled=86_400), [120 * 3_600.0, 0, 0])
    assert learn_from(ChangePoints().find(np.full((2, 200), 5.0), 3_600), times, 2).tolist() == [0, 0]


@pytest.mark.parametrize("value", [np.nan, 0.0, 5.0, 1e-300, 1e99])
def test_what_never_changes_gives_nothing(value):
    values = np.full((3, N_STEPS), value)
    assert len(ChangePoints().find(values, STEP).row) == 0
    assert not Drift().judge(values, STEP).score.any()


def test_rows_do_not_see_each_other():
    values = stepped(noise(10), 400, 9.0)
    values[::2, 400:] -= 9.0
    alone = [ChangePoints().find(row[None], STEP).step.tolist() for row in values]
    together = ChangePoints().find(values, STEP)
    assert [together.step[together.row == row].tolist() for row in range(10)] == alone
    np.testing.assert_allclose(
        Drift().judge(values, STEP).score, [Drift().judge(row[None], STEP).score[0] for row in values]
    )


def test_a_daily_and_weekly_rhythm_is_neither():
    times = STEP * np.arange(2 * N_STEPS)
    weekday = (times // 86_400) % 7
    rhythm = 20 * np.sin(2 * np.pi * times / 86_400) - 15 * (weekday >= 5)
    history = Window.of(rhythm + noise(30, n_steps=2 * N_STEPS), step=STEP)
    residual = unseasoned(history, Calendar())
    assert len(ChangePoints().find(residual, STEP).row) == 0
    assert (Drift().judge(residual, STEP).score < 1).all()
    history.values[:, 900:] += 12
    changes = ChangePoints().find(unseasoned(history, Calendar()), STEP)
    assert (np.abs(changes.step - 900) <= 2).mean() > 0.9
    assert len(set(changes.row)) > 25


def test_a_lasting_shift_is_confirmed_once_and_dated():
    watch = ShiftRule(after=3_600).start(3, step=60)
    deviation = np.zeros((3, 300))
    deviation[0, 100:] = 5.0
    deviation[1, 100:] = -1.0
    deviation[2, 100:150] = 80.0  # an incident, however large, is over before an hour
    shifts = [watch.update(deviation[:, step], 60.0 * step) for step in range(160)]
    sides = np.array([shift.side for shift in shifts])
    assert [np.flatnonzero(sides[:, row]).tolist() for row in range(3)] == [[159], [159], []]
    assert sides[159].tolist() == [1, -1, 0]
    assert shifts[159].since[:2].tolist() == [6_000, 6_000]


def test_ordinary_scores_and_missing_samples_confirm_nothing():
    watch = ShiftRule(after=3_600).start(500, step=300)
    deviation = np.random.default_rng(1).normal(scale=0.35, size=(2_000, 500))  # a band of almost 3 sigma
    deviation[np.random.default_rng(2).random(deviation.shape) < 0.2] = np.nan
    assert not any(watch.update(row, 300.0 * step).side.any() for step, row in enumerate(deviation))


@pytest.mark.parametrize("size", [60.0, 15.0, -50.0])
def test_a_new_level_is_one_alert_and_not_one_with_each_refit(size):
    """Weekly rhythm, a lasting step in the third week, a refit every day until the old level has left the history."""
    day, step, n_days = 144, 600.0, 33
    times = step * np.arange(n_days * day)
    rhythm = 30 * np.sin(2 * np.pi * times / 86_400) - 15 * (((times // 86_400) + 3) % 7 >= 5)
    values = stepped(100 + rhythm + 2 * noise(8, n_steps=n_days * day), 17 * day + 50, size)
    walk = walk_forward(SeasonalBaseline(), Window.of(values, step=step), history=14 * day, refit=day, first=14 * day)
    alarms = Suppression().alarms(walk.scores, step)
    starts = alarms[:, 1:] & ~alarms[:, :-1]
    assert (starts[:, 17 * day :].sum(axis=1) >= 1).all()
    assert starts[:, 17 * day :].sum() / 8 <= 1.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Drift(block=0), "Drift.block"),
        (lambda: Drift(threshold=float("nan")), "Drift.threshold"),
        (lambda: Drift(fewest=1), "Drift.fewest"),
        (lambda: ChangePoints(smallest=0), "ChangePoints.smallest"),
        (lambda: ChangePoints(most=0), "ChangePoints.most"),
        (lambda: ShiftRule(after=0), "ShiftRule.after"),
        (lambda: ShiftRule(slack=1), "ShiftRule.slack"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
