"""Pages and /metrics say the same: what is too old to be scraped is not shown as the present either."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pytest

from exporter.explain.text import as_text
from exporter.run import series_rooms
from exporter.server import make_app
from exporter.service import Service
from series import SeriesKey, Window
from sources.base import Answer
from sources.errors import SourceUnavailable

CONFIG = """
stale_after: 20m
defaults: {step: 5m, history: 4d, latency: 0s, late_samples: 0s, refit: 1h, forecast: {horizons: []}}
queries:
  - {name: rate, query: rate, limits: [{name: tiny, value: 50}]}
"""
NOON = 1_782_820_800.0  # 2026-06-30 12:00 UTC
KEYS = tuple(SeriesKey({"job": name}) for name in ("api", "web"))


@dataclass
class Burst:
    """Two daily waves, of which the first triples from noon on; nothing at all once it fails."""

    failing: bool = False

    def read_range(self, query, grid, *, series_limit):
        if self.failing:
            raise SourceUnavailable("http://prometheus:9090", "must answer. Got nothing.")
        wave = 100 + 30 * np.sin(2 * np.pi * grid.times / 86_400) + np.sin(grid.times * 7919.0)
        rows = np.stack([wave, 2 * wave])
        rows[0, grid.times >= NOON] *= 3
        return Answer(Window(KEYS, grid.times, rows))

    def close(self):
        pass


class House:
    def __init__(self, path):
        file = path / "forethought.yml"
        file.write_text(CONFIG)
        self.now, self.source = NOON - 600, Burst()
        self.service = Service(file, None, lambda: self.now, connect=lambda settings, telemetry: self.source)
        self.service._add(self.service.config.queries[0])
        self.client = make_app(self.service, *series_rooms(self.service)).test_client()

    def run_until(self, time):
        while self.now < time:
            self.now = min(self.now + 300, time)
            self.service._run(self.service.queries["rate"])

    def text(self, path, **asked):
        html = self.client.get(path, query_string=asked).text
        return re.sub(r"\s+", " ", re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", html, flags=re.S))

    @property
    def pages(self):
        """The landing page, the list of the query's series, and the page of the one in alarm."""
        one = self.text("/series", query="rate", series='{job="api"}')
        return self.text("/"), self.text("/series", query="rate"), one

    @property
    def scraped(self):
        return "forethought_anomaly_alarm{" in self.client.get("/metrics").text


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    house.run_until(NOON + 600)
    return house


def shown(house):
    """Whether each page shows the alarm as the present."""
    landing, listed, one = house.pages
    return (
        "Strange now 1 in alarm" in landing and "since 2026-06-30 12:0" in landing,
        "since 2026-06-30 12:0" in listed and "As they were in order last" not in listed,
        "In alarm: " in one and "Limit tiny passed" in one,
    )


def test_pages_drop_results_in_the_same_second_as_metrics_does(house):
    assert shown(house) == (True, True, True)
    house.source.failing = True
    house.run_until(NOON + 1_500)
    house.now = NOON + 600 + 1_200 - 1
    assert house.scraped
    assert shown(house) == (True, True, True)
    house.now += 1
    assert not house.scraped
    assert shown(house) == (False, False, False)
    landing, listed, one = house.pages
    assert "Strange now – in alarm, not known of 1 query" in landing
    assert "results withdrawn at 2026-06-30 12:30" in landing
    assert "The strangest series" not in landing
    assert "Values and states of the past are left out." in listed
    assert "job = api – – – stale" in listed
    assert "No recent results" in one
    assert "Results are stale: they were withdrawn at 2026-06-30 12:30" in one
    assert "of the last judged step, 2026-06-30 12:10 , and not of now" in one
    assert "Why, as of 2026-06-30 12:10" in one


def test_pages_say_that_a_query_fails_and_since_when(house):
    assert not any("failing since" in page for page in house.pages)
    house.source.failing = True
    house.run_until(NOON + 3_600)
    for page in house.pages:
        assert re.search(r"failing since 2026-06-30 12:15", page), page
        assert "must answer. Got nothing." in page


def test_a_query_that_works_again_is_shown_again(house):
    house.source.failing = True
    house.run_until(NOON + 3_600)
    house.source.failing = False
    house.run_until(NOON + 4_200)
    assert house.scraped
    assert shown(house)[2]
    for page in house.pages:
        assert "failing" not in page
        assert "stale" not in page
    assert house.service.queries["rate"].failing_since is None


def test_a_query_that_hangs_is_stale_without_failing(house):
    house.now += 1_200
    landing, listed, one = house.pages
    assert "1 of 1 queries without recent results" in landing
    assert "Results are stale" in listed
    assert "No recent results" in one
    assert "failing" not in landing + listed + one


def test_an_explanation_says_when_its_results_were_withdrawn(house):
    def asked():
        return house.client.get("/api/v1/explain", query_string={"query": "rate", "series": '{job="api"}'}).json["data"]

    assert asked()["withdrawn"] is None
    assert "stale" not in as_text(asked())
    house.now = NOON + 600 + 1_200
    assert asked()["withdrawn"] == house.now
    assert "the last ones were withdrawn at 2026-06-30" in as_text(asked())
