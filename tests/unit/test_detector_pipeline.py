"""The seasonal baseline as it is used, walking forward, alarms and groups."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.group import contributions, group_score
from detectors.seasonal import SeasonalBaseline
from detectors.suppress import Suppression
from detectors.walk import walk_forward
from series import FloatArray, Window

DAY = 86_400


def daily(days: float = 10, step: int = 600, *, seed: int = 0, start: float = 0.0) -> Window:
    rng = np.random.default_rng(seed)
    times = np.arange(int(days * DAY / step)) * step
    return Window.of(
        [100 + 30 * np.sin(2 * np.pi * times / DAY) + rng.normal(0, 2, len(times))], step=step, start=start
    )


def test_direction_silences_the_other_side_and_keeps_the_band() -> None:
    window = daily()
    window.values[0, -1] = 0.0
    history, now = window.until(window.n_steps - 6), window.since(window.n_steps - 6)
    both, above, below = (SeasonalBaseline(direction=side).fit(history) for side in ("both", "above", "below"))  # type: ignore[arg-type]
    assert both.score(now)[0, -1] == below.score(now)[0, -1] > 1
    assert above.score(now)[0, -1] == 0
    np.testing.assert_array_equal(above.expect(now).lower, both.expect(now).lower)


@pytest.mark.parametrize("options", [{"minimum_absolute": 60.0}, {"minimum_relative": 0.9}])
def test_a_minimum_deviation_keeps_small_ones_quiet(options: dict[str, float]) -> None:
    window = daily()
    window.values[0, -1] += 40
    history, now = window.until(window.n_steps - 6), window.since(window.n_steps - 6)
    assert SeasonalBaseline().fit(history).score(now)[0, -1] > 1
    assert SeasonalBaseline(**options).fit(history).score(now)[0, -1] < 1  # type: ignore[arg-type]


def test_a_constant_series_ignores_rounding_and_sees_a_change() -> None:
    rng = np.random.default_rng(1)
    values = np.full(3000, 5.0) * (1 + rng.uniform(-1e-7, 1e-7, 3000))
    values[-1] = 6.0
    scores = (
        SeasonalBaseline()
        .fit(Window.of([values[:-50]], step=300))
        .score(Window.of([values[-50:]], step=300, start=2950 * 300))
    )
    assert scores[0, :-1].max() < 1
    assert 1 < scores[0, -1] <= 100


def test_events_that_come_on_most_days_are_ordinary() -> None:
    rng = np.random.default_rng(2)
    values = np.zeros(15 * 288)
    values[rng.choice(len(values), 60, replace=False)] = rng.uniform(5, 10, 60)
    values[-2:] = [8.0, 80.0]
    window = Window.of([values], step=300)
    scores = SeasonalBaseline().fit(window.until(14 * 288)).score(window.since(14 * 288))
    assert scores[0, -2] < 1.5 < 4 < scores[0, -1]


def test_a_lasting_change_is_accepted_within_a_day() -> None:
    window = daily(12)
    window.values[:, 8 * 144 :] += 60
    walk = walk_forward(SeasonalBaseline(), window, history=7 * 144, refit=36, first=5 * 144)
    assert (walk.scores[0, 8 * 144 : 8 * 144 + 18] > 1).all()
    assert np.mean(walk.scores[0, 9 * 144 :] > 1) < 0.02


def test_the_night_job_follows_the_clock_of_its_people() -> None:
    """01:00 in Berlin is 00:00 UTC in winter and 23:00 in summer: the clocks change on 2026-03-29."""
    step, start = 900, 1_773_532_800.0  # 2026-03-15 00:00 UTC
    times = start + step * np.arange(18 * 96)
    summer = times >= 1_774_746_000
    local_hour = (times + 3600 + 3600 * summer) % DAY / 3600
    busy = 10 + 100 * ((local_hour >= 1) & (local_hour < 4)) + np.random.default_rng(3).normal(0, 1, len(times))
    window = Window.of([busy], step=step, start=start)
    # The last third of the history is in winter still; what is judged lies in summer.
    place = int(np.flatnonzero(summer)[0]) + 48
    late = {
        zone: SeasonalBaseline(timezone=zone).fit(window.until(place)).score(window.since(place))
        for zone in ("Europe/Berlin", "UTC")
    }
    assert np.mean(late["UTC"] > 1) > 3 * np.mean(late["Europe/Berlin"] > 1)


@pytest.mark.parametrize("step", [5, 60, 1800, 3600])
def test_any_step_will_do(step: int) -> None:
    window = daily(5 if step > 60 else 2.5, step)
    place = window.n_steps - 20
    scores = SeasonalBaseline().fit(window.until(place)).score(window.since(place))
    assert scores.max() < 1
    assert (
        np.median(
            SeasonalBaseline()
            .fit(window.until(place))
            .score(Window(window.keys, window.times[place:], window.values[:, place:] * 4))
        )
        > 1
    )


def test_walk_never_looks_ahead() -> None:
    window = daily(6)
    whole = walk_forward(SeasonalBaseline(), window, history=4 * 144, refit=72, first=2 * 144)
    part = walk_forward(SeasonalBaseline(), window.until(700), history=4 * 144, refit=72, first=2 * 144)
    np.testing.assert_array_equal(part.scores, whole.scores[:, :700])
    np.testing.assert_array_equal(part.band.upper, whole.band.upper[:, :700])


def test_walk_refits_as_a_loop_by_hand_would() -> None:
    window = daily(4)
    walk = walk_forward(SeasonalBaseline(), window, history=300, refit=50, first=400)
    for start in range(400, window.n_steps, 50):
        now = window.until(start + 50).since(start)
        scores = SeasonalBaseline().fit(window.until(start).since(start - 300)).score(now)
        np.testing.assert_array_equal(walk.scores[:, start : start + 50], scores)
    assert not walk.scores[:, :400].any()
    assert walk.warming_up[:, :400].all()


@pytest.mark.parametrize("name", ["history", "refit", "first"])
def test_walk_refuses_what_is_no_number_of_steps(name: str) -> None:
    with pytest.raises(ValueError, match=f"walk_forward's {name} must be 1 step or more. Got 0."):
        walk_forward(SeasonalBaseline(), daily(1), **{"history": 10, "refit": 10, "first": 10, name: 0})


def alarms_by_hand(scores: FloatArray, rule: Suppression, patience: int) -> list[bool]:
    firing, recent, calm, answer = False, [], 0, []
    for score in scores:
        if not np.isnan(score):
            recent = [*recent, score > 1][-rule.within :]
            calm = calm + 1 if score < rule.release else 0
            if score > rule.at_once or (score > 1 and sum(recent) >= rule.hold):
                firing = True
            elif calm >= patience:
                firing = False
        answer.append(firing)
    return answer


def test_alarms_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(4)
    scores = rng.gamma(1.2, 0.5, (20, 300))
    scores[rng.random(scores.shape) < 0.1] = np.nan
    rule = Suppression(quiet=300.0)
    alarms = rule.alarms(scores, step=60.0)
    np.testing.assert_array_equal(alarms, [alarms_by_hand(row, rule, 5) for row in scores])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hold": 4}, "Suppression.hold must be from 1 to within"),
        ({"at_once": 0.5}, "Suppression.at_once must be 1 or more"),
        ({"release": 1.5}, "Suppression.release must be above 0 and at most 1"),
        ({"quiet": -1.0}, "Suppression.quiet must be 0 seconds or more"),
    ],
)
def test_suppression_refuses_bad_arguments(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Suppression(**options)  # type: ignore[arg-type]


def test_a_group_of_one_scores_as_its_metric() -> None:
    scores = np.array([[0.1, 25.0, np.nan]])
    np.testing.assert_array_equal(group_score(scores), scores[0])


def test_one_dead_metric_of_many_is_not_an_outage_but_a_third_of_them_is() -> None:
    scores = np.full((18, 2), 0.15)
    scores[0, 0] = 100.0
    scores[:6, 1] = 2.5
    assert group_score(scores)[0] < 0.7
    assert group_score(scores)[1] > 1.2


def test_contributions_add_up_to_one() -> None:
    shares = contributions(np.array([[3.0, 0.0, np.nan], [1.0, 0.0, 2.0]]))
    np.testing.assert_allclose(shares.sum(axis=0), [1, 0, 1])
    assert shares[0, 0] == 0.75
