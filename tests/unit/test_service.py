"""The whole service over a source that is a small class: cycles, failures, reload, restart, HTTP."""

import errno
import gzip
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from exporter.config_file import ConfigError
from exporter.pages import QueryState
from exporter.server import AddressError, ListenAddress, WebServer, make_app
from exporter.service import Service
from exporter.state.errors import StateError
from exporter.status import service_status
from exporter.wiring import make_state
from series import SeriesKey, Window
from sources.base import Answer
from sources.errors import QueryRefused, SourceUnavailable

CONFIG = """
stale_after: 5m
defaults: {step: 5m, history: 4d, latency: 0s, forecast: {horizons: [1h]}}
queries:
  - {name: rate, query: rate, limits: [{name: full, value: 215, scaling: {unit: 10}}]}
  - {name: errors, query: errors}
"""
LIVE = (
    "forethought_forecast_error_ratio",
    "forethought_forecast_smape_ratio",
    "forethought_forecast_bias_ratio",
    "forethought_interval_coverage_ratio",
    "forethought_interval_width_ratio",
    "forethought_forecast_fallback_series",
    "forethought_forecaster_series",
    "forethought_forecast_backtest_error_ratio",
)
FIT = (("model", "baseline"), ("query", "rate"))
KEYS = tuple(SeriesKey({"job": name}) for name in ("api", "web"))


@dataclass
class WaveSource:
    """A daily wave for every query; fails for the queries that are told to."""

    failing: dict[str, Exception] = field(default_factory=dict)
    asked: list = field(default_factory=list)
    closed: bool = False
    keys: tuple[SeriesKey, ...] = KEYS

    def read_range(self, query, grid, *, series_limit):
        self.asked.append((query, grid))
        if query in self.failing:
            raise self.failing[query]
        noise = np.sin(grid.times * 7919.0)
        row = 100 + 30 * np.sin(2 * np.pi * grid.times / 86_400) + noise
        rows = np.stack([row, 2 * row])[: len(self.keys)]
        return Answer(Window(self.keys, grid.times, rows), samples=rows.size)

    def close(self):
        self.closed = True


class Clock:
    def __init__(self):
        self.now = time.time()

    def __call__(self):
        return self.now


@dataclass
class House:
    """A service with all that surrounds it, cycles run by hand."""

    path: Path
    source: WaveSource = field(default_factory=WaveSource)
    clock: Clock = field(default_factory=Clock)

    def service(self, text=CONFIG, state=None):
        file = self.path / "forethought.yml"
        file.write_text(text)
        service = Service(file, state, self.clock, connect=lambda settings, telemetry: self.source)
        for query in service.config.queries:
            service._add(query)
        return service

    def cycle(self, service):
        for running in list(service.queries.values()):
            service._run(running)


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def samples(service, name):
    text = (service.page.body() + service.telemetry.render()).decode()
    families = text_string_to_metric_families(text)
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
        if sample.name == name
    }


def test_a_cycle_publishes_every_result_of_every_series(house):
    service = house.service()
    house.cycle(service)
    for name in ("value", "expected", "expected_lower", "expected_upper", "anomaly_score", "anomaly_alarm"):
        assert len(samples(service, f"forethought_{name}")) == 4, name
    for name in ("forecast", "forecast_lower", "forecast_upper"):
        found = samples(service, f"forethought_{name}")
        assert len(found) == 4, name
        assert all(("horizon", "1h") in labels for labels in found)
    score = samples(service, "forethought_anomaly_score")
    assert max(score.values()) < 1
    assert set(samples(service, "forethought_cycles_total").values()) == {1}


def test_only_what_is_missing_is_asked_for(house):
    service = house.service()
    house.cycle(service)
    house.clock.now += 600
    house.source.asked.clear()
    house.cycle(service)
    # Two new steps, and the one that can no longer get late samples.
    assert [grid.n_steps for _, grid in house.source.asked] == [2, 1, 2, 1]


def test_a_failing_query_does_not_stop_the_others_and_says_why(house):
    house.source.failing["errors"] = QueryRefused("errors", "must be PromQL. Got nonsense.")
    service = house.service()
    house.cycle(service)
    assert {dict(labels)["query"] for labels in samples(service, "forethought_value")} == {"rate"}
    assert samples(service, "forethought_cycle_failure") == {(("query", "errors"), ("reason", "refused")): 1}
    house.source.failing.clear()
    house.cycle(service)
    assert {dict(labels)["query"] for labels in samples(service, "forethought_value")} == {"rate", "errors"}
    assert samples(service, "forethought_cycle_failure") == {}


def test_a_bug_in_one_query_is_counted_and_stops_nothing(house):
    house.source.failing["rate"] = ZeroDivisionError("division by zero")
    service = house.service()
    house.cycle(service)
    assert samples(service, "forethought_cycle_failure") == {(("query", "rate"), ("reason", "internal_error")): 1}
    assert {dict(labels)["query"] for labels in samples(service, "forethought_value")} == {"errors"}


def test_an_outage_makes_results_absent_and_heals_by_itself(house):
    service = house.service()
    house.cycle(service)
    down = SourceUnavailable("", "cannot connect.")
    house.source.failing = {"rate": down, "errors": down}
    for _ in range(15):
        house.clock.now += 60
        house.cycle(service)
    assert samples(service, "forethought_value") == {}
    assert len(samples(service, "forethought_cycle_failure")) == 2
    house.source.failing = {}
    house.clock.now += 60
    house.cycle(service)
    assert len(samples(service, "forethought_value")) == 4
    window = service.queries["rate"].cycle.store.window()
    assert not np.isnan(window.values).any()


def test_results_of_a_slow_query_last_until_its_next_cycle(house):
    service = house.service("queries: [{name: rate, query: rate, step: 5m, interval: 1h, history: 4d}]")
    house.cycle(service)
    house.clock.now += 3599
    assert len(samples(service, "forethought_value")) == 2
    house.clock.now += 3 * 3600
    assert samples(service, "forethought_value") == {}


def test_a_query_that_does_not_fit_into_memory_fails_and_says_so(house):
    service = house.service(CONFIG + "memory_limit_bytes: 1000000\n")
    service._budget.limit = 40_000
    house.cycle(service)
    assert set(samples(service, "forethought_cycle_failure")) == {(("query", "errors"), ("reason", "memory_limit"))}
    assert {dict(labels)["query"] for labels in samples(service, "forethought_value")} == {"rate"}


def test_models_learn_anew_once_a_history_that_came_in_parts_is_whole(house):
    service = house.service()
    fitted = []
    for unpulled in (None, 300, None, None):
        if unpulled:
            service.queries["rate"].cycle._note_fill(unpulled)  # as a pull that was left at its budget
        house.cycle(service)
        fitted.append(samples(service, "forethought_model_fit_timestamp_seconds")[FIT])
        house.clock.now += 1
    assert fitted[0] < fitted[1] == fitted[2] == fitted[3]


def test_a_clock_set_back_is_survived(house):
    service = house.service()
    house.cycle(service)
    house.clock.now -= 7200
    house.cycle(service)
    assert len(samples(service, "forethought_value")) == 4
    house.clock.now += 40 * 86_400
    house.cycle(service)
    assert len(samples(service, "forethought_value")) == 4


def test_a_query_without_series_is_told_once_and_shown_as_such(house):
    service = house.service()
    house.source.keys = ()
    with capture_logs() as told:
        for _ in range(3):
            house.cycle(service)
            house.clock.now += 300
    warned = [entry for entry in told if "no series" in entry["event"]]
    assert [(entry["query"], entry["log_level"]) for entry in warned] == [("rate", "warning"), ("errors", "warning")]
    assert {query.state for query in service_status(service).queries} == {QueryState.NO_SERIES}
    house.source.keys = KEYS
    house.cycle(service)
    assert QueryState.NO_SERIES not in {query.state for query in service_status(service).queries}


def test_a_query_of_which_every_series_went_is_empty_not_broken(house):
    text = CONFIG.replace("history: 4d", "history: 1h")
    service = house.service(text)
    house.cycle(service)
    house.source.keys = ()
    for _ in range(30):
        house.clock.now += 300
        house.cycle(service)
    assert samples(service, "forethought_cycle_failure") == {}
    assert set(samples(service, "forethought_series").values()) == {0}
    house.source.keys = KEYS
    house.clock.now += 300
    house.cycle(service)
    assert len(samples(service, "forethought_value")) == 4


def test_reload_keeps_unchanged_queries_and_drops_removed_ones(house):
    service = house.service()
    house.cycle(service)
    kept = service.queries["rate"]
    service.config_file.write_text(CONFIG.replace("name: errors", "name: faults"))
    service.reload()
    assert service.queries["rate"] is kept
    assert set(service.queries) == {"rate", "faults"}
    assert {dict(labels)["query"] for labels in samples(service, "forethought_value")} == {"rate"}
    assert not any(("query", "errors") in labels for labels in samples(service, "forethought_cycles_total"))


def test_a_query_on_trial_is_marked_until_it_is_none(house):
    service = house.service(CONFIG.replace("query: rate,", "query: rate, shadow: true,"))
    assert samples(service, "forethought_query_shadow") == {(("query", "rate"),): 1}
    (house.path / "forethought.yml").write_text(CONFIG)
    service.reload()
    assert samples(service, "forethought_query_shadow") == {}


def test_a_bad_reload_keeps_the_old_configuration(house):
    service = house.service()
    service.config_file.write_text("queries: []")
    with pytest.raises(ConfigError):
        service.reload()
    assert set(service.queries) == {"rate", "errors"}
    assert samples(service, "forethought_config_last_reload_successful") == {(): 0}


def test_a_restart_pulls_only_the_gap(house, tmp_path):
    folder = make_state(tmp_path / "state")
    first = house.service(state=folder)
    house.cycle(first)
    for running in first.queries.values():
        first._save(running)
    house.clock.now += 600
    house.source.asked.clear()
    second = house.service(state=folder)
    house.cycle(second)
    assert max(grid.n_steps for _, grid in house.source.asked) == 2
    assert len(samples(second, "forethought_value")) == 4


def test_a_state_folder_that_was_removed_is_made_anew(house, tmp_path):
    folder = make_state(tmp_path / "state")
    service = house.service(state=folder)
    house.cycle(service)
    shutil.rmtree(folder.path)
    for running in service.queries.values():
        service._save(running)
    assert {file.stem for file in folder.path.glob("*.state")} == set(service.queries)


def results(service):
    """Every result sample with its value, to nine digits."""
    lines = [line.rsplit(" ", 1) for line in service.page.body().decode().splitlines() if not line.startswith("#")]
    return {name: f"{float(value):.9g}" for name, value in lines}


@pytest.mark.parametrize("detector", ["ensemble", "one_class_svm"])
def test_a_restarted_process_says_what_one_that_never_stopped_says(house, tmp_path, detector):
    folder = make_state(tmp_path / "state")
    text = CONFIG.replace("history: 4d", f"history: 4d, detector: {detector}")
    steady, stopped = house.service(text), house.service(text, state=folder)
    told = set()
    for turn in range(30):  # 2.5 h: each model is fitted twice or more
        house.source.keys = KEYS[:1] if 12 <= turn < 20 else KEYS
        for service in (steady, stopped):
            house.cycle(service)
        assert results(stopped) == results(steady)
        told |= {name.split("{")[0] for name in results(steady)}
        for name in LIVE:
            assert samples(stopped, name) == samples(steady, name)
            assert samples(steady, name) or turn < 27, name
        if turn % 7 == 3:
            for running in stopped.queries.values():
                stopped._save(running)
            stopped = house.service(text, state=folder)
            assert samples(stopped, "forethought_state_restores_total") == {(("outcome", "complete"),): 2}
        house.clock.now += 300
    assert {"forethought_silence_score", "forethought_baseline_timestamp_seconds"} <= told


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[:-9],
        lambda b: b"{}\n" + b,
        lambda b: b"",
        lambda b: b[:200] + b"x" + b[201:],
        lambda b: b.replace(b'"n_steps":1152', b'"n_steps":1150', 1),
        lambda b: b.replace(b'"step":300', b'"step":100', 1),
        lambda b: b.replace(b'"step":300', b'"step":0', 1),
    ],
)
def test_a_damaged_state_file_is_set_aside_and_the_start_is_cold(house, tmp_path, damage):
    folder = make_state(tmp_path / "state")
    first = house.service(state=folder)
    house.cycle(first)
    first._save(first.queries["rate"])
    file = folder.path / "rate.state"
    file.write_bytes(damage(file.read_bytes()))
    second = house.service(state=folder)
    assert second.queries["rate"].cycle.store.grid is None
    assert (folder.path / "rate.damaged").exists()
    house.cycle(second)
    assert len(samples(second, "forethought_value")) == 4


def test_what_a_killed_process_left_half_written_is_removed(tmp_path):
    (tmp_path / ".rate-abc.part").write_bytes(b"half")
    (tmp_path / "rate.state").write_bytes(b"whole")
    make_state(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["rate.state"]


def test_a_start_that_finds_no_state_says_so(house, tmp_path):
    def told():
        service = house.service(state=make_state(tmp_path / "state"))
        with capture_logs() as entries:
            service.start()
            service.stop()
        return [entry["folder"] for entry in entries if "no state found" in entry["event"]]

    assert told() == [str(tmp_path / "state")]
    first = house.service(state=make_state(tmp_path / "state"))
    house.cycle(first)
    first._save(first.queries["rate"])
    assert told() == []


def test_a_state_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(StateError, match=r"state: must be a folder that can be written to"):
        make_state(tmp_path / "state")


def test_http_answers(house):
    service = house.service()
    client = make_app(service).test_client()
    assert client.get("/-/healthy").status_code == 200
    waiting = client.get("/-/ready")
    assert (waiting.status_code, waiting.text) == (503, "Not ready: first cycle under way for rate, errors.\n")
    house.cycle(service)
    assert client.get("/-/ready").status_code == 200
    plain = client.get("/metrics")
    packed = client.get("/metrics", headers={"Accept-Encoding": "gzip"})
    assert b"forethought_value{" in plain.data
    assert gzip.decompress(packed.data).startswith(service.page.body())
    assert client.get("/").status_code == 200
    assert client.get("/-/reload").status_code == 405
    assert client.post("/-/reload").status_code == 200
    service.config_file.write_text("nonsense: 1")
    refused = client.post("/-/reload")
    assert refused.status_code == 500
    assert "nonsense: is not a known key" in refused.text
    assert client.get("/nowhere").text == "404 Not Found: GET /nowhere\n"


def test_a_taken_port_is_named(house):
    app = make_app(house.service())
    first = WebServer(app, ListenAddress("127.0.0.1", 0))
    port = first.port
    with pytest.raises(AddressError, match=rf"cannot listen on 127\.0\.0\.1:{port}: Address already in use"):
        WebServer(app, ListenAddress("127.0.0.1", port))
    first.stop()


@pytest.mark.parametrize("text", ["9815", "host:", "host:port", "host:70000", ""])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match="must be HOST:PORT"):
        ListenAddress.parse(text)


def test_an_empty_window_is_kept_and_restored(house, tmp_path):
    folder = make_state(tmp_path / "state")
    down = SourceUnavailable("", "cannot connect.")
    house.source.failing = {"rate": down, "errors": down}
    first = house.service(state=folder)
    house.cycle(first)
    first._save(first.queries["rate"])
    second = house.service(state=folder)
    assert second.queries["rate"].cycle.store.keys == ()


def test_a_reload_that_cannot_connect_keeps_the_old_source_and_configuration(house):
    service = house.service()
    before = service.config

    def refuse(settings, telemetry):
        raise ConfigError("source: headers must be of printable ASCII characters.")

    service._connect = refuse
    service.config_file.write_text("source: {url: 'http://elsewhere:9090'}\n" + CONFIG)
    for _ in range(2):
        with pytest.raises(ConfigError):
            service.reload()
    assert service.config is before
    assert not house.source.closed
    assert samples(service, "forethought_config_last_reload_successful") == {(): 0}


def test_it_is_not_ready_before_its_queries_are_added(house):
    service = house.service()
    added = service.queries.copy()
    service.queries.clear()
    assert service.waiting == ["rate", "errors"]
    service.queries.update(added)
    house.cycle(service)
    assert service.is_ready


def test_samples_of_another_tenant_are_not_taken_over(house, tmp_path):
    folder = make_state(tmp_path / "state")
    first = house.service("source: {headers: {X-Scope-OrgID: blue}}\n" + CONFIG, state=folder)
    house.cycle(first)
    first._save(first.queries["rate"])
    second = house.service("source: {headers: {X-Scope-OrgID: green}}\n" + CONFIG, state=folder)
    assert second.queries["rate"].cycle.store.grid is None
    slower = house.service("source: {timeout: 5s, headers: {X-Scope-OrgID: blue}}\n" + CONFIG, state=folder)
    assert slower.queries["rate"].cycle.store.grid is not None


def test_a_stop_keeps_what_is_not_under_way(house, tmp_path, monkeypatch):
    monkeypatch.setattr("exporter.service.STOP_WITHIN", 0.1)
    folder = make_state(tmp_path / "state")
    service = house.service(state=folder)
    house.cycle(service)
    house.clock.now += 300
    hangs = threading.Event()
    read = house.source.read_range

    def hang(query, grid, *, series_limit):
        hangs.wait(20)
        return read(query, grid, series_limit=series_limit)

    house.source.read_range = hang
    with ThreadPoolExecutor(1) as pool:
        pool.submit(service._run, service.queries["rate"])
        while not service.queries["rate"].under_way.locked():
            time.sleep(0.01)
        service.stop()
        assert (folder.path / "errors.state").exists()
        assert not (folder.path / "rate.state").exists()
        hangs.set()


def test_a_stop_keeps_the_samples_of_a_query_whose_forecasts_are_being_made(house, tmp_path, monkeypatch):
    monkeypatch.setattr("exporter.service.STOP_WITHIN", 0.1)
    folder = make_state(tmp_path / "state")
    service = house.service(state=folder)
    running = service.queries["rate"]
    forecasting, done = threading.Event(), threading.Event()

    def take_long(now):
        forecasting.set()
        done.wait(20)

    running.cycle.look_ahead = take_long
    with ThreadPoolExecutor(1) as pool:
        pool.submit(service._run, running)
        assert forecasting.wait(10)
        service.stop()
        assert (folder.path / "rate.state").exists()
        done.set()


def test_a_cycle_of_a_query_that_was_taken_away_leaves_nothing_behind(house):
    service = house.service()
    gone = service.queries["errors"]
    service._remove("errors")
    service._run(gone)
    assert "errors" not in (service.page.body() + service.telemetry.render()).decode()


def test_first_scores_are_shown_while_other_series_wait_for_their_fit(house, monkeypatch):
    monkeypatch.setattr("exporter.cycle._FIT_WITHIN", 0.0)
    monkeypatch.setattr("exporter.cycle._FIRST_FIT_WITHIN", 0.0)
    many = tuple(SeriesKey({"job": f"job-{row}"}) for row in range(1_200))

    @dataclass
    class Many(WaveSource):
        def read_range(self, query, grid, *, series_limit):
            row = 100 + 30 * np.sin(2 * np.pi * grid.times / 86_400) + np.sin(grid.times * 7919.0)
            return Answer(Window(many, grid.times, np.tile(row, (len(many), 1))), samples=row.size * len(many))

    house.source = Many()
    service = house.service("queries: [{name: rate, query: rate, step: 5m, history: 2d, series_limit: 2000}]")
    shown = []
    publish = service._publisher.publish
    monkeypatch.setattr(
        service._publisher, "publish", lambda result: (shown.append(result.skipped.get("warming_up")), publish(result))
    )
    house.cycle(service)
    assert shown[0] > 0  # some have scores, others wait
    assert not shown[-1]
    assert len(samples(service, "forethought_expected")) == 1_200


def test_sockets_that_are_closed_end_a_server_that_stops_without_an_error(monkeypatch):
    server = WebServer(Flask("test"), ListenAddress("127.0.0.1", 0))

    def run():
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(server._server, "run", run)
    with pytest.raises(OSError, match="Bad file descriptor"):
        server._serve()
    server.stop()
    server._serve()
