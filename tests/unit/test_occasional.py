"""Holidays and events in the baseline: expected as past ones were, and not learned from."""

import datetime as dt

import numpy as np
import pytest

from detectors import FITTED
from detectors.ensemble import Ensemble
from detectors.seasonal import SeasonalBaseline
from detectors.suppress import Suppression
from detectors.walk import walk_forward
from exporter.models.stored import Packer, padded
from series import Calendar, Window
from series.event import Event
from series.holidays import PublicHolidays
from series.occasions import Occasions

DAY, STEP = 86_400, 900
# The German Unity Day of 2025, a Friday; before it lie four weeks without a holiday, the last seven days after it.
FIRST = dt.datetime(2025, 9, 5, tzinfo=dt.UTC).timestamp()
HOLIDAY, DAYS = 28, 36
CLOSING = Event(
    name="closing",
    start=dt.datetime(2025, 9, 22, 18),  # noqa: DTZ001 -- by the wall clock of its zone
    lasts=3 * 3_600,
    rule="FREQ=WEEKLY",
)
OCCASIONS = Occasions(Calendar(), (PublicHolidays("DE"),))


def busy(*, quiet_days=(HOLIDAY,), days=DAYS, n_series=6, first=FIRST, weekend=60.0):
    """Working days with a peak at noon, weekends and `quiet_days` without."""
    times = first + STEP * np.arange(days * DAY // STEP)
    day = np.arange(len(times)) * STEP // DAY
    rests = ((times // DAY + 3) % 7 >= 5) | np.isin(day, quiet_days)
    peak = np.maximum(np.sin(2 * np.pi * (times % DAY / DAY - 0.25)), 0)
    noise = 3 * np.random.default_rng(1).normal(size=(n_series, len(times)))
    return Window.of(100 + weekend * peak * ~rests + noise, step=STEP, start=first)


def alarmed(detector, window, days):
    """Share of the series with an alarm on each of `days`, refitted daily on the two weeks before."""
    a_day = DAY // STEP
    scores = walk_forward(detector, window, history=14 * a_day, refit=a_day, first=14 * a_day).scores
    alarms = Suppression().alarms(scores, STEP)
    return [float(alarms[:, day * a_day : (day + 1) * a_day].any(axis=1).mean()) for day in days]


@pytest.mark.parametrize("detector", [SeasonalBaseline, Ensemble])
def test_a_holiday_alarms_without_a_calendar_only(detector):
    window = busy()
    assert alarmed(detector(), window, [HOLIDAY])[0] > 0.8
    assert alarmed(detector(occasions=OCCASIONS), window, [HOLIDAY]) == [0.0]


@pytest.mark.parametrize("detector", [SeasonalBaseline, Ensemble])
def test_the_days_after_a_holiday_are_ordinary(detector):
    assert max(alarmed(detector(occasions=OCCASIONS), busy(), range(HOLIDAY + 1, DAYS))) <= 1 / 6


def test_a_holiday_like_any_other_day_is_no_news_either():
    assert alarmed(Ensemble(occasions=OCCASIONS), busy(quiet_days=()), [HOLIDAY]) == [0.0]


def test_an_outage_on_a_holiday_is_news():
    window = busy()
    at = (HOLIDAY * DAY + 10 * 3_600) // STEP
    window.values[:, at : at + 8] = 0
    assert alarmed(Ensemble(occasions=OCCASIONS), window, [HOLIDAY]) == [1.0]


@pytest.mark.parametrize("quiet_days", [(3, 4), ()])
def test_what_past_holidays_were_like_is_expected_of_the_next(quiet_days):
    """Christmas teaches what New Year's Day is like; that it is like another day all the same is no news."""
    first = dt.datetime(2025, 12, 22, tzinfo=dt.UTC).timestamp()
    window = busy(quiet_days=[14 + day for day in quiet_days], days=25, first=first - 14 * DAY)
    a_day = DAY // STEP
    history, day = window.until(24 * a_day).since(10 * a_day), window.since(24 * a_day)
    band = SeasonalBaseline(occasions=OCCASIONS).fit(history).expect(day)
    noon = slice(46, 51)
    expected = 100.0 if quiet_days else 160.0
    np.testing.assert_allclose(band.expected[:, noon], expected, atol=8)
    assert (band.lower[:, noon] < 100).all()
    assert (band.upper[:, noon] > 160).all()
    night = slice(0, 12)  # when all days are alike
    assert (band.upper[:, night] - band.lower[:, night] < 50).all()


def test_a_holiday_never_seen_may_be_either():
    a_day, window = DAY // STEP, busy()
    day = window.until((HOLIDAY + 1) * a_day).since(HOLIDAY * a_day)
    history = window.until(HOLIDAY * a_day).since((HOLIDAY - 14) * a_day)
    band = SeasonalBaseline(occasions=OCCASIONS).fit(history).expect(day)
    assert (band.lower[:, 46:51] < 100).all()
    assert (band.upper[:, 46:51] > 160).all()
    np.testing.assert_allclose(band.expected[:, 46:51], 130, atol=8)  # half way


def test_the_weekday_is_not_learned_from_a_holiday():
    a_day, window = DAY // STEP, busy()
    history = window.until((HOLIDAY + 6) * a_day).since((HOLIDAY - 8) * a_day)
    friday = FIRST + (HOLIDAY + 7) * DAY + np.arange(46, 51) * STEP
    season = SeasonalBaseline(occasions=OCCASIONS).fit(history).season(friday)
    sunday = SeasonalBaseline(occasions=OCCASIONS).fit(history).season(friday + 2 * DAY)
    np.testing.assert_allclose(season - sunday, 60, atol=8)


@pytest.mark.parametrize("detector", [SeasonalBaseline, Ensemble])
def test_an_event_is_expected_once_it_was_seen(detector):
    occasions = Occasions(Calendar(), (), (CLOSING,))
    window = busy(quiet_days=())
    window.values[:, occasions.at(window.times)["closing"]] += 80
    mondays = [17, 24, 31]  # the first one is news
    assert alarmed(detector(occasions=occasions), window, mondays) == [1.0, 0.0, 0.0]
    assert alarmed(detector(), window, mondays)[:2] == [1.0, 1.0]


@pytest.mark.parametrize("detector", [SeasonalBaseline, Ensemble])
def test_a_calendar_that_says_nothing_changes_nothing(detector):
    a_day, window = DAY // STEP, busy(quiet_days=())
    history, day = window.until(14 * a_day), window.until(15 * a_day).since(14 * a_day)
    plain = detector().fit(history).score(day)
    np.testing.assert_array_equal(detector(occasions=OCCASIONS).fit(history).score(day), plain)


@pytest.mark.parametrize("detector", [SeasonalBaseline, Ensemble])
def test_steps_of_a_holiday_may_come_one_by_one(detector):
    a_day, window = DAY // STEP, busy()
    history = window.until(HOLIDAY * a_day - 10).since((HOLIDAY - 14) * a_day)
    days = window.until((HOLIDAY + 2) * a_day).since(HOLIDAY * a_day - 10)
    whole = detector(occasions=OCCASIONS).fit(history).score(days)
    stepwise = detector(occasions=OCCASIONS).fit(history)
    for first, last in ((0, 7), (7, 60), (60, 61), (61, 150), (150, days.n_steps)):
        part = days.until(last).since(first)
        np.testing.assert_allclose(stepwise.score(part), whole[:, first:last], rtol=1e-4, atol=1e-4)
        stepwise.advance(part)


def test_it_outlives_a_restart():
    occasions = Occasions(Calendar("Europe/Berlin"), (PublicHolidays("DE", "BY"),), (CLOSING,))
    a_day, window = DAY // STEP, busy()
    history = window.until(HOLIDAY * a_day).since((HOLIDAY - 14) * a_day)
    day = window.until((HOLIDAY + 1) * a_day).since(HOLIDAY * a_day)
    fitted = Ensemble(occasions=occasions).fit(history)
    packed, arrays = Packer(FITTED).pack(fitted)
    payload = b"".join(one.tobytes().ljust(padded(one.nbytes), b"\0") for one in arrays)
    back = Packer(FITTED).unpack(packed, np.frombuffer(payload, dtype=np.uint8))
    assert back.occasions == occasions
    np.testing.assert_array_equal(back.score(day), fitted.score(day))
