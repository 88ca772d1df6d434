"""Limits that are passed, or for which it is late, are told as such."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import numpy as np
import pytest
from flask import Flask

from exporter.forecast_api.api import forecast_api
from exporter.forecast_api.command import _limit_lines
from exporter.forecast_api.desk import ForecastDesk
from exporter.run import series_rooms
from exporter.service import Service
from series import SeriesKey, Window
from sources.base import Answer

CONFIG = """
defaults: {step: 10m, history: 14d, latency: 0s, late_samples: 0s}
queries:
  - {name: passed, query: used, limits: [{name: far, value: 9000}, {name: tiny, value: 50, scaling: {lead_time: 3d}}]}
  - {name: soon, query: used, limits: [{name: full, value: 960, scaling: {utilisation: 1, lead_time: 3d}}]}
  - {name: timely, query: used, limits: [{name: full, value: 1200, scaling: {utilisation: 1, lead_time: 3d}}]}
  - {name: free, query: free, limits: [{name: low, value: 200, direction: falling}]}
"""
NOON = 1_782_820_800.0  # 2026-06-30


@dataclass
class Ramp:
    """What is used grows by 40 a day to 907; what is free falls as fast to 93."""

    def read_range(self, query, grid, *, series_limit):
        used = 907 + 40 * (grid.times - NOON) / 86_400 + np.sin(grid.times * 7919.0) / 10
        row = used if query == "used" else 1000 - used
        return Answer(Window((SeriesKey({"disk": "a"}),), grid.times, row[np.newaxis]))

    def close(self):
        pass


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    file = tmp_path_factory.mktemp("limits") / "forethought.yml"
    file.write_text(CONFIG)
    service = Service(file, None, lambda: NOON, connect=lambda settings, telemetry: Ramp())
    for query in service.config.queries:
        service._add(query)
        service._run(service.queries[query.name])
    return service


def limits_and_lines(service, query):
    app = Flask("test")
    app.register_blueprint(forecast_api(ForecastDesk(service.cycles)))
    (series,) = app.test_client().get("/api/v1/capacity", query_string={"query": query}).json["data"]["series"]
    return series["limits"], "\n".join(_limit_lines(series))


def page(service, query):
    app = Flask("test")
    for room in series_rooms(service):
        app.register_blueprint(room)
    html = app.test_client().get("/series", query_string={"query": query}).text
    said = re.sub(r"\s+", " ", re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", html, flags=re.S))
    return said, json.loads(re.search(r'id="data">(.*?)</script>', html, re.S)[1])


def test_a_passed_limit_has_no_date_to_come(service):
    (far, tiny), lines = limits_and_lines(service, "passed")
    assert (far["passed"], tiny["passed"]) == (False, True)
    assert "  tiny: passed already\n    add " in lines
    assert "begin at once, at least 3 d late: short already, with 100 %" in lines
    said, data = page(service, "passed")
    assert "Limit tiny passed of 50, already" in said
    assert "tiny 50 passed already – – add" in said
    assert "Limit tiny in" not in said
    assert [limit["time"] for limit in data["limits"]] == [None, None]


def test_a_limit_that_is_reached_from_above_is_passed_below_it(service):
    (low,), lines = limits_and_lines(service, "free")
    assert low["passed"]
    assert lines == "  low: passed already"


def test_advice_says_by_how_much_it_is_late(service):
    (full,), lines = limits_and_lines(service, "soon")
    advice, last = full["recommendation"], service.cycles()["soon"].calling.told.time
    assert (full["passed"], advice["shortNow"]) == (False, False)
    assert advice["lateBy"] == pytest.approx(3 * 86_400 - (advice["shortFrom"] - last))
    assert 86_400 < advice["lateBy"] < 3 * 86_400
    assert re.search(r"begin at once, [12] d \d+ h late: short from 2026-07-01 .+ UTC on, with", lines), lines
    assert re.search(r"begin at once, [12] d \d+ h late", page(service, "soon")[0])


def test_advice_that_comes_in_time_names_when_to_begin(service):
    (full,), lines = limits_and_lines(service, "timely")
    assert full["recommendation"]["lateBy"] == 0
    assert "late" not in lines
    assert re.search(r"begin by 2026-07-.+ UTC: short from 2026-07-.+ on", lines), lines
    assert "Limit full in 7 d" in page(service, "timely")[0]
