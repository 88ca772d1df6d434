"""A month in which a level shifts, a day is off and a trend begins: forecasts go wrong, and recover."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting import HarmonicRegression, SeasonalNaive
from forecasting.adaptive import AdaptiveWidth
from forecasting.tracking import Tracker
from series import FloatArray, Window

pytestmark = pytest.mark.slow

HOUR, DAY = 3_600.0, 24
LEARNED, LIVED = 21, 46
SHIFT, HOLIDAY, TREND = 5, 15, 24  # days after the beginning


def month(n_series: int = 4) -> Window:
    """Days of work: a shift for good, one day off, and growth from some day on."""
    random = np.random.default_rng(8)
    steps = np.arange((LEARNED + LIVED) * DAY)
    day = steps // DAY - LEARNED
    level = 100 + np.where(day >= SHIFT, 40.0, 0.0) + np.maximum(day - TREND, 0) * 25.0
    shape = 1 + 0.3 * np.sin(2 * np.pi * steps / DAY + random.uniform(0, 6, (n_series, 1)))
    rows = level * shape * np.where(day == HOLIDAY, 0.4, 1.0) + random.normal(0, 2, (n_series, len(steps)))
    return Window.of(rows, step=HOUR)


def lived() -> tuple[FloatArray, Tracker]:
    """(LIVED, n_series): share of each day's samples inside the intervals told at midnight; and the tracker."""
    whole = month()
    tracker = Tracker.of(1, whole.n_series, capacity=DAY, memory=7.0 * DAY)
    width = AdaptiveWidth.of(1, whole.n_series, coverage=0.9, rate=0.02)
    inside = np.empty((LIVED, whole.n_series))
    for day in range(LIVED):
        now = (LEARNED + day) * DAY
        history = whole.until(now)
        told = HarmonicRegression().fit(history).forecast(DAY, coverage=0.9)
        naive = SeasonalNaive().fit(history).forecast(DAY).mean
        held = []
        for step in range(DAY):
            bounds = width.applied(0, np.stack([told.mean[:, step], told.lower[:, step], told.upper[:, step]]))
            came = whole.values[:, now + step]
            tracker.expect(0, told.times[step], bounds, naive[:, step])
            tracker.observe(told.times[step], came)
            width.observe(0, bounds[1], bounds[2], came)
            held.append((bounds[1] <= came) & (came <= bounds[2]))
        inside[day] = np.mean(held, axis=0)
    return inside, tracker


def test_coverage_falls_with_shift_and_day_off_and_comes_back_and_the_trend_is_followed() -> None:
    inside, tracker = lived()
    share = inside.mean(axis=1)
    assert share[:SHIFT].mean() > 0.85
    for event in (SHIFT, HOLIDAY):
        assert share[event] < share[event - 2 : event].mean() - 0.5
    assert share[SHIFT + 6 : HOLIDAY].mean() > 0.8
    assert share[HOLIDAY + 4 : TREND].mean() > 0.8
    assert share[-8:].mean() > 0.8
    assert (tracker.relative_error < 0.6).all()
    assert not tracker.falls_behind().any()
    np.testing.assert_allclose(tracker.coverage.mean(), 0.9, atol=0.07)
