"""When the models of a query learn, and what they say of its last step."""

from dataclasses import dataclass, field, replace

import numpy as np

from detectors.base import Band
from detectors.suppress import Suppression
from exporter.duration import Duration
from exporter.held_back import HeldBack, Said
from exporter.models.alarms import AlarmSlot
from exporter.models.calling import Calling
from exporter.models.forecasts import ForecasterSlot
from exporter.models.judging import DetectorSlot
from exporter.models.plan import ModelPlan
from exporter.models.single import Single
from forecasting.base import Forecast
from series import Reason, SeriesKey, Window


@dataclass
class LastValueBaseline:
    """Expects the last value of its history, give or take 1."""

    fits: list[Window]

    def fit(self, history):
        self.fits.append(history)
        self.last_ = history.values[:, -1]
        self.warming_up_ = np.isnan(self.last_)
        return self

    def advance(self, window):
        pass

    def expect(self, window):
        expected = np.repeat(self.last_[:, None], window.n_steps, axis=1)
        return Band(expected, expected - 1, expected + 1)

    def score(self, window):
        return self.score_against(self.expect(window), window)

    def score_against(self, band, window):
        score = np.minimum(np.abs(window.values - self.last_[:, None]), 100.0)
        score[self.warming_up_] = 0.0
        return score


@dataclass
class CountingForecaster:
    """Forecasts the last time of its history plus the number of steps."""

    fits: list[Window]
    end: float = field(init=False, default=0.0)

    def fit(self, history):
        self.fits.append(history)
        self.end, self.n_series, self.step = history.times[-1], history.n_series, history.step
        return self

    def forecast(self, steps, *, coverage=0.95):
        times = self.end + self.step * np.arange(1, steps + 1)
        mean = np.repeat(times[None], self.n_series, axis=0)
        return Forecast(times, mean, mean - 1, mean + 1, coverage)


class Judging(DetectorSlot):
    """What a cycle does with a window: detectors, then what is told of their scores."""

    def __init__(self, plan):
        super().__init__(plan)
        self.calling = Calling(plan, HeldBack("q", Said()))

    def judge(self, window):
        return self.calling.judge(super().judge(window))


HORIZONS = (Duration(120), Duration(600))


def plan(fits, forecasts, horizons=HORIZONS):
    return ModelPlan(
        detector=lambda: Single(LastValueBaseline(fits), "last"),
        forecaster=lambda: CountingForecaster(forecasts),
        suppression=Suppression(hold=2, within=3, at_once=10, quiet=180),
        step=60.0,
        horizons=horizons,
        coverage=0.9,
        refit=Duration(600),
    )


def window(values, start=0.0):
    return Window.of(values, step=60, start=start)


def test_the_last_step_is_judged_by_what_was_known_before_it():
    fits = []
    slot = Judging(plan(fits, []))
    now = window([[5.0, 5.0, 9.0]])
    assert slot.fit_if_due(now, epoch=1) is not None
    judged = slot.judge(now)
    assert fits[0].n_steps == 2
    assert (judged.value[0], judged.expected[0], judged.upper[0], judged.score[0]) == (9, 5, 6, 4)


def long_window(minute):
    """An hour, whose value at each minute is the number of the minute."""
    return window([np.arange(minute, minute + 60.0)], start=60.0 * minute)


def test_learns_anew_when_due_or_when_rows_moved_and_not_in_between():
    fits = []
    slot = Judging(plan(fits, []))
    for minute in range(30):
        slot.fit_if_due(long_window(minute), epoch=1)
    # The step before the last goes from minute 58 to 87: fits are due at 50, 60, 70 and 80.
    assert [history.times[-1] / 60 for history in fits] == [50, 60, 70, 80]
    slot.fit_if_due(long_window(29), epoch=2)
    assert len(fits) == 5


def test_a_restarted_process_learns_and_says_the_same():
    before, after = [], []
    old, new = Judging(plan(before, [])), Judging(plan(after, []))
    for minute in range(25):
        old.fit_if_due(long_window(minute), epoch=1)
        said = old.judge(long_window(minute))
    new.fit_if_due(long_window(24), epoch=7)
    np.testing.assert_array_equal(after[0].times, before[-1].times)
    np.testing.assert_array_equal(after[0].values, before[-1].values)
    np.testing.assert_array_equal(new.judge(long_window(24)).score, said.score)


def test_who_asks_while_a_fit_is_on_its_way_is_told_of_the_one_before():
    told = []

    @dataclass
    class Asked(LastValueBaseline):
        def fit(self, history):
            told.append([slot.basis(key, history.times[-1]) for key in history.keys])
            return super().fit(history)

        def season(self, times):
            return np.zeros((len(self.last_), len(times)))

    slot = DetectorSlot(replace(plan([], []), detector=lambda: Single(Asked([]), "last")))
    slot.fit_if_due(window([np.arange(60.0)]), epoch=1)
    slot.fit_if_due(window([np.arange(60.0), np.arange(60.0)]), epoch=2)
    assert told[0] == [None]
    assert told[1][0].until == 60 * 50
    assert told[1][1] is None


def test_a_judged_step_was_never_learned_from():
    fits = []
    slot = Judging(plan(fits, []))
    for minute in range(40):
        slot.fit_if_due(long_window(minute), epoch=1)
        assert fits[-1].times[-1] < long_window(minute).times[-1]


def test_series_that_came_after_the_fit_warm_up():
    slot = Judging(plan([], []))
    slot.fit_if_due(window([[5.0, 5.0, 5.0]]), epoch=1)
    grown = window([[5.0, 5.0, 7.0], [1.0, 1.0, 1.0]])
    assert slot.fit_if_due(grown, epoch=1) is None
    judged = slot.judge(grown)
    assert judged.score.tolist() == [2, 0]
    assert np.isnan(judged.expected[1])
    assert judged.skipped[Reason.WARMING_UP] == 1


def test_what_has_no_usable_sample_now_has_no_result():
    slot = Judging(plan([], []))
    now = window([[5.0, 5.0, np.nan], [5.0, 5.0, np.inf], [5.0, 5.0, 5.0]])
    slot.fit_if_due(now, epoch=1)
    judged = slot.judge(now)
    for side in (judged.value, judged.expected, judged.lower, judged.upper, judged.score, judged.alarm):
        assert np.isnan(side).tolist() == [True, True, False]
    assert judged.skipped == {Reason.NO_SAMPLE: 1, Reason.NOT_FINITE: 1, Reason.WARMING_UP: 0}


def test_a_window_without_series_is_no_error():
    slot, ahead = Judging(plan([], [])), ForecasterSlot(plan([], []))
    empty = window(np.empty((0, 3)))
    slot.fit_if_due(empty, epoch=1)
    ahead.fit_if_due(empty, epoch=1)
    assert slot.judge(empty).score.shape == (0,)
    assert ahead.at(empty) == {}


def test_a_forecast_is_for_now_plus_the_horizon_also_between_two_fits():
    forecasts = []
    slot = ForecasterSlot(plan([], forecasts))
    for minute in range(5):
        now = long_window(minute)
        slot.fit_if_due(now, epoch=1)
        said = slot.at(now)
        assert list(said) == list(HORIZONS)
        for horizon, interval in said.items():
            assert interval.mean[0] == now.times[-1] + horizon
            assert interval.lower[0] < interval.mean[0] < interval.upper[0]
    # A quarter of the shortest horizon, 30 s, is less than a step.
    assert len(forecasts) == 5


def test_a_long_horizon_is_looked_up_not_computed():
    forecasts = []
    slot = ForecasterSlot(plan([], forecasts, horizons=(Duration(2400),)))
    for minute in range(20):
        now = long_window(minute)
        slot.fit_if_due(now, epoch=1)
        assert slot.at(now)[Duration(2400)].mean[0] == now.times[-1] + 2400
    # The last step goes from minute 59 to 78: fits are due at 50, 60 and 70.
    assert [history.times[-1] / 60 for history in forecasts] == [50, 60, 70]


def fleet(minute, n_series=1200):
    return window(np.repeat(long_window(minute).values, n_series, axis=0), start=60.0 * minute)


def test_forecasts_of_many_series_go_on_where_they_were_left():
    forecasts = []
    slot = ForecasterSlot(plan([], forecasts, horizons=(Duration(2400),)))
    shown = []
    for minute in range(4):
        slot.fit_if_due(fleet(minute), epoch=1, within=0.0)
        means = slot.at(fleet(minute))[Duration(2400)].mean
        assert set(means[~np.isnan(means)]) == {fleet(minute).times[-1] + 2400}
        shown.append(np.isfinite(means).sum())
    assert len(forecasts) == 4  # one batch a cycle
    assert shown == sorted(shown)
    assert shown[-1] == 1200


def test_refits_of_many_series_are_spread_over_the_time_between_two():
    fits = []
    slot = Judging(plan(fits, []))
    slot.fit_if_due(fleet(0), epoch=1)
    assert sum(history.n_series for history in fits) == 1200
    spread = []
    for minute in range(1, 11):
        del fits[:]
        slot.fit_if_due(fleet(minute), epoch=1)
        spread.append(sum(history.n_series for history in fits))
    assert sum(spread) == 1200
    assert max(spread) < 500


def test_baselines_that_wait_for_their_first_fit_warm_up_and_the_others_judge():
    slot = Judging(plan([], []))
    slot.fit_if_due(fleet(0), epoch=1, within=0.0)
    judged = slot.judge(fleet(0))
    waiting = judged.skipped[Reason.WARMING_UP]
    assert 0 < waiting < 1200
    assert np.isnan(judged.expected).sum() == waiting
    for minute in range(1, 4):
        slot.fit_if_due(fleet(minute), epoch=1, within=0.0)
        judged = slot.judge(fleet(minute))
    assert judged.skipped[Reason.WARMING_UP] == 0


def test_a_series_that_was_never_negative_has_no_band_below_zero():
    slot = Judging(plan([], []))
    now = window([[0.0, 0.5, 0.25], [-1.0, 0.5, 0.25]])
    slot.fit_if_due(now, epoch=1)
    assert slot.judge(now).lower.tolist() == [0.0, -0.5]


def test_a_forecast_whose_fit_is_overdue_is_absent():
    slot = ForecasterSlot(plan([], [], horizons=(Duration(2400),)))
    slot.fit_if_due(long_window(0), epoch=1)
    assert slot.at(long_window(0))
    assert slot.at(long_window(40)) == {}


def test_without_horizons_nothing_is_forecast():
    slot = ForecasterSlot(plan([], [], horizons=()))
    now = window([[1.0, 2.0, 3.0]])
    assert slot.fit_if_due(now, epoch=1) == (0.0, 0)
    assert slot.at(now) == {}


def judged_alarm(slot, values, minute, epoch=1):
    now = window(values, start=60.0 * minute)
    slot.fit_if_due(now, epoch)
    return slot.judge(now).alarm.tolist()


def test_an_alarm_needs_persistence_and_ends_after_a_quiet_while():
    slot = Judging(plan([], []))
    last = [0, 5, 0, 5, 5, 0, 0, 0, 0]
    alarms = [judged_alarm(slot, [[0.0, 0.0, float(value)]], minute)[0] for minute, value in enumerate(last)]
    assert alarms == [0, 0, 0, 1, 1, 1, 1, 0, 0]


def test_a_step_judged_twice_counts_once():
    slot = Judging(plan([], []))
    assert judged_alarm(slot, [[0.0, 0.0, 5.0]], 0) == [0]
    assert judged_alarm(slot, [[0.0, 0.0, 5.0]], 0) == [0]


def test_an_alarm_follows_its_series_to_another_row():
    slot = Judging(plan([], []))
    judged_alarm(slot, [[0.0, 0.0, 0.0], [0.0, 0.0, 50.0]], 0)
    moved = window([[0.0, 0.0, 0.0]], start=60.0)
    moved = Window((SeriesKey.named("series_1"),), moved.times, moved.values)
    slot.fit_if_due(moved, epoch=2)
    assert slot.judge(moved).alarm.tolist() == [1]


def test_a_clock_set_back_starts_alarms_anew():
    slot = Judging(plan([], []))
    assert judged_alarm(slot, [[0.0, 0.0, 50.0]], 100) == [1]
    assert judged_alarm(slot, [[0.0, 0.0, 0.0]], 10) == [0]


def test_what_was_kept_as_float32_is_judged_and_shown_as_it_came():
    slot = Judging(plan([], []))
    rows = np.array([[0.1, 0.1, 0.3], [1e30, 1e30, 1234567.0], [2.5e-20, -3e-3, 7.25e25]])
    wide = window(rows)
    now = Window(wide.keys, wide.times, rows.astype(np.float32))
    slot.fit_if_due(now, epoch=1)
    judged = slot.judge(now)
    np.testing.assert_allclose(judged.value, rows[:, -1], rtol=1e-15)
    assert judged.value[0] == 0.3
    assert judged.score.dtype == np.float64


def test_a_lone_score_that_chance_brings_among_many_series_waits_and_a_sure_one_does_not():
    def alarms(lone, n_series):
        slot = AlarmSlot(Suppression(hold=2, within=3), 300.0)
        scores = np.full((n_series, 2), 0.3)
        scores[0] = lone
        keys = tuple(SeriesKey.named(f"s{row}") for row in range(n_series))
        return slot.update(keys, np.array([300.0, 600.0]), scores)[0]

    assert alarms(1.3, 20)
    assert not alarms(1.3, 20_000)
    assert alarms(3.5, 20_000)
