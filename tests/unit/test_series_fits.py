"""Detectors that are fitted to look at a past: the same ones while they would learn the same, and no longer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from exporter.config import Query
from exporter.held_back import HeldBack, Said
from exporter.models.fit_schedule import FitSchedule
from exporter.series_page.fits import MOST_FITS, Fits, ends_of, steady_history
from exporter.series_page.past import judged_past, learn_past
from exporter.wiring import make_plan
from series import SeriesKey, Window

STEP, DAY = 300, 86_400
SCHEDULE = FitSchedule(6 * 3_600)
START = 1_782_820_800.0
NOTHING_SAID = HeldBack("rate", Said())


@pytest.fixture(scope="module")
def plan():
    return make_plan(Query(name="rate", query="rate"))


def waves(first=0, days=6, seed=1):
    """Samples of one series from step `first` on."""
    place = np.arange(first, first + days * DAY // STEP)
    noise = np.random.default_rng(seed).normal(size=20_000)[place]
    values = 100 + 30 * np.sin(2 * np.pi * place * STEP / DAY) + noise
    return Window((SeriesKey({"job": "a"}),), START + STEP * place, values[np.newaxis])


def test_the_past_reads_the_same_with_detectors_that_are_kept(plan):
    fits, history = Fits(), waves()
    alone = judged_past(plan, SCHEDULE, NOTHING_SAID, history, 1_200)
    learn_past(plan, SCHEDULE, NOTHING_SAID, history, 1_200, fits)
    kept = len(fits)
    again = judged_past(plan, SCHEDULE, NOTHING_SAID, history, 1_200, fits)
    assert len(fits) == kept == len(np.unique(ends_of(SCHEDULE, history, 1_200)))
    np.testing.assert_array_equal(again.curves.scores, alone.curves.scores)
    np.testing.assert_array_equal(again.curves.band.upper, alone.curves.band.upper)


def test_a_step_later_nothing_learns_anew_and_a_changed_sample_does(plan):
    fits = Fits()
    learn_past(plan, SCHEDULE, NOTHING_SAID, waves(5), 1_200, fits)
    kept = len(fits)
    learn_past(plan, SCHEDULE, NOTHING_SAID, waves(6), 1_200, fits)
    assert len(fits) == kept
    late = waves(6)
    late.values[0, 700] += 1
    learn_past(plan, SCHEDULE, NOTHING_SAID, late, 1_200, fits)
    assert len(fits) == 2 * kept


def test_another_plan_or_other_weights_are_another_detector(plan):
    fits, learned = Fits(), waves()
    one = fits.of(plan, {}, learned)
    assert fits.of(plan, {}, learned) is one
    assert fits.of(replace(plan), {}, learned) is not one
    weighed = fits.of(plan, {"extremes": 0.5}, learned)
    assert weighed is not one
    assert weighed.weights == {"extremes": 0.5}


def test_more_fits_than_may_be_are_not_kept(plan):
    fits = Fits()
    for first in range(70):
        fits.of(plan, {}, waves(first, days=2))
    assert len(fits) == 64


def test_long_histories_learn_less_often():
    short, long = waves(days=6), waves(days=60)
    assert len(np.unique(ends_of(SCHEDULE, short, 10))) <= MOST_FITS
    assert 3 <= len(np.unique(ends_of(SCHEDULE, long, 10))) < len(np.unique(ends_of(SCHEDULE, short, 10)))
    for history in (short, long):
        ends = ends_of(SCHEDULE, history, 100)
        assert (ends < np.arange(100, history.n_steps)).all(), "no step is known to the fit it is judged by"


def test_what_is_learned_from_ends_with_the_fit_and_keeps_nearly_all_of_the_past():
    history = waves(5)
    for end in (30, 400, 1_000, history.n_steps - 2):
        learned, all_of_it = steady_history(SCHEDULE, history, end), SCHEDULE.history(history, end)
        assert learned.times[-1] == history.times[end]
        assert all_of_it.n_steps - learned.n_steps <= min(3_600 / STEP, history.n_steps / 20, all_of_it.n_steps / 2)
