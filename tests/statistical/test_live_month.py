"""A month through the slot of a service: coverage falls with each event, is seen to, and comes back."""

import numpy as np
import pytest

from detectors.suppress import Suppression
from exporter.duration import Duration
from exporter.models.forecasts import ForecasterSlot
from exporter.models.plan import ModelPlan
from forecasting import HarmonicRegression
from series import Window

pytestmark = pytest.mark.slow

HOUR, DAY = 3_600.0, 24
AHEAD = Duration(86_400)
LEARNED, LIVED = 21, 50
SHIFT, HOLIDAY, TREND = 8, 20, 32  # days after the beginning


def month(n_series=8):
    """Days of work: a shift for good, one day off, and growth from some day on."""
    random = np.random.default_rng(8)
    steps = np.arange((LEARNED + LIVED) * DAY)
    day = steps // DAY - LEARNED
    level = 100 + np.where(day >= SHIFT, 40.0, 0.0) + np.maximum(day - TREND, 0) * 25.0
    shape = 1 + 0.3 * np.sin(2 * np.pi * steps / DAY + random.uniform(0, 6, (n_series, 1)))
    rows = level * shape * np.where(day == HOLIDAY, 0.4, 1.0) + random.normal(0, 2, (n_series, len(steps)))
    return Window.of(rows, step=HOUR)


@pytest.fixture(scope="module")
def lived():
    """Figures at the end of each day, and how many series had lost their forecaster."""
    slot = ForecasterSlot(
        ModelPlan(
            detector=lambda: pytest.fail("no detector is needed"),
            forecaster=HarmonicRegression,
            suppression=Suppression(),
            step=HOUR,
            horizons=(AHEAD,),
            coverage=0.9,
            refit=Duration(6 * 3600),
        )
    )
    whole, days = month(), []
    for end in range(LEARNED * DAY, whole.n_steps + 1):
        now = whole.until(end).since(end - LEARNED * DAY)
        slot.follow(now)
        slot.fit_if_due(now, 1)
        if end % DAY == 0:
            summary = slot.summary()
            days.append((summary.live.get(AHEAD), summary.fallbacks))
    return days


def test_coverage_falls_with_each_event_and_comes_back(lived):
    coverage = np.array([np.nan if live is None else live.coverage for live, _ in lived])
    assert coverage[4 : SHIFT + 1].min() > 0.87
    for event, calm in ((SHIFT, HOLIDAY), (HOLIDAY, TREND), (TREND, LIVED)):
        lowest = coverage[event + 1 : event + 6].min()
        assert lowest < coverage[event] - 0.1
        assert coverage[calm] > lowest + 0.1
        assert coverage[calm] > 0.9


def test_widths_answer_and_no_forecaster_is_lost_for_one_event(lived):
    width = np.array([np.nan if live is None else live.width_factor for live, _ in lived])
    for event, calm in ((SHIFT, HOLIDAY), (HOLIDAY, TREND), (TREND, LIVED)):
        highest = width[event + 1 : event + 6].max()
        assert highest > 1.3 * width[event]
        assert width[calm] < 0.75 * highest
    assert max(fallbacks for _, fallbacks in lived[:TREND]) == 0


def test_a_trend_that_is_followed_late_costs_the_place_for_some_days_only(lived):
    assert max(fallbacks for _, fallbacks in lived[TREND:]) > 0
    assert lived[-1][1] == 0
    assert lived[-1][0].error_ratio < 0.7
