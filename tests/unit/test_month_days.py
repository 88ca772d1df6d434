"""Days of the month in the band: expected as past ones were, where two or more showed the same."""

import datetime as dt
from typing import Any

import numpy as np
import pytest

from detectors import FITTED
from detectors.ensemble import Ensemble
from detectors.seasonal import SeasonalBaseline
from detectors.suppress import Suppression
from exporter.models.stored import Packer, padded
from series import Calendar, FloatArray, Window
from series.holidays import PublicHolidays
from series.occasions import Occasions

DAY, STEP = 86_400, 900
A_DAY = DAY // STEP
FIRST = dt.date(2026, 6, 25)
OCCASIONS = Occasions(Calendar(), (PublicHolidays("DE"),))
BOTH = pytest.mark.parametrize("detector", [SeasonalBaseline, Ensemble])
Detectors = type[SeasonalBaseline] | type[Ensemble]


def on(month: int, day: int, year: int = 2026) -> int:
    return (dt.date(year, month, day) - FIRST).days


# All three are working days; October ends on a Saturday.
JULY, AUGUST, SEPTEMBER = on(7, 31), on(8, 31), on(9, 30)


def busy(*days: int, hour: float = 18, hours: float = 2, size: float = 80, n_days: int = 131) -> Window:
    """Working days with a peak at noon, and on `days` a batch."""
    start = dt.datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=dt.UTC).timestamp()
    times = start + STEP * np.arange(n_days * A_DAY)
    rests = (times // DAY + 3) % 7 >= 5
    peak = np.maximum(np.sin(2 * np.pi * (times % DAY / DAY - 0.25)), 0)
    noise = 3 * np.random.default_rng(1).normal(size=(4, len(times)))
    window = Window.of(100 + 60 * peak * ~rests + noise, step=STEP, start=start)
    for day in days:
        add(window, day, hour, hours, size)
    return window


def add(window: Window, day: int, hour: float, hours: float, size: float) -> None:
    first = round(day * A_DAY + hour * 3_600 / STEP)
    window.values[:, first : first + round(hours * 3_600 / STEP)] += size


def parts(window: Window, day: int, history: int) -> tuple[Window, Window]:
    now = window.until((day + 1) * A_DAY).since(day * A_DAY)
    return window.until(day * A_DAY).since((day - history) * A_DAY), now


def scores(detector: Any, window: Window, day: int, history: int = 90) -> FloatArray:
    past, now = parts(window, day, history)
    return np.asarray(detector.fit(past).score(now))


def calls(detector: Any, window: Window, day: int, history: int = 90) -> float:
    """Share of the series with an alarm on that day, refitted every six hours."""
    quarter = A_DAY // 4
    found = []
    for first in range(day * A_DAY, (day + 1) * A_DAY, quarter):
        past = window.until(first).since(first - history * A_DAY)
        found.append(detector.fit(past).score(window.until(first + quarter).since(first)))
    return float(Suppression().alarms(np.concatenate(found, axis=1), STEP).any(axis=1).mean())


@BOTH
@pytest.mark.parametrize(
    "batch", [{}, {"hours": 0.5}, {"hour": 0, "hours": 24, "size": 100}, {"hour": 9, "hours": 8, "size": -50}]
)
def test_the_third_month_end_calls_without_a_calendar_only(detector: Detectors, batch: dict[str, float]) -> None:
    window = busy(JULY, AUGUST, SEPTEMBER, **batch)  # type: ignore[arg-type]
    assert calls(detector(occasions=OCCASIONS), window, SEPTEMBER) == 0.0
    assert calls(detector(occasions=OCCASIONS), window, SEPTEMBER + 1) == 0.0
    if batch.get("hours") != 24 or detector is SeasonalBaseline:  # the ensemble takes two whole days for a habit
        assert calls(detector(), window, SEPTEMBER) == 1.0


@BOTH
def test_the_same_on_another_day_calls(detector: Detectors) -> None:
    assert calls(detector(occasions=OCCASIONS), busy(JULY, AUGUST, SEPTEMBER - 1), SEPTEMBER - 1) == 1.0


@BOTH
def test_at_another_hour_it_calls(detector: Detectors) -> None:
    window = busy(JULY, AUGUST)
    add(window, SEPTEMBER, 8, 2, 80)
    assert calls(detector(occasions=OCCASIONS), window, SEPTEMBER) == 1.0


@BOTH
def test_it_may_be_somewhat_late_and_stronger(detector: Detectors) -> None:
    window = busy(JULY)
    add(window, AUGUST, 18.5, 2, 90)
    add(window, SEPTEMBER, 18.25, 2, 100)
    assert calls(detector(occasions=OCCASIONS), window, SEPTEMBER) == 0.0


@BOTH
def test_much_stronger_it_calls(detector: Detectors) -> None:
    window = busy(JULY, AUGUST)
    add(window, SEPTEMBER, 18, 2, 240)
    assert calls(detector(occasions=OCCASIONS), window, SEPTEMBER) == 1.0


@BOTH
def test_a_month_end_like_any_day_changes_nothing(detector: Detectors) -> None:
    window = busy()
    for day in (SEPTEMBER, SEPTEMBER + 1):
        np.testing.assert_array_equal(
            scores(detector(occasions=OCCASIONS), window, day), scores(detector(), window, day)
        )


@BOTH
def test_a_history_of_two_weeks_is_learned_from_as_without(detector: Detectors) -> None:
    window = busy(JULY, hours=8)
    for day in (JULY + 1, JULY + 5):
        np.testing.assert_array_equal(
            scores(detector(occasions=OCCASIONS), window, day, history=14), scores(detector(), window, day, history=14)
        )


@BOTH
def test_one_bad_month_end_is_no_habit(detector: Detectors) -> None:
    assert calls(detector(occasions=OCCASIONS), busy(AUGUST, SEPTEMBER), SEPTEMBER) == 1.0


def test_what_was_seen_once_may_come_or_not() -> None:
    window = busy(AUGUST, SEPTEMBER)
    past, now = parts(window, SEPTEMBER, 45)
    band = SeasonalBaseline(occasions=OCCASIONS).fit(past).expect(now)
    plain = SeasonalBaseline().fit(past).expect(now)
    evening = slice(73, 79)
    np.testing.assert_allclose(band.expected[:, evening], plain.expected[:, evening], atol=5)
    np.testing.assert_allclose(band.lower[:, evening], plain.lower[:, evening], atol=5)
    assert (band.upper[:, evening] > 180).all()
    assert calls(Ensemble(occasions=OCCASIONS), window, SEPTEMBER, history=45) == 0.0


def test_what_was_seen_twice_is_expected_and_may_stay_away() -> None:
    window = busy(JULY, AUGUST)
    past, now = parts(window, SEPTEMBER, 90)
    fitted = SeasonalBaseline(occasions=OCCASIONS).fit(past)
    np.testing.assert_allclose(fitted.expect(now).expected[:, 73:79], 180, atol=8)
    assert calls(Ensemble(occasions=OCCASIONS), window, SEPTEMBER) == 0.0


def test_what_was_seen_three_times_is_missed() -> None:
    june = on(6, 30)
    window = busy(june, JULY, AUGUST)
    assert calls(Ensemble(occasions=OCCASIONS), window, SEPTEMBER, history=96) == 1.0
    add(window, SEPTEMBER, 18, 2, 80)
    assert calls(Ensemble(occasions=OCCASIONS), window, SEPTEMBER, history=96) == 0.0


@pytest.mark.parametrize("day", [on(10, 30), on(10, 31)])
def test_where_the_last_day_is_no_working_day_it_may_come_on_either(day: int) -> None:
    window = busy(JULY, AUGUST, SEPTEMBER)
    assert calls(Ensemble(occasions=OCCASIONS), window, day) == 0.0
    add(window, day, 18, 2, 80)
    assert calls(Ensemble(occasions=OCCASIONS), window, day) == 0.0
    assert calls(Ensemble(), window, day) == 1.0


def test_it_may_come_on_a_holiday_too() -> None:
    """The first of November is one in Bavaria."""
    firsts = on(8, 1), on(9, 1), on(10, 1)
    occasions = Occasions(Calendar(), (PublicHolidays("DE", "BY"),))
    window = busy(*firsts, on(11, 1))
    assert calls(Ensemble(occasions=occasions), window, on(11, 1)) == 0.0
    assert calls(Ensemble(occasions=occasions), busy(*firsts), on(11, 1)) == 0.0


@BOTH
def test_the_days_after_are_judged_as_if_there_had_been_none(detector: Detectors) -> None:
    """A day that is higher throughout does not take the level with it."""
    window = busy(JULY, AUGUST, SEPTEMBER, hour=0, hours=24)
    past, now = parts(window, SEPTEMBER + 1, 90)
    plain, _ = parts(busy(), SEPTEMBER + 1, 90)
    told, without = (detector(occasions=OCCASIONS).fit(one).expect(now) for one in (past, plain))
    np.testing.assert_allclose(told.expected, without.expected, atol=4)


def test_a_day_under_way_teaches_nothing() -> None:
    """A burst of six hours at the first month end is not taken for a habit while it lasts."""
    window = busy(JULY, hour=12, hours=6)
    at = JULY * A_DAY + 14 * 4
    past, now = window.until(at).since(at - 30 * A_DAY), window.until(at + 16).since(at)
    told, plain = (SeasonalBaseline(occasions=each).fit(past).score(now) for each in (OCCASIONS, None))
    np.testing.assert_array_equal(told, plain)
    assert (told > 1).any(axis=1).all()


@BOTH
def test_steps_of_a_month_end_may_come_one_by_one(detector: Detectors) -> None:
    window = busy(JULY, AUGUST, SEPTEMBER, hour=10, hours=9)
    past, _ = parts(window, SEPTEMBER, 90)
    days = window.until((SEPTEMBER + 2) * A_DAY).since(SEPTEMBER * A_DAY)
    whole = detector(occasions=OCCASIONS).fit(past).score(days)
    stepwise = detector(occasions=OCCASIONS).fit(past)
    for first, last in ((0, 7), (7, 60), (60, 61), (61, 150), (150, days.n_steps)):
        part = days.until(last).since(first)
        np.testing.assert_allclose(stepwise.score(part), whole[:, first:last], rtol=1e-4, atol=1e-4)
        stepwise.advance(part)


def test_a_level_that_wanders_is_no_habit() -> None:
    steady = busy()
    steps = np.random.default_rng(3).normal(size=(20, *steady.values.shape[1:]))
    window = Window.of(
        np.tile(steady.values, (5, 1)) + 0.7 * np.cumsum(steps, axis=1), step=STEP, start=steady.times[0]
    )
    past, _ = parts(window, SEPTEMBER, 90)
    (_, part), *_ = SeasonalBaseline(occasions=OCCASIONS).fit(past).parts_
    assert part.months is None or not part.months.expected.any()


@pytest.mark.parametrize("step", [60, 300, 3_600, 21_600, DAY])
def test_any_step_will_do(step: int) -> None:
    start = dt.datetime(2026, 7, 1, tzinfo=dt.UTC).timestamp()
    times = start + step * np.arange(92 * DAY // step)
    values = 100 + np.random.default_rng(2).normal(size=(1, len(times)))
    days = times.astype("datetime64[s]").astype("datetime64[D]")
    values[:, (days + 1).astype("datetime64[M]") > days.astype("datetime64[M]")] += 40
    window = Window.of(values, step=step, start=start)
    past, now = window.until(91 * DAY // step), window.since(91 * DAY // step)
    band = SeasonalBaseline(occasions=OCCASIONS).fit(past).expect(now)
    np.testing.assert_allclose(np.median(band.expected), 140, atol=4)


def test_it_outlives_a_restart() -> None:
    past, now = parts(busy(JULY, AUGUST, SEPTEMBER), SEPTEMBER, 90)
    fitted = Ensemble(occasions=OCCASIONS).fit(past)
    packed, arrays = Packer(FITTED).pack(fitted)
    payload = b"".join(one.tobytes().ljust(padded(one.nbytes), b"\0") for one in arrays)
    back = Packer(FITTED).unpack(packed, np.frombuffer(payload, dtype=np.uint8))
    np.testing.assert_array_equal(back.score(now), fitted.score(now))
