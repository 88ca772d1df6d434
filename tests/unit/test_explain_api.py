"""Why a step was judged as it was: live, and for earlier steps as it was said then."""

import threading
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from flask import Flask
from werkzeug.serving import make_server

from exporter.cli import main
from exporter.explain.api import explain_api
from exporter.explain.explainer import Explainer
from exporter.forecast_api.api import forecast_api
from exporter.forecast_api.desk import ForecastDesk
from exporter.models.judging import DetectorSlot
from exporter.moments import read_moment
from exporter.service import Service
from exporter.wiring import make_state
from series import SeriesKey, Window
from sources.base import Answer

CONFIG = """
defaults: {step: 5m, history: 4d, latency: 0s, refit: 1h, forecast: {horizons: []}}
queries:
  - {name: rate, query: rate}
"""
NOON = 1_782_820_800.0
KEYS = tuple(SeriesKey({"__name__": "load", "job": name}) for name in ("api", "web", "etl"))


@dataclass
class Wave:
    """A daily wave; the first series triples for half an hour after noon."""

    keys: tuple[SeriesKey, ...] = KEYS
    bursts: list[float] = field(default_factory=lambda: [NOON + 1_800])

    def read_range(self, query, grid, *, series_limit):
        row = 100 + 30 * np.sin(2 * np.pi * grid.times / 86_400) + np.sin(grid.times * 7919.0)
        rows = np.stack([row, 2 * row, 3 * row])
        for begin in self.bursts:
            rows[0, (grid.times >= begin) & (grid.times < begin + 1_800)] *= 3
        return Answer(Window(self.keys, grid.times, rows), samples=rows.size)

    def close(self):
        pass


@dataclass
class Clock:
    now: float = NOON

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A service after three hours, and what it said of the first series at each step."""
    file = tmp_path_factory.mktemp("explain") / "forethought.yml"
    file.write_text(CONFIG)
    clock = Clock()
    service = Service(file, None, clock, connect=lambda settings, telemetry: Wave())
    service._add(service.config.queries[0])
    client = client_of(service)
    said, answer = {}, None
    # Three hours, and until some time after a fit, while all of its history is at hand.
    while len(said) < 36 or not 2_400 <= answer["time"] - answer["expected"]["learnedUntil"] < 3_000:
        service._run(service.queries["rate"])
        answer = ask(client, series='{job="api"}')
        said[answer["time"]] = answer
        clock.now += 300
    return service, said


def client_of(service):
    app = Flask("test")
    app.register_blueprint(explain_api(Explainer(service.cycles)))
    return app.test_client()


def ask(client, status=200, **wanted):
    answer = client.get("/api/v1/explain", query_string={"query": "rate"} | wanted)
    assert answer.status_code == status, answer.text
    return answer.json["data"] if status == 200 else answer.json["error"]


def test_an_earlier_step_is_explained_as_it_was_then(told):
    service, said = told
    client = client_of(service)
    last, compared = max(said), 0
    for time, then in list(said.items())[-14:]:
        found = ask(client, series='{job="api"}', time=time)
        assert found["judged"] == ("live" if time == last else found["judged"])
        if found["judged"] == "again, from a shorter history":
            continue
        compared += 1
        assert numbers(found) == pytest.approx(numbers(then), rel=1e-9, nan_ok=True), time
        for part in ("firing", "since", "above"):
            assert found["alarm"][part] == then["alarm"][part], (time, part)
    assert compared > 2


def numbers(answer):
    found = {each["name"]: each["score"] for each in answer["detectors"]} | answer["expected"] | answer["score"]
    return {name: np.nan if value is None else value for name, value in found.items()} | {"value": answer["value"]}


def test_a_step_of_long_ago_says_that_less_was_at_hand(told):
    service, said = told
    then = said[NOON + 1_800]
    found = ask(client_of(service), series='{job="api"}', time=then["time"])
    assert found["judged"] == "again, from a shorter history"
    assert found["expected"]["value"] == pytest.approx(then["expected"]["value"], rel=0.02)
    assert found["alarm"]["firing"]
    for steps in (1, 2):  # the alarm of then, over by now, is no earlier one of its own
        found = ask(client_of(service), series='{job="api"}', time=then["time"] + 300 * steps)
        assert (found["alarm"]["since"], found["timesBefore"]["count"]) == (then["time"], 0)


@dataclass
class Young(Wave):
    """The same, of which the first series began two days ago."""

    def read_range(self, query, grid, *, series_limit):
        answer = super().read_range(query, grid, series_limit=series_limit)
        answer.window.values[0, grid.times < NOON - 2 * 86_400] = np.nan
        return answer


def test_nothing_is_learned_from_before_the_first_sample_also_over_a_restart(tmp_path):
    file, folder, clock = tmp_path / "forethought.yml", make_state(tmp_path / "state"), Clock()
    file.write_text(CONFIG)
    for _ in range(2):
        service = Service(file, folder, clock, connect=lambda settings, telemetry: Young())
        service._add(service.config.queries[0])
        service._run(service.queries["rate"])
        service._save(service.queries["rate"])
        client = client_of(service)
        for time in ({}, {"time": NOON - 3_600}):
            assert ask(client, series='{job="api"}', **time)["expected"]["learnedFrom"] == NOON - 2 * 86_400
        assert ask(client, series='{job="web"}')["expected"]["learnedFrom"] < NOON - 3.9 * 86_400


def test_a_state_that_names_one_first_instant_for_all_is_still_read(told):
    slot = told[0].queries["rate"].cycle.detector
    kept = slot.dump(KEYS.index, 0)
    for batch in kept["batches"]:
        batch["since"] = NOON - 86_400
    again = DetectorSlot(told[0].queries["rate"].cycle.plan)
    again.load(kept, KEYS, 0)
    assert again.basis(KEYS[1], NOON).since == NOON - 86_400


def test_an_alarm_says_what_began_it_and_how_bad_it_is(told):
    _, said = told
    burst = [answer for answer in said.values() if answer["alarm"]["firing"]]
    assert burst
    first = burst[0]
    assert first["time"] == first["alarm"]["since"] == NOON + 1_800
    assert first["value"] > first["expected"]["upper"]
    assert first["score"]["afterVerdicts"] > 1
    assert sum(each["votes"] for each in first["detectors"]) >= 1
    assert first["severity"]["level"] == int(sum(first["severity"]["points"].values()))
    expected = first["expected"]
    assert expected["level"] + expected["season"] == pytest.approx(expected["value"])
    assert expected["learnedUntil"] < first["time"]
    for later in burst:  # an alarm that goes on is not one before itself
        assert later["earlierAlarms"] == later["nearestExamples"] == []
        assert "time in" not in later["why"]
    assert said[max(said)]["earlierAlarms"] == [NOON + 1_800]
    calm = next(iter(said.values()))["alarm"]
    assert (calm["firing"], calm["since"], calm["above"], calm["hold"], calm["within"]) == (False, None, 0, 2, 3)


def test_mistakes_are_named_in_one_line(told):
    client = client_of(told[0])
    assert ask(client, 404, query="rat") == "query must be one of rate. Got 'rat'."
    assert ask(client, 400, query="") == "query must be the name of a query. Got nothing."
    assert ask(client, 404, series='{job="x"}').startswith('series must be one of the 3 of rate. Got {job="x"}')
    several = ask(client, 400, series='{job=~"api|web"}')
    assert several.startswith(
        'series must mean one series. Got {job=~"api|web"}, which means 2: {job="api", metric="lo'
    )
    assert ask(client, 400, series="job").startswith("matchers must look like")
    for wrong in ("soon", "nan", "2026-13-01"):
        assert ask(client, 400, series='{job="api"}', time=wrong).startswith("time must be a time such as")
    assert ask(client, 400, series='{job="api"}', time=NOON - 9e6).startswith("time must be from 2026-06-2")
    assert ask(client, 400, series='{job="api"}', time=NOON + 9e6).startswith("time must be up to 2026-06-30T1")


def test_before_the_first_cycle_there_is_nothing_to_explain(tmp_path):
    file = tmp_path / "forethought.yml"
    file.write_text(CONFIG)
    service = Service(file, None, Clock(), connect=lambda settings, telemetry: Wave())
    service._add(service.config.queries[0])
    assert ask(client_of(service), 503) == "rate must have been judged once. Got no finished cycle yet."


def test_a_query_without_series_says_so(tmp_path):
    file = tmp_path / "forethought.yml"
    file.write_text(CONFIG)
    nothing = SimpleNamespace(
        read_range=lambda query, grid, *, series_limit: Answer(Window((), grid.times, np.empty((0, grid.n_steps)))),
        close=lambda: None,
    )
    service = Service(file, None, Clock(), connect=lambda settings, telemetry: nothing)
    service._add(service.config.queries[0])
    service._run(service.queries["rate"])
    assert ask(client_of(service), 404) == "rate must have series. Got none yet."
    assert ask(client_of(service), 404, series='{job="api"}') == "rate must have series. Got none yet."
    app = Flask("test")
    app.register_blueprint(forecast_api(ForecastDesk(service.cycles)))
    answer = app.test_client().get("/api/v1/forecast?query=rate")
    assert (answer.status_code, answer.json["error"]) == (404, "rate must have series. Got none yet.")


def test_right_after_a_restart_the_step_that_was_judged_before_is_explained(tmp_path):
    file, folder = tmp_path / "forethought.yml", make_state(tmp_path / "state")
    file.write_text(CONFIG)
    said = []
    for _ in range(2):
        service = Service(file, folder, Clock(), connect=lambda settings, telemetry: Wave())
        service._add(service.config.queries[0])
        service._run(service.queries["rate"])
        service._save(service.queries["rate"])
        said.append(ask(client_of(service), series='{job="api"}'))
    assert said[0] == said[1]


@pytest.fixture
def url(told):
    app = Flask("test")
    app.register_blueprint(explain_api(Explainer(told[0].cycles)))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_command_prints_what_a_person_asks(url):
    asked = ["explain", "--url", url, "--query", "rate", "--series", '{job="api"}', "--time", "2026-06-30T12:40:00Z"]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    lines = dict(line.split(maxsplit=1) for line in result.output.splitlines() if not line.startswith(" "))
    assert lines["series"] == 'rate{job="api", metric="load"}'
    assert lines["time"].startswith("2026-06-30T12:40:00Z")
    assert lines["alarm"].startswith("since 2026-06-30T12:30:00Z, peak ")
    assert lines["severity"].split()[0] in "1234"
    assert "anomaly" in lines["detectors"]


def test_the_command_ends_with_2_and_one_line_for_a_mistake(url):
    for wanted in (["--query", "rat"], ["--query", "rate"], ["--query", "rate", "--url", "http://127.0.0.1:1"]):
        result = CliRunner().invoke(main, ["explain", "--url", url, *wanted])
        assert result.exit_code == 2
        assert len(result.output.splitlines()) == 1


def test_moments_are_read_as_prometheus_reads_them():
    assert read_moment("1782788400") == read_moment("2026-06-30T03:00:00Z") == read_moment("2026-06-30 03:00")
