"""What members of an ensemble called alone, counted day by day: each step once, and nothing that others saw too."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest

from detectors import FITTED
from detectors.base import Band
from detectors.ensemble import MEMBERS, Consensus
from detectors.live_error import HALF_LIFE, PRIOR, LiveError
from detectors.suppress import Suppression
from exporter.duration import Duration
from exporter.held_back import HeldBack, Said
from exporter.models.judging import DetectorSlot
from exporter.models.live_error import LiveErrorSlot
from exporter.models.plan import ModelPlan
from exporter.models.stored import Packer
from forecasting import FORECASTERS
from series import SeriesKey, Window
from series.calendar import DAY

HOUR = 3600.0
SEASONAL, EXTREMES, SHAPE = 0, 1, 2


def times_of(day: float, n_steps: int = 24) -> np.ndarray:
    return day * DAY + HOUR * np.arange(n_steps)


def votes_of(*above: tuple[int, int, int], n_series: int = 1, n_steps: int = 24) -> np.ndarray:
    """(5, n_series, n_steps): 0.2 but 3 at each (member, series, step) of `above`."""
    votes = np.full((len(MEMBERS), n_series, n_steps), 0.2)
    for place in above:
        votes[place] = 3.0
    return votes


def counted(*days: np.ndarray) -> LiveError:
    error = LiveError(step=HOUR)
    for day, votes in enumerate(days):
        assert error.note(times_of(day), votes)
    return error


FADED = 0.5 ** (1 / HALF_LIFE)


def test_what_a_member_calls_alone_counts_once_a_day_and_fades():
    once, often = votes_of((SEASONAL, 0, 3)), votes_of(*((SEASONAL, 0, step) for step in range(0, 24, 2)))
    for votes in (once, often):
        error = counted(votes, votes_of())
        np.testing.assert_allclose(error.days, np.full((5, 1), 1 + FADED))
        np.testing.assert_allclose(error.alone[:, 0], [FADED, 0, 0, 0, 0])
    error.note(times_of(2 + HALF_LIFE, 12), votes_of(n_steps=12))
    np.testing.assert_allclose(error.alone[SEASONAL], FADED / 2)


@pytest.mark.parametrize(
    ("above", "alone"),
    [
        ([(SEASONAL, 0, 3), (SHAPE, 0, 9)], []),
        ([(SEASONAL, 0, 3), (EXTREMES, 0, 3)], [SEASONAL, EXTREMES]),
        ([(SHAPE, 0, 3), (SHAPE + 2, 0, 3)], [SHAPE, SHAPE + 2]),
        ([(SEASONAL, 0, 3), (SHAPE, 1, 3)], [SEASONAL, SHAPE]),
        ([], []),
    ],
    ids=["both families", "level", "shapes", "of another series", "nobody"],
)
def test_what_both_families_saw_on_a_day_counts_against_nobody(above, alone):
    error = counted(votes_of(*above, n_series=2))
    assert np.flatnonzero(error.alone.any(axis=1)).tolist() == alone
    np.testing.assert_array_equal(error.days, np.ones((5, 2)))


def test_a_threshold_that_is_reached_is_not_exceeded():
    votes = votes_of()
    votes[SEASONAL, 0, 3] = 1.0
    assert not counted(votes).alone.any()


def test_each_step_counts_once_by_the_votes_cast_when_it_was_new():
    error = LiveError(step=HOUR)
    assert not error.note(times_of(0, 12), votes_of(n_steps=12))
    for _ in range(3):
        assert not error.note(times_of(0, 12), votes_of((SEASONAL, 0, 11), n_steps=12))
    assert error.steps == 12
    assert error.note(times_of(0, 25), votes_of((SHAPE, 0, 5), (EXTREMES, 0, 20), n_steps=25))
    assert np.flatnonzero(error.alone).tolist() == [EXTREMES]
    assert (error.steps, error.until, error.day) == (1, DAY, 1)


def test_a_day_counts_from_its_last_step_on():
    error = LiveError(step=HOUR)
    assert not error.note(times_of(0, 23), votes_of(n_steps=23))
    assert error.note(times_of(0), votes_of((SEASONAL, 0, 3), (SHAPE, 0, 23)))
    assert np.flatnonzero(error.alone).tolist() == [SHAPE]
    assert (error.day, error.steps) == (1, 0)


def test_steps_longer_than_a_day_are_days_of_their_own():
    error = LiveError(step=2 * DAY)
    for day in (0.0, 2.0):
        assert error.note(np.array([day * DAY]), votes_of((SEASONAL, 0, 0), n_steps=1))
    np.testing.assert_allclose(error.days, np.full((5, 1), (1 + FADED**2) * FADED))


def test_days_of_which_little_was_judged_are_left_out():
    error = LiveError(step=HOUR)
    error.note(times_of(0, 11), votes_of((SEASONAL, 0, 3), n_steps=11))
    assert error.note(times_of(1, 12), votes_of(n_steps=12))
    assert not error.days.any()
    assert error.note(times_of(2, 1), votes_of(n_steps=1))
    assert error.days.all()
    np.testing.assert_array_equal(error.excess(), np.ones(5))


def test_who_took_no_part_and_where_one_family_judged_alone_is_left_out():
    absent, only_level = votes_of((SEASONAL, 0, 3)), votes_of((SEASONAL, 0, 3))
    absent[EXTREMES], only_level[SHAPE:] = np.nan, np.nan
    error = counted(absent)
    assert error.days[:, 0].tolist() == [1, 0, 1, 1, 1]
    assert not counted(only_level).days.any()
    missing = votes_of()
    missing[:, :, 5:] = np.nan
    np.testing.assert_array_equal(counted(missing).days, np.ones((5, 1)))


@pytest.mark.parametrize(("n_series", "days"), [(20, 3), (50, 1), (30, 10)])
def test_the_excess_is_that_of_the_promise_and_of_all_series_but_a_tenth(n_series, days):
    votes = votes_of(*((SEASONAL, row, 3) for row in range(n_series)), n_series=n_series)
    error = counted(*[votes] * days)
    known = 0.9 * n_series * (1 - FADED**days) / (1 - FADED)
    expected = [(calls + 0.1 * PRIOR) / ((known + PRIOR) * 0.1) for calls in (known, 0, 0, 0, 0)]
    np.testing.assert_allclose(error.excess(), expected)


@pytest.mark.parametrize(("n_series", "days"), [(1, 400), (22, 1), (3, 7)])
def test_until_enough_days_of_series_are_known_all_keep_their_promise(n_series, days):
    votes = votes_of(*((SEASONAL, row, 3) for row in range(n_series)), n_series=n_series)
    np.testing.assert_array_equal(counted(*[votes] * days).excess(), np.ones(5))


def test_a_broken_series_says_little_of_a_member_and_many_say_more():
    def excess(broken):
        return counted(*[votes_of(*((SEASONAL, row, 3) for row in range(broken)), n_series=10)] * 14).excess()

    np.testing.assert_array_equal(excess(1) < 1, True)
    assert 1 < excess(2)[SEASONAL] < excess(5)[SEASONAL] < 1 / 0.1
    assert (excess(5)[1:] < 1).all()


def test_series_that_come_and_go_keep_what_is_known_of_them():
    error = counted(votes_of((SEASONAL, 0, 3), (SHAPE, 1, 3), n_series=2))
    error.take(np.array([1, -1]))
    assert error.alone[SEASONAL].tolist() == [0, 0]
    assert error.alone[SHAPE].tolist() == [1, 0]
    assert error.days[0].tolist() == [1, 0]


def test_a_clock_set_back_begins_the_day_anew():
    error = counted(votes_of((SEASONAL, 0, 3)))
    error.note(times_of(5), votes_of())
    assert not error.note(times_of(3, 6), votes_of(n_steps=6))
    assert (error.day, error.steps, error.until) == (3, 6, 3 * DAY + 5 * HOUR)
    assert error.alone[SEASONAL, 0] > 0


def test_nothing_known_means_that_promises_are_kept():
    assert LiveError().excess().tolist() == []
    error = LiveError(step=HOUR)
    error.note(times_of(0), votes_of(n_series=0))
    error.take(np.array([-1]))
    error.note(times_of(1), votes_of())
    assert error.excess().tolist() == [1.0] * 5


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"needs votes of \(5, 1, 12\)"):
        LiveError().note(times_of(0, 12), votes_of())
    with pytest.raises(ValueError, match=r"needs votes of \(5, 1, 24\). Got \(5, 2, 24\)"):
        counted(votes_of()).note(times_of(9), votes_of(n_series=2))
    with pytest.raises(ValueError, match="for each member and series"):
        LiveError(days=np.zeros((5, 1)))
    for bad in ({"rate": 0.0}, {"rate": math.nan}, {"step": 0.0}):
        with pytest.raises(ValueError, match="LiveError"):
            LiveError(**bad)


@dataclass(eq=False)
class Voters:
    """Members of which the seasonal one takes each sample for its score."""

    weights: dict[str, float] = field(default_factory=dict)

    members_ = MEMBERS

    def fit(self, history, groups=None):
        self.warming_up_ = np.array([key.name == "young" for key in history.keys])
        return self

    def advance(self, window):
        pass

    def judge(self, window):
        scores = np.array(window.values)
        votes = np.stack([scores, *[np.minimum(scores, 0.2)] * 4])
        return Consensus(Band(scores, scores, scores), scores, votes, scores, scores)


def slot_of() -> DetectorSlot:
    plan = ModelPlan(
        detector=Voters,
        forecaster=FORECASTERS["seasonal_naive"],
        suppression=Suppression(),
        step=HOUR,
        horizons=(),
        coverage=0.9,
        refit=Duration(21_600),
        weighted=Voters,
    )
    held_back = HeldBack("q", Said(), lambda time: slot.live_error.excess(time))
    slot = DetectorSlot(plan, weights=held_back.weights)
    return slot


KEYS = tuple(SeriesKey.named(name) for name in "abcd")


def cycles(slot: DetectorSlot, first: int, last: int, *, every: int = 1, keys=KEYS) -> None:
    """A spike a day in three of the series, which only the first detector minds; a fit each 6 hours."""
    for hour in range(first, last, every):
        times = HOUR * np.arange(hour - 47, hour + 1)
        spike = np.where(times % DAY == 12 * HOUR, 3.0, 0.1)
        rows = [np.full(len(times), 0.1) if key.name == "d" else spike for key in keys]
        now = Window(keys, times, np.stack(rows))
        slot.fit_if_due(now, epoch=0)
        slot.judge(now)


def restarted(slot: DetectorSlot) -> DetectorSlot:
    numbers = {key: number for number, key in enumerate(KEYS)}
    packer = Packer((*FITTED, Voters))
    packed, arrays = packer.pack(slot.dump(numbers.__getitem__, 0))
    payload = b"".join(array.tobytes() + bytes(-array.nbytes % 8) for array in arrays)
    fresh = slot_of()
    fresh.load(packer.unpack(packed, np.frombuffer(payload, dtype=np.uint8)), list(KEYS), 0)
    return fresh


def test_a_fit_weighs_members_by_what_they_called_alone_before_it():
    slot = slot_of()
    cycles(slot, 48, 71)
    assert slot.weights == dict.fromkeys(MEMBERS, 1.0)
    cycles(slot, 71, 16 * 24 - 5)
    weights = slot.weights
    assert 0.5 < weights["seasonal"] < 1 < weights["extremes"]
    assert np.mean(list(weights.values())) == pytest.approx(1)
    excess = slot.live_error.excess(math.inf)
    assert weights["seasonal"] == pytest.approx(weights["extremes"] / math.sqrt(excess["seasonal"]))


@pytest.mark.parametrize("every", [1, 5, 24])
def test_steps_count_once_however_many_a_cycle_judges(every):
    slot, hourly = slot_of(), slot_of()
    cycles(slot, 48, 48 + 240 // every * every - every + 1, every=every)
    cycles(hourly, 48, 48 + 240 // every * every - every + 1)
    one, other = slot.live_error, hourly.live_error
    np.testing.assert_allclose(one._error.days, other._error.days)
    np.testing.assert_allclose(one._error.alone, other._error.alone)
    assert one.excess(math.inf) == pytest.approx(other.excess(math.inf))


def test_what_is_known_at_a_time_stays_known():
    slot = slot_of()
    cycles(slot, 48, 300)
    then = slot.live_error.excess(299 * HOUR)
    assert then["seasonal"] > 1
    assert slot.live_error.excess(0.0) == {}
    cycles(slot, 300, 400)
    assert slot.live_error.excess(299 * HOUR) == then
    assert slot.live_error.excess(400 * HOUR)["seasonal"] > then["seasonal"]


def test_a_restart_changes_nothing():
    stopped, running = slot_of(), slot_of()
    for first in range(48, 400, 37):
        cycles(stopped, first, first + 37)
        cycles(running, first, first + 37)
        stopped = restarted(stopped)
    assert stopped.live_error.excess(math.inf) == running.live_error.excess(math.inf)
    assert stopped.weights == running.weights


def test_a_state_of_before_is_read_and_counts_from_now_on():
    slot = slot_of()
    cycles(slot, 48, 240)
    kept = slot.dump({key: number for number, key in enumerate(KEYS)}.__getitem__, 0)
    del kept["live_error"]
    fresh = slot_of()
    fresh.load(kept, list(KEYS), 0)
    assert fresh.live_error.excess(math.inf) == {}
    assert fresh.weights == slot.weights


def test_what_is_no_live_error_is_refused():
    slot = LiveErrorSlot(HOUR)
    slot.note(KEYS, times_of(0), votes_of(n_series=2))
    kept = slot.dump({key: number for number, key in enumerate(KEYS)}.__getitem__)
    for wrong in ({"error": "none"}, {"keys": kept["keys"][:1]}, {"known": (np.zeros(3), np.zeros((2, 5)))}):
        with pytest.raises((TypeError, ValueError), match="must be of"):
            LiveErrorSlot(HOUR).load(kept | wrong, list(KEYS))


def test_series_that_warm_up_do_not_count():
    slot = slot_of()
    cycles(slot, 48, 120, keys=(*KEYS, SeriesKey.named("young")))
    assert slot.live_error._error.days.any(axis=0).tolist() == [True] * 4 + [False]


def test_no_more_than_400_days_are_remembered():
    slot = LiveErrorSlot(DAY)
    for day in range(405):
        slot.note(KEYS, np.array([day * DAY]), votes_of(n_series=4, n_steps=1))
    assert slot.excess(4.5 * DAY) == {}
    assert set(slot.excess(5 * DAY)) == set(MEMBERS)


def test_series_are_followed_to_other_rows():
    slot = slot_of()
    cycles(slot, 48, 130)
    alone = slot.live_error._error.alone.copy()
    cycles(slot, 130, 132, keys=KEYS[::-1])
    np.testing.assert_array_equal(slot.live_error._error.alone, alone[:, ::-1])
