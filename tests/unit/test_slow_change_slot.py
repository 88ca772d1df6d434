"""Drift and changes of level of a query: found once a day, published, and the same after a restart."""

from dataclasses import dataclass

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporter.config import Query
from exporter.duration import Duration
from exporter.models.slow_change import SlowChangeSlot, examined
from exporter.service import Service
from exporter.wiring import make_plan, make_state
from series import Calendar, SeriesKey, Window
from sources.base import Answer

DAY = 86_400.0
END = 1_782_777_600
KEYS = tuple(SeriesKey({"job": name}) for name in ("steady", "jumps", "climbs"))


def rows(times):
    """One series that stays, one that jumped four days before the end, one that climbs."""
    noise = np.sin(np.outer((7919.0, 104729.0, 1299709.0), times))
    daily = 100 + 30 * np.sin(2 * np.pi * times / DAY)
    climb = np.clip((times - (END - 5 * DAY)) / DAY, 0, None)
    return daily + 2 * noise + np.stack([0 * times, 40.0 * (times >= END - 4 * DAY), 20 * climb])


def window(end=END, n_steps=14 * 96, step=900.0):
    times = end + step * np.arange(-n_steps + 1, 1)
    return Window(KEYS, times, rows(times))


def test_a_jump_is_dated_and_a_climb_is_a_drift():
    found = examined(window(), Calendar("UTC"))
    assert np.isnan(found.changed[0])
    assert found.changed[1] == pytest.approx(END - 4 * DAY, abs=900)
    assert found.since[:2].tolist() == [window().times[0], found.changed[1]]
    assert found.drift[0] < 1 < found.drift[2]


def test_too_short_a_past_says_nothing_but_when_it_began():
    found = examined(window(n_steps=96), Calendar("UTC"))
    assert np.isnan(found.drift).all()
    assert np.isnan(found.changed).all()
    assert set(found.since) == {END - 95 * 900.0}


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, 1e308, -1e-300])
@pytest.mark.parametrize("n_steps", [2, 50, 1344])
def test_no_value_breaks_it(bad, n_steps):
    odd = window(n_steps=n_steps)
    odd.values[1] = bad
    odd.values[2, ::2] = bad
    odd.values[0] = np.where(np.arange(n_steps) % 2, bad, -bad)  # whose difference may be no number
    found = examined(odd, Calendar("UTC"))
    assert not np.isinf(found.drift).any()


QUERY = Query(name="rate", query="rate", step=Duration(900))


def test_a_batch_is_examined_once_a_day_and_kept_between():
    slot, counts = SlowChangeSlot(make_plan(QUERY)), []
    for hour in range(0, 45, 3):
        now = window(END + 3_600 * hour)
        counts.append(slot.fit_if_due(now, epoch=0))
        known = slot.at(now)
        assert known.changed[1] == pytest.approx(END - 4 * DAY, abs=900)
        assert slot.of(KEYS[1]).changed[0] == known.changed[1]
    assert counts[0] == 3
    assert sum(counts) in (6, 9)  # one or two times of the clock on which it is due
    assert slot.of(SeriesKey({"job": "other"})) is None


def test_a_series_without_a_sample_now_has_none_of_it():
    slot, now = SlowChangeSlot(make_plan(QUERY)), window()
    slot.fit_if_due(now, epoch=0)
    now.values[1, -1] = np.nan
    assert np.isnan(slot.at(now).since).tolist() == [False, True, False]


@dataclass
class Slow:
    def read_range(self, query, grid, *, series_limit):
        return Answer(Window(KEYS, grid.times, rows(grid.times)), samples=grid.n_steps)

    def close(self):
        pass


def samples(service, name):
    families = text_string_to_metric_families(service.page.body().decode())
    return {
        sample.labels["job"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == f"forethought_{name}"
    }


def test_what_was_found_is_published_and_survives_a_restart(tmp_path):
    file, folder, now = tmp_path / "f.yml", make_state(tmp_path / "state"), [float(END)]
    file.write_text(
        "defaults: {step: 15m, latency: 0s, forecast: {horizons: []}}\nqueries: [{name: rate, query: rate}]"
    )

    def service():
        made = Service(file, folder, lambda: now[0], connect=lambda settings, telemetry: Slow())
        made._add(made.config.queries[0])
        return made

    running = service()
    for _ in range(2):
        running._run(running.queries["rate"])
        now[0] += 900
    names = ("drift_score", "changepoint_timestamp_seconds", "baseline_timestamp_seconds")
    found = [samples(running, name) for name in names]
    assert found[0]["steady"] < 1 < found[0]["climbs"]
    assert "steady" not in found[1]
    assert found[1]["jumps"] == found[2]["jumps"] == pytest.approx(END - 4 * DAY, abs=900)
    running.stop()
    running = service()
    running._run(running.queries["rate"])
    assert [samples(running, name) for name in names] == found


def test_a_drift_within_the_minimum_deviation_or_of_rare_counts_is_none():
    climbing = window()
    strange = examined(climbing, Calendar("UTC")).drift > 1
    assert strange.any()
    least = 2 * float(np.nanmax(np.abs(climbing.values)))
    assert not (examined(climbing, Calendar("UTC"), least).drift > 1).any()
    rare = np.zeros((1, 14 * 24))
    rare[0, -70::9] = 5.0
    counts = Window.of(rare, step=3600)
    assert not (examined(counts, Calendar("UTC")).drift > 1).any()
