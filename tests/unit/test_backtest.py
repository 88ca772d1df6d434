"""The backtest's computation, with small models whose answers are known."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Self

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import Band
from exporter.backtests.backtest import Backtest, past_origins
from exporter.backtests.errors import naive_scale
from exporter.backtests.report import BacktestReport, SeriesResult
from forecasting.base import Forecast
from series import BoolArray, FloatArray, Reason, SeriesKey, Window

HOUR, DAY = 3600, 86_400


class AroundTheMean:
    """Expects the mean of the history, plus or minus `half`; warms up for `warm_up` steps."""

    warming_up_: BoolArray

    def __init__(self, half: float = 5.0, warm_up: int = 10) -> None:
        self.half, self.warm_up = half, warm_up

    def fit(self, history: Window) -> Self:
        self.warming_up_ = np.full(history.n_series, history.n_steps < self.warm_up)
        known = np.isfinite(history.values)
        self.mean_ = np.where(known, history.values, 0).sum(1) / np.maximum(known.sum(1), 1)
        return self

    def expect(self, window: Window) -> Band:
        mean = np.repeat(self.mean_[:, None], window.n_steps, axis=1)
        mean[self.warming_up_] = np.nan
        return Band(mean, mean - self.half, mean + self.half)

    def score(self, window: Window) -> FloatArray:
        return self.score_against(self.expect(window), window)

    def score_against(self, band: Band, window: Window) -> FloatArray:
        score: FloatArray = np.abs(window.values - self.mean_[:, None]) / self.half
        score[self.warming_up_] = 0
        return score


class RepeatTheDay:
    """Repeats the last day (of `season` steps), with an interval of a given half width."""

    def __init__(self, half: float = 1.0, season: int = 24) -> None:
        self.half, self.season = half, season

    def fit(self, history: Window) -> Self:
        self.history_ = history
        return self

    def forecast(self, steps: int, *, coverage: float = 0.95) -> Forecast:
        history = self.history_
        mean = history.values[:, history.n_steps - self.season + np.arange(steps) % self.season]
        times = history.times[-1] + history.step * np.arange(1, steps + 1)
        return Forecast(times, mean, mean - self.half, mean + self.half, coverage)


def backtest(**changes: object) -> Backtest:
    options = {
        "detector": AroundTheMean,
        "forecaster": RepeatTheDay,
        "horizons": (6 * HOUR, DAY),
        "refit": 6 * HOUR,
    } | changes
    return Backtest(**options)  # type: ignore[arg-type]


def week(n_series: int = 1, *, noise: float = 0.0) -> Window:
    hours = np.arange(7 * 24)
    rows = np.tile(np.sin(2 * np.pi * hours / 24), (n_series, 1))
    return Window.of(rows + noise * np.random.default_rng(7).normal(size=rows.shape), step=HOUR)


def run(window: Window, **changes: object) -> BacktestReport:
    return backtest(**changes).run(window, query="up")


def only(report: BacktestReport) -> SeriesResult:
    assert len(report.results) == 1
    return report.results[0]


def test_a_planted_incident_is_one_anomaly_with_its_worst_sample_and_band() -> None:
    window = week()
    window.values[0, 100:104] = [30.0, 40.0, 20.0, 30.0]
    found = only(run(window)).anomalies
    assert [(one.start, one.end, one.peak, one.value) for one in found] == [(100 * HOUR, 103 * HOUR, 101 * HOUR, 40.0)]
    known = window.values[0, :97].mean()  # the last fit before was at step 97
    assert found[0].expected == pytest.approx(known)
    assert (found[0].lower, found[0].upper) == pytest.approx((known - 5, known + 5))
    assert found[0].score == pytest.approx((40 - known) / 5)


@pytest.mark.parametrize(("apart", "anomalies"), [(1, 1), (4, 1), (5, 2)])
def test_strange_steps_are_one_anomaly_as_long_as_few_steps_lie_between(apart: int, anomalies: int) -> None:
    window = week()
    window.values[0, [100, 100 + apart]] = 30.0
    assert len(only(run(window, join=3)).anomalies) == anomalies


def test_nothing_that_is_said_uses_a_later_sample() -> None:
    window, changed = week(3, noise=0.5), week(3, noise=0.5)
    changed.values[:, 120:] = 1e6
    before, after = run(window), run(changed)
    by_key = {result.key: result for result in after.results}
    for result in before.results:
        one, other = result.curves, by_key[result.key].curves
        assert one is not None
        assert other is not None
        for known, again in (
            (one.scores, other.scores),
            (one.band.upper, other.band.upper),
            (one.past.middle, other.past.middle),
        ):
            np.testing.assert_array_equal(known[:120], again[:120])


def test_forecasts_of_a_perfect_rhythm_are_all_inside_and_have_no_scale() -> None:
    report = run(week(2), coverage=0.9)
    assert [(lead.above, lead.horizon) for lead in report.leads] == [(0, 6 * HOUR), (6 * HOUR, DAY)]
    assert report.coverage == 1.0
    assert math.isnan(report.mase), "repeating the day is wrong by rounding alone: no yardstick"
    assert report.asked_coverage == 0.9


def test_repeating_the_day_has_an_error_of_about_one() -> None:
    report = run(week(200, noise=1.0))
    assert report.mase == pytest.approx(1.0, abs=0.05)
    assert report.mase == pytest.approx(report.yardstick), "the product's own yardstick repeats the day, too"
    # The difference of two normal samples lies within 1 with probability 0.52.
    assert report.coverage == pytest.approx(0.52, abs=0.03)
    assert all(lead.points > 1000 for lead in report.leads)


def test_the_forecast_ahead_starts_after_the_window() -> None:
    window = week()
    curves = only(run(window)).curves
    assert curves is not None
    np.testing.assert_array_equal(curves.ahead.middle, window.values[0, -24:])
    assert np.isnan(curves.past.middle[: len(window.times) // 3]).all()


def test_past_forecasts_stand_where_they_spoke_of() -> None:
    window = week(noise=1.0)
    report = run(window, origins=2)
    curves = only(report).curves
    assert curves is not None
    for origin in report.origins:
        column = round(origin / HOUR) + 1
        np.testing.assert_array_equal(curves.past.middle[column : column + 24], window.values[0, column - 24 : column])


def test_series_are_ranked_by_time_in_alarm_and_only_the_first_keep_curves() -> None:
    window = week(6)
    for row, strange in ((4, 9), (2, 5), (0, 1)):
        window.values[row, 90 : 90 + strange] = 50.0
    report = run(window, drawn=2)
    assert [result.key.name for result in report.results][:3] == ["series_4", "series_2", "series_0"]
    assert [result.curves is not None for result in report.results] == [True, True] + [False] * 4
    assert len(report.drawn) == 2


def test_blocks_give_what_one_block_gives() -> None:
    window = week(7, noise=1.0)
    window.values[3, 100] = 60.0
    done: list[tuple[int, int]] = []
    whole = run(window)
    small = backtest(block_samples=3 * window.n_steps)
    parts = small.run(window, query="up", progress=lambda n, of: done.append((n, of)))
    assert done == [(3, 7), (6, 7), (7, 7)]
    assert [(one.key, one.anomalies) for one in parts.results] == [(one.key, one.anomalies) for one in whole.results]
    assert [lead.mase for lead in parts.leads] == pytest.approx([lead.mase for lead in whole.leads])
    assert [lead.coverage for lead in parts.leads] == [lead.coverage for lead in whole.leads]


def test_summary_counts_only_what_was_judged() -> None:
    window = week(2)
    window.values[1] = np.nan
    window.values[0, 100:102] = 50.0
    report = run(window)
    assert report.judged_steps == 7 * 24 - 13  # the first fit that has 10 steps is the third
    assert report.judged_from == 13 * HOUR
    assert report.never_judged == 1
    assert report.alarms == report.lasting == 1
    assert report.alarms_per_series_day == pytest.approx(24 / (7 * 24 - 13))
    assert report.alarm_share == pytest.approx(2 / (7 * 24 - 13))
    assert {result.key.name: result.warm_up_steps for result in report.results} == {"series_0": 13, "series_1": 0}


def test_too_short_a_window_warms_up_throughout() -> None:
    report = run(Window.of([[1.0, 2.0, 3.0]], step=HOUR), horizons=(HOUR,), forecaster=lambda: RepeatTheDay(season=1))
    assert only(report).judged_steps == 0
    assert report.alarms_per_series_day == report.alarm_share == 0.0
    assert math.isnan(report.judged_from)


def test_it_is_said_why_nothing_was_judged() -> None:
    nothing = week(2)
    nothing.values[:] = np.nan
    nothing.values[0, :9] = np.inf
    assert "no sample is a finite number" in run(nothing).nothing_judged
    few = week(2)
    few.values[0, 5:] = few.values[1, 8:] = np.nan
    assert "no series has more than 8 samples, in 6d23h: too few to learn from" in run(few).nothing_judged
    assert run(week()).nothing_judged == ""


def test_a_horizon_as_long_as_the_window_gives_no_past_forecast_but_one_ahead() -> None:
    report = run(week(), horizons=(7 * DAY,))
    assert report.origins == ()
    assert math.isnan(report.mase)
    assert math.isnan(report.coverage)
    curves = only(report).curves
    assert curves is not None
    assert curves.ahead.middle.shape == (7 * 24,)


def test_infinite_samples_count_as_missing() -> None:
    window = week()
    window.values[0, [5, 120]] = np.inf, -np.inf
    window.values[0, [6, 121]] = 1.7e308, -1.7e308
    result = only(run(window))
    assert result.anomalies == ()
    assert result.judged_steps == 7 * 24 - 13 - 2
    assert np.isinf(window.values[0, 5]), "the window itself may be a view of a store and stays as it was"


def test_no_series_give_an_empty_report() -> None:
    report = backtest().run(Window((), np.arange(100.0), np.empty((0, 100))), query="up", skipped={Reason.HISTOGRAM: 3})
    assert report.results == ()
    assert report.skipped == {Reason.HISTOGRAM: 3}
    assert math.isnan(report.mase)


def test_one_column_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 columns"):
        run(Window.of([[1.0]], step=60))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"horizons": ()}, "horizons must be one or more times"),
        ({"horizons": (0,)}, "horizons must be one or more times"),
        ({"coverage": 1.0}, "coverage must be above 0 and below 1. Got 1.0"),
        ({"refit": 0}, "refit must be above 0"),
        ({"history": -1}, "history must be above 0"),
    ],
)
def test_bad_arguments_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        backtest(**changes)


@given(st.integers(3, 3000), st.integers(1, 500), st.integers(0, 30))
def test_past_forecasts_fit_into_the_window_and_do_not_touch(n_steps: int, steps: int, most: int) -> None:
    origins = past_origins(n_steps, steps, most)
    assert len(origins) <= most
    assert all(n_steps / 3 <= origin <= n_steps - steps for origin in origins)
    assert all(later - earlier > steps for earlier, later in pairwise(origins))
    if most and steps <= n_steps // 2:
        assert origins


def test_scale_is_that_of_repeating_the_day_or_the_last_sample() -> None:
    two_days = Window.of([np.r_[np.zeros(24), np.full(24, 3.0)]], step=HOUR)
    assert naive_scale(two_days) == pytest.approx([3.0])
    assert naive_scale(two_days.until(40)) == pytest.approx([3 / 39])
    assert np.isnan(naive_scale(Window.of([[4.0, 4.0], [np.nan, 1.0]], step=HOUR))).all()


def test_keys_survive() -> None:
    key = SeriesKey({"__name__": "up", "job": "</script>"})
    report = run(Window((key,), week().times, week().values))
    assert only(report).key is key
