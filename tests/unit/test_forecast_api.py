"""What comes next, asked for over HTTP and on the command line."""

import re
import threading
from dataclasses import dataclass

import numpy as np
import pytest
from click.testing import CliRunner
from flask import Flask
from werkzeug.serving import make_server

from exporter.cli import main
from exporter.forecast_api.api import forecast_api
from exporter.forecast_api.asked import Asked
from exporter.forecast_api.command import season_text
from exporter.forecast_api.desk import ForecastDesk
from exporter.lookup import Busy
from exporter.service import Service
from forecasting import HarmonicRegression
from forecasting.resample import resampled
from series import SeriesKey, Window
from sources.base import Answer
from tests.fakes.http_server import FakeServer, always

CONFIG = """
defaults: {step: 10m, history: 14d, latency: 0s, late_samples: 0s}
queries:
  - name: rate
    query: rate
    limits:
      - {name: quota, value: 300, scaling: {unit: 50, cost_per_hour: 0.1, currency: EUR}}
      - {name: size, query: size, on: [job]}
  - {name: still, query: still, forecast: {forecaster: seasonal_naive}}
  - {name: many, query: many}
"""
NOON = 1_782_820_800.0  # 2026-06-30
KEYS = tuple(SeriesKey({"__name__": "load", "job": name}) for name in ("api", "web", "young"))


@dataclass
class Growing:
    """Daily waves that grow by 5 a day, and one series that is an hour old."""

    def read_range(self, query, grid, *, series_limit):
        wave = 30 * np.sin(2 * np.pi * grid.times / 86_400) + np.sin(grid.times * 7919.0)
        grown = 5 * (grid.times - NOON) / 86_400
        young = np.where(grid.times > NOON - 3600, 1.0, np.nan)
        if query == "size":
            return Answer(Window((SeriesKey({"job": "web"}),), grid.times, np.full((1, grid.n_steps), 150.0)))
        if query == "many":
            keys = tuple(SeriesKey({"n": str(number)}) for number in range(101))
            return Answer(Window(keys, grid.times, np.ones((101, grid.n_steps))))
        if query == "still":
            return Answer(Window(KEYS[:1], grid.times, wave[np.newaxis]))
        return Answer(Window(KEYS, grid.times, np.stack([200 + wave + grown, 100 + wave, young])))

    def close(self):
        pass


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    file = tmp_path_factory.mktemp("forecast") / "forethought.yml"
    file.write_text(CONFIG)
    service = Service(file, None, lambda: NOON, connect=lambda settings, telemetry: Growing())
    for query in service.config.queries:
        service._add(query)
        service._run(service.queries[query.name])
    return service


@pytest.fixture(scope="module")
def client(service):
    return app_of(service).test_client()


def app_of(service):
    app = Flask("test")
    app.register_blueprint(forecast_api(ForecastDesk(service.cycles)))
    return app


def ask(client, status=200, route="forecast", **wanted):
    answer = client.get(f"/api/v1/{route}", query_string={"query": "rate"} | wanted)
    assert answer.status_code == status, answer.text
    return answer.json["data"] if status == 200 else answer.json["error"]


def test_the_curve_is_that_of_the_forecaster(client, service):
    found = ask(client, series='{job="api"}', steps=144, coverage=0.8)
    history = service.queries["rate"].cycle.store.copy(KEYS[:1])
    told = HarmonicRegression().fit(history).forecast(144, coverage=0.8)
    assert found["step"] == 600
    assert found["origin"] == NOON
    assert found["times"] == told.times.tolist()
    (one,) = found["series"]
    assert one["labels"] == {"metric": "load", "job": "api"}
    for side in ("mean", "lower", "upper"):
        assert one[side] == getattr(told, side)[0].tolist()


def test_a_long_curve_is_of_hours_and_of_their_peaks_where_asked(client, service):
    found = ask(client, series='{job="api"}', horizon="30d", step="1h", summary="highest")
    assert (found["step"], len(found["times"])) == (3_600, 720)
    history = service.queries["rate"].cycle.store.copy(KEYS[:1])
    told = HarmonicRegression().fit(resampled(history, 3_600, "highest")).forecast(720, coverage=0.95)
    assert found["series"][0]["mean"] == told.mean[0].tolist()
    usual = ask(client, series='{job="api"}')["series"][0]
    assert found["series"][0]["trend"] == usual["trend"], "of the samples themselves"
    assert found["series"][0]["month"] == usual["month"]


def test_seasons_trend_and_changes_are_told(client):
    api, web, young = ask(client)["series"]
    strength = {one["name"]: one["strength"] for one in web["seasons"]}
    assert strength["day"] > 0.9
    assert api["trend"]["perDay"] == pytest.approx(5, abs=0.5)
    assert api["trend"]["lower"] < 5 < api["trend"]["upper"] + 0.5
    assert web["trend"]["perDay"] == pytest.approx(0, abs=0.5)
    assert api["changePoints"] == web["changePoints"] == [], "growth is no change of level"
    assert api["forecaster"]["backtestErrorRatio"] < 0.7
    assert {one["name"]: one["strength"] for one in young["seasons"]} == {"day": None, "week": None, "hour": None}
    assert young["mean"][0] is None
    assert young["trend"]["perDay"] is None


def test_the_month_is_told_where_its_beginning_is_known(client):
    month = ask(client, series='{job="web"}')["series"][0]["month"]
    assert month["soFar"] is None  # on the 30th, two weeks do not reach back to the first
    assert month["toCome"]["mean"] == pytest.approx(100 * 12 * 3600, rel=0.3)
    assert month["toCome"]["lower"] < month["toCome"]["mean"] < month["toCome"]["upper"]
    by_step = ask(client, series='{job="web"}', per="step")["series"][0]["month"]
    assert ask(client, series='{job="web"}', per="none")["series"][0]["month"] == {}
    assert by_step["toCome"]["mean"] == pytest.approx(month["toCome"]["mean"] / 600)


def test_a_month_that_is_known_from_its_first_ends_at_a_total(tmp_path):
    file = tmp_path / "forethought.yml"
    file.write_text(CONFIG)
    now = NOON + 10 * 86_400
    service = Service(file, None, lambda: now, connect=lambda settings, telemetry: Growing())
    service._add(service.config.queries[1])
    service._run(service.queries["still"])
    found = ForecastDesk(service.cycles).forecast(Asked(query="still"))["series"][0]["month"]
    assert found["total"]["mean"] == pytest.approx(found["soFar"] + found["toCome"]["mean"])
    assert abs(found["soFar"]) < 30 * 86_400
    assert (found["begin"], found["end"]) == (1_782_864_000, 1_785_542_400)


def test_another_forecaster_gives_the_curve_where_it_is_configured(client):
    (one,) = ask(client, query="still")["series"]
    assert one["forecaster"] == {"name": "seasonal_naive"}


@pytest.mark.parametrize(
    ("wanted", "status", "message"),
    [
        ({"query": "rat"}, 404, "query must be one of many, rate, still. Got 'rat'."),
        ({"query": ""}, 400, "query must be the name of a query. Got nothing."),
        (
            {"series": '{job="no"}'},
            404,
            'series must be some of the 3 of rate. Got {job="no"}, which none of them has.',
        ),
        ({"series": "{job}"}, 400, "matchers must look like"),
        ({"query": "many"}, 400, "series must mean at most 100 series (100, and 500000 values in all). Got {}, which"),
        ({"query": "many", "steps": "10000"}, 400, "series must mean at most 50 series"),
        ({"steps": "0"}, 400, "steps must be a number from 1 to 10000. Got '0'."),
        ({"steps": "10001"}, 400, "steps must be a number from 1 to 10000. Got '10001'."),
        ({"steps": "9" * 999}, 400, "steps must be a number from 1 to 10000."),
        ({"horizon": "1y"}, 400, "horizon must be a duration with a unit"),
        ({"horizon": "0s"}, 400, "horizon must be above 0s."),
        ({"horizon": "1000d"}, 400, "horizon must be at most 10000 steps of 10m. Got 1000d."),
        ({"horizon": "1d", "steps": "5"}, 400, "steps and horizon must not be given together."),
        ({"coverage": "95"}, 400, "coverage must be a ratio above 0 and below 1, such as 0.95. Got '95'."),
        ({"coverage": "nan"}, 400, "coverage must be a ratio above 0 and below 1"),
        ({"per": "year"}, 400, "per must be second, step or none. Got 'year'."),
        (
            {"to": "5"},
            400,
            "parameters must be query, series, steps, horizon, coverage, per, step or summary. Got 'to'.",
        ),
        ({"step": "25m"}, 400, "step must be a multiple of 10m, the query's own. Got 25m."),
        ({"step": "20d"}, 503, "rate must have two steps of 20d. Got fewer."),
        ({"summary": "sum"}, 400, "summary must be mean, highest or lowest. Got 'sum'."),
    ],
)
def test_a_mistake_is_told_in_one_line(client, wanted, status, message):
    assert ask(client, status, **wanted).startswith(message)


def test_limits_are_told_with_dates_and_advice_the_soonest_first(client):
    first, *others = ask(client, route="capacity")["series"]
    assert first["labels"]["job"] == "api"
    quota, size = first["limits"]
    assert 8 < (quota["time"] - NOON) / 86_400 < 20  # 230 at the peak of today, 5 more a day
    assert quota["lower"] < quota["time"]
    assert list(quota["probability"]) == ["1d", "1w", "30d"]
    assert quota["recommendation"]["action"] == "add"
    assert quota["recommendation"]["capacity"] % 50 == 0
    advice = quota["recommendation"]
    assert advice["units"] * 50 == advice["amount"]
    assert advice["costPerMonth"] == pytest.approx(advice["units"] * 0.1 * 730.5)
    assert advice["cost"] == pytest.approx(advice["costPerMonth"] * 30 / 30.4375)
    assert (advice["currency"], advice["peakProbability"]) == ("EUR", 0.95)
    assert advice["by"] <= advice["shortFrom"] < quota["time"]
    assert advice["forecast"] == {"forecaster": "harmonic", "of": "highest values of hours", "horizon": "30d"}
    assert size["value"] is None
    assert others[0]["limits"][1]["value"] == 150
    assert ask(client, 404, route="capacity", query="still") == "query must be one with limits. still has none."
    assert len(ask(client, route="capacity", series='{job="web"}')["series"]) == 1


def test_before_the_first_samples_nothing_can_be_said(tmp_path):
    file = tmp_path / "forethought.yml"
    file.write_text(CONFIG)
    service = Service(file, None, lambda: NOON, connect=lambda settings, telemetry: Growing())
    service._add(service.config.queries[1])
    assert ask(app_of(service).test_client(), 404, query="still") == "still must have series. Got none yet."


def test_two_may_ask_at_a_time_and_a_third_is_told_to_come_back(service):
    desk, begun, go = ForecastDesk(service.cycles), threading.Semaphore(0), threading.Event()

    class Waiting(HarmonicRegression):
        def fit(self, history):
            begun.release()
            assert go.wait(10)
            return super().fit(history)

    def waiting_cycles():
        cycle = service.cycles()["still"]
        return {"still": Cycle(cycle.query, cycle.store, Plan(cycle.plan))}

    @dataclass
    class Cycle:
        query: object
        store: object
        plan: object

    class Plan:
        def __init__(self, plan):
            self.__dict__ |= vars(plan) | {"forecaster": Waiting}

    desk = ForecastDesk(waiting_cycles)
    threads = [threading.Thread(target=desk.forecast, args=(Asked(query="still"),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert begun.acquire(timeout=10)
    with pytest.raises(Busy, match="2 forecasts are being computed"):
        desk.forecast(Asked(query="still"))
    go.set()
    for thread in threads:
        thread.join()
    assert desk.forecast(Asked(query="still"))["series"]


def test_a_curve_is_kept_until_a_sample_of_the_series_changes(tmp_path):
    file = tmp_path / "forethought.yml"
    file.write_text(CONFIG)
    clock = [NOON]
    service = Service(file, None, lambda: clock[0], connect=lambda settings, telemetry: Growing())
    service._add(service.config.queries[0])
    desk = ForecastDesk(service.cycles)
    asked = Asked.of({"query": "rate", "series": '{job="api"}', "steps": "6"})

    def origin_and_curve():
        service._run(service.queries["rate"])
        told = desk.forecast(asked)
        return told["origin"], told["series"][0]["mean"]

    first, again = origin_and_curve(), origin_and_curve()
    assert again[1] is first[1]
    clock[0] += 600
    later = origin_and_curve()
    assert later[0] == first[0] + 600
    assert later[1][0] != first[1][0]
    assert len(desk.forecast(Asked.of({"query": "rate", "series": '{job="api"}', "steps": "7"}))["times"]) == 7


@pytest.mark.parametrize(
    ("options", "per"), [([], "none"), (["--per", "second"], "second"), (["--json"], None), (["--limits"], None)]
)
def test_the_command_asks_for_the_total_of_a_month_where_it_shall_tell_it(options, per):
    with FakeServer(always(200, b'{"status": "success", "data": {"query": "q", "times": [], "series": []}}')) as server:
        done = CliRunner().invoke(main, ["forecast", "--url", server.url, "--query", "q", *options])
    assert done.exit_code == 0, done.output
    assert server.requests[0].params.get("per") == per


def test_the_command_prints_a_table(service):
    server = make_server("127.0.0.1", 0, app_of(service))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        common = ["forecast", "--url", f"http://127.0.0.1:{server.port}", "--query", "rate"]
        table = CliRunner().invoke(main, [*common, "--series", '{job="web"}', "--horizon", "2d"])
        limits = CliRunner().invoke(main, [*common, "--limits"])
        wrong = CliRunner().invoke(main, [*common, "--horizon", "two days"])
    finally:
        server.shutdown()
        thread.join()
    assert table.exit_code == 0, table.output
    lines = table.output.splitlines()
    assert len(lines) == 1 + 1 + 12 + 1
    assert lines[2].startswith("  2026-06-30T16:00:00Z")
    assert lines[-1].startswith("  seasons: day 100%")
    assert "quota: 2026-07-" in limits.output
    advice = r"add \d+ \(\d units?\), to \d+, begin by 2026-.+ UTC: short from 2026-.+ on, with .+ %; costs .+ EUR more"
    assert re.search(advice, limits.output), limits.output
    assert "quota: not within 30d" in limits.output
    assert "size: no limit is known" in limits.output
    assert wrong.exit_code == 2
    assert "horizon must be a duration" in wrong.output


@pytest.mark.parametrize(
    ("strengths", "said"),
    [
        ({}, "unknown"),
        ({"day": None, "week": None}, "unknown"),
        ({"day": 0.0, "week": 0.0}, "none"),
        ({"day": 0.9, "week": None}, "day 90%, week unknown"),
        ({"day": 0.9, "week": 0.0}, "day 90%"),
    ],
)
def test_no_season_is_told_from_an_unknown_one(strengths, said):
    assert season_text([{"name": name, "strength": strength} for name, strength in strengths.items()]) == said


def test_a_service_that_is_not_there_is_one_line():
    answer = CliRunner().invoke(main, ["forecast", "--url", "http://127.0.0.1:1", "--query", "rate"])
    assert answer.exit_code == 2
    assert "must be reachable. Got Connection refused." in answer.output
