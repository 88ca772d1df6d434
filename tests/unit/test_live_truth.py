"""Forecasts that were shown, compared with what came: figures, corrected widths, and who loses the place."""

from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
import pytest

from detectors.suppress import Suppression
from exporter.duration import Duration
from exporter.models.forecasts import ForecasterSlot
from exporter.models.live_truth import LiveTruth
from exporter.models.plan import ModelPlan
from forecasting.base import Forecast
from series import SeriesKey, Window

STEP, HOURS = 300, 72
HOUR = Duration(3600)


def value(times, phase=0.0):
    """A day's wave with a slow growth, which repeating a day misses by 2, and a noise of 1."""
    noise = np.sin(times * 7919.0 + phase)
    return 100 + 30 * np.sin(2 * np.pi * times / 86_400 + phase) + 2 * times / 86_400 + noise


def window(turn, n_series=2):
    times = STEP * np.arange(turn, turn + HOURS * 3600 // STEP, dtype=np.float64)
    keys = tuple(SeriesKey({"job": str(number)}) for number in range(n_series))
    return Window(keys, times, np.stack([value(times, number) for number in range(n_series)]))


@dataclass
class Oracle:
    """Knows the wave; `wrong` is added to it, `reach` is half of its interval."""

    wrong: float = 0.0
    reach: float = 3.0
    now: Window = field(init=False)

    def fit(self, history):
        self.now = history
        return self

    def forecast(self, steps, *, coverage=0.95):
        times = self.now.times[-1] + STEP * np.arange(1, steps + 1)
        mean = np.stack([value(times, int(key["job"])) for key in self.now.keys]) + self.wrong
        return Forecast(times, mean, mean - self.reach, mean + self.reach, coverage)


@dataclass
class House:
    """A slot whose forecaster may change its ways from fit to fit."""

    oracle: Oracle = field(default_factory=Oracle)
    coverage: float = 0.8

    def __post_init__(self):
        self.slot = ForecasterSlot(
            ModelPlan(
                detector=lambda: pytest.fail("no detector is needed"),
                forecaster=lambda: self.oracle,
                suppression=Suppression(),
                step=STEP,
                horizons=(HOUR,),
                coverage=self.coverage,
                refit=HOUR,
                forecaster_name="oracle",
            )
        )

    def live(self, turns, make=window):
        for turn in turns:
            now = make(turn)
            self.slot.follow(now)
            self.slot.fit_if_due(now, 1)
        return self.slot.summary()


def test_an_error_is_told_beside_that_of_repeating_the_day_once_some_forecasts_came_due():
    house = House()
    assert np.isnan(house.live(range(20)).live[HOUR].error_ratio)
    summary = house.live(range(20, 100))
    live = summary.live[HOUR]
    assert live.error_ratio == pytest.approx(0, abs=1e-3)
    assert live.smape == pytest.approx(0, abs=1e-3)
    assert live.coverage == 1
    assert summary.leads == {"oracle": 2}
    assert summary.fallbacks == 0


def test_errors_to_one_side_are_a_bias():
    live = House(Oracle(wrong=-0.5)).live(range(100)).live[HOUR]
    assert live.bias_ratio == pytest.approx(1, abs=0.01)
    assert 0.1 < live.error_ratio < 0.5


def test_a_forecaster_worse_than_repeating_the_day_loses_its_place_and_gets_it_back():
    house = House(Oracle(wrong=20.0))
    assert house.live(range(80)).fallbacks == 0  # too few forecasts came due for a judgement
    assert house.live(range(80, 140)).fallbacks == 2
    now = window(139)
    ahead = value(now.times[-1] + 3600, np.arange(2))
    shown = house.slot.at(now)[HOUR]
    assert (np.abs(shown.mean - ahead) < 6).all()
    assert ((shown.lower <= ahead) & (ahead <= shown.upper)).all()
    live = house.live(range(140, 900)).live[HOUR]
    assert live.error_ratio < 2  # of what was shown: of the forecaster alone it would be near 8
    house.oracle.wrong = 0.0
    assert house.live(range(900, 1200)).fallbacks == 0
    np.testing.assert_allclose(
        house.slot.at(window(1199))[HOUR].mean, value(window(1199).times[-1] + 3600, np.arange(2))
    )


@pytest.mark.parametrize("reach", [0.2, 30.0])
def test_an_interval_of_the_wrong_width_is_corrected_until_it_holds_what_it_promises(reach):
    def noisy(turn):
        now = window(turn)
        return Window(
            now.keys,
            now.times,
            now.values + np.random.default_rng(turn).normal(0, 2, (2, 1)) * (np.arange(now.n_steps) == now.n_steps - 1),
        )

    house = House(Oracle(reach=reach))
    live = house.live(range(900), noisy).live[HOUR]
    assert (live.width_factor > 4) if reach < 1 else (live.width_factor < 0.6)
    assert (live.coverage > 0.35) if reach < 1 else (live.coverage > 0.8)


def test_no_interval_is_corrected_below_zero_where_nothing_ever_was():
    house = House(Oracle(wrong=-90.0, reach=1.0))
    house.live(range(300))
    shown = house.slot.at(window(299))[HOUR]
    assert (shown.lower >= 0).all()


def test_what_is_awaited_is_bounded_whatever_the_horizon():
    truth = LiveTruth((Duration(86_400),), 60.0, 0.95)
    keys = (SeriesKey({"job": "a"}),)
    for minute in range(3000):
        now = Window(keys, 60.0 * np.arange(minute, minute + 10), np.zeros((1, 10)))
        truth.observe(now)
        truth.expect(now, {Duration(86_400): np.zeros((3, 1))}, {Duration(86_400): np.zeros(1)})
    kept = truth.dump({keys[0]: 0}.__getitem__)
    assert kept["awaited"].shape == (1, 25, 5, 1)
    assert np.isfinite(kept["due"]).sum() == 24


def test_a_series_keeps_its_figures_in_another_row_and_a_new_one_has_none():
    house = House(Oracle(wrong=20.0))
    assert house.live(range(200)).fallbacks == 2

    def turned(turn):
        now = window(turn, 3)
        return now.rows([2, 1])

    assert house.live(range(200, 210), turned).fallbacks == 1


def test_a_step_that_is_seen_twice_counts_once():
    house, twice = House(), House()
    once = house.live([0, *range(60)])
    again = twice.live([turn // 2 for turn in range(120)])
    assert repr(once) == repr(again)


def test_a_restarted_process_knows_the_same():
    house, other = House(Oracle(wrong=20.0)), House(Oracle(wrong=20.0))
    house.live(range(150))
    keys = list(window(0).keys)
    other.slot.load(deepcopy(house.slot.dump(keys.index, 1)), keys, 1)
    assert repr(other.slot.summary()) == repr(house.slot.summary())
    assert repr(other.live(range(150, 200))) == repr(house.live(range(150, 200)))
    one, two = (each.slot.at(window(199))[HOUR] for each in (house, other))
    np.testing.assert_array_equal([one.mean, one.lower, one.upper], [two.mean, two.lower, two.upper])


def test_samples_that_came_in_an_outage_are_compared_all_the_same():
    steady, late = House(), House()
    steady.live(range(31))
    late.live([*range(25), 30])
    kept = [house.slot._truth._tracker.weight.sum() for house in (steady, late)]
    assert kept == [pytest.approx(kept[0])] * 2


def test_a_clock_set_back_awaits_anew():
    house = House()
    house.live(range(500, 600))
    house.live(range(100, 110))
    assert house.slot._truth._until == window(109).times[-1]
    assert (house.slot._truth._tracker.due[:] <= window(109).times[-1] + 3600).sum() > 0
