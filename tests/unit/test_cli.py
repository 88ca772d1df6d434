"""The commands as a user types them: exit status, one clear line, no traceback."""

import math
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from exporter.backtests.command import BacktestOptions, _settings, run_backtest
from exporter.check import ask_queries
from exporter.config_file import ConfigError
from exporter.config_load import load_config, parse_config
from series import Window
from sources.base import Answer

CONFIG = "source: {url: 'http://127.0.0.1:1', timeout: 1s, retries: 0}\nqueries: [{name: up, query: up}]\n"


def forethought(*arguments, **options):
    command = [sys.executable, "-m", "exporter", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "forethought.yml"
    file.write_text(CONFIG)
    return file


def refused(result, *words):
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    for word in words:
        assert word in result.stderr


def test_help_names_every_command():
    result = forethought("--help")
    assert result.returncode == 0
    for command in ("run", "check-config", "backtest", "completion"):
        assert re.search(rf"^  {command} ", result.stdout, re.MULTILINE), command
        assert "Usage: " in forethought(command, "--help").stdout


@pytest.mark.parametrize("command", ["", "verdict", "explain", "forecast", "backtest"])
def test_examples_in_a_help_stand_on_lines_of_their_own(command):
    shown = forethought(*command.split(), "--help").stdout
    assert "\\b" not in shown
    assert len(re.findall(r"^    forethought ", shown, re.MULTILINE)) >= 2


@pytest.mark.parametrize("address", ["garbage", "ftp://127.0.0.1", "http://"])
def test_an_address_that_is_none_is_told(address):
    refused(forethought("explain", "--url", address, "--query", "up"), "--url must be an address such as")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell):
    assert "_FORETHOUGHT_COMPLETE" in forethought("completion", shell).stdout


def test_check_config_sums_up_a_good_file(config):
    result = forethought("check-config", f"--config.file={config}")
    assert result.returncode == 0
    assert "1 query to http://127.0.0.1:1" in result.stdout


def test_check_config_asks_the_source_when_told_to(config):
    result = forethought("check-config", f"--config.file={config}", "--ask")
    assert result.returncode == 1
    assert "up: unavailable: " in result.stdout
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", ["run", "check-config"])
def test_a_bad_configuration_stops_the_start(config, command):
    config.write_text("queries: [{name: up, query: up, histry: 1d}]")
    refused(
        forethought(command, f"--config.file={config}"), "forethought.yml:1: queries[0].histry", "queries[0].history?"
    )


def test_a_missing_configuration_is_named(tmp_path):
    refused(forethought("run", f"--config.file={tmp_path}/none.yml"), "none.yml: cannot be read")


def test_a_port_in_use_is_named(config, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = forethought(
            "run", f"--config.file={config}", f"--storage.path={tmp_path}/d", f"--web.listen-address=127.0.0.1:{port}"
        )
    refused(result, f"cannot listen on 127.0.0.1:{port}: Address already in use")


def test_a_bad_address_is_named(config):
    refused(forethought("run", f"--config.file={config}", "--web.listen-address=nonsense"), "must be HOST:PORT")


def test_an_unusable_state_folder_is_named(config, tmp_path):
    (tmp_path / "file").write_text("")
    refused(
        forethought(
            "run",
            f"--config.file={config}",
            f"--storage.path={tmp_path}/file/below",
            "--web.listen-address=127.0.0.1:0",
        ),
        "must be a folder that can be written to",
        "--storage.path",
    )


def test_starts_without_its_source_says_so_and_stops_gracefully(config, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "exporter", "run", f"--config.file={config}", f"--storage.path={tmp_path}/d",
               f"--web.listen-address=127.0.0.1:{port}", "--log.format=json", "--config.poll=1s"]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            page = wait_for(
                f"http://127.0.0.1:{port}/metrics", 'forethought_cycle_failure{query="up",reason="unavailable"} 1.0'
            )
            assert "forethought_source_up 0.0" in page
            assert "forethought_value{" not in page
            loaded = re.search(r"forethought_config_last_reload_success_timestamp_seconds [0-9.e+]+", page).group()
            os.kill(process.pid, signal.SIGHUP)
            wait_for(f"http://127.0.0.1:{port}/metrics", without=loaded)
            config.write_text(CONFIG.replace("name: up", "name: targets"))
            wait_for(f"http://127.0.0.1:{port}/metrics", 'forethought_cycle_failure{query="targets"')
            config.write_text("nonsense: 1")
            wait_for(f"http://127.0.0.1:{port}/metrics", "forethought_config_last_reload_successful 0.0")
            wait_for(f"http://127.0.0.1:{port}/-/ready", "ready")
        finally:
            process.send_signal(signal.SIGTERM)
            log = process.stderr.read()
    assert process.returncode == 0
    assert log.count("configuration loaded") == 3
    assert "Traceback" not in log


def wait_for(url, text="", seconds=20, without="\0"):
    deadline = time.monotonic() + seconds
    page = ""
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                page = answer.read().decode()
        except OSError:
            page = ""
        if page and text in page and without not in page:
            return page
        time.sleep(0.1)
    raise AssertionError(f"{text!r} did not appear in:\n{page[-2000:]}")


class Recorder:
    """A source that gives nothing and remembers for when."""

    def read_range(self, query, grid, *, series_limit):
        self.grid = grid
        return Answer(Window((), grid.times, np.empty((0, grid.n_steps))))

    def close(self):
        pass


def test_check_config_asks_in_plain_seconds(monkeypatch):
    source = Recorder()
    monkeypatch.setattr("exporter.check.make_source", lambda settings, telemetry: source)
    ask_queries(parse_config("f.yml", CONFIG), lambda line: None)
    assert str(source.grid.step) == "60"


def test_a_backtest_of_a_short_file_says_what_it_could_not_test(tmp_path):
    file = tmp_path / "load.csv"
    file.write_text("timestamp,value\n2026-11-01T00:00:00,1\n2026-11-01T01:00:00,2\n2026-11-01T02:00:00,2\n")
    result = forethought("backtest", f"--file={file}", "--horizon=1d", f"--out={tmp_path}/load.html")
    assert result.returncode == 0, result.stderr
    said = " ".join((result.stdout + result.stderr).split())
    assert "1 series, nothing to judge, as no series has more than 2 samples, in 1h: too few to learn from" in said
    assert "too short a past to test forecasts" in said
    assert "nan" not in said.replace(str(tmp_path), "")


def test_a_backtest_of_no_number_says_that_there_was_nothing_to_judge(tmp_path):
    file, page = tmp_path / "load.csv", tmp_path / "load.html"
    file.write_text("timestamp,value\n" + "".join(f"2026-11-0{day}T00:00:00,NaN\n" for day in range(1, 8)))
    result = forethought("backtest", f"--file={file}", "--step=1d", f"--out={page}")
    assert result.returncode == 0, result.stderr
    said = " ".join((result.stdout + result.stderr).split())
    assert "1 series, nothing to judge, as no sample is a finite number: all are missing, NaN or infinite" in said
    assert "0 anomalies" not in said
    assert "Nothing to judge, as no sample is a finite number: all are missing, NaN or infinite." in page.read_text()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"span": "1m"}, "--range: must be at least two steps of 5m. Got 1m."),
        ({"step": "11m"}, "--range: must be a multiple of the step 11m. Got 2w."),
        ({"horizons": ("400d",)}, "--horizon: must be at most 100000 steps of 5m. Got 400d."),
        ({"span": "9y"}, "--range: must be a duration with a unit"),
        ({"step": "0s"}, "--step: must be above 0s. Got 0s."),
        ({"coverage": 95.0}, "--coverage: must be less than 1. Got 95.0."),
        ({"horizons": ("soon",)}, "--horizon: must be a duration"),
        ({"timezone": "Mars"}, "--timezone: timezone must be an IANA name"),
        ({"series_limit": 0}, "--series-limit: must be greater than or equal to 1. Got 0."),
        ({"absolute": math.nan}, "--minimum-deviation.absolute: must be a finite number. Got nan."),
        ({}, "--out: nowhere must be a folder that is there."),
    ],
)
def test_a_mistake_in_an_option_of_a_backtest_names_the_option(given, said):
    nothing = dict.fromkeys(field.name for field in fields(BacktestOptions))
    options = BacktestOptions(**nothing | {"url": "http://127.0.0.1:1", "query": "up", "horizons": ()} | given)
    with pytest.raises((ConfigError, ValueError), match=f"^{re.escape(said)}"):
        run_backtest(options, Path("nowhere/page.html"), command="")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"horizons": ("400d",)}, "--horizon: must be at most 100000 steps of 5m. Got 400d."),
        ({"horizons": ("100d",), "step": "1m"}, "--horizon: must be at most 100000 steps of 1m. Got 100d."),
        ({"horizons": ("100d",)}, "--out: nowhere must be a folder that is there."),
        ({"span": "0s"}, "--range: must be at least two steps of 5m. Got 0s."),
        ({"step": "31d"}, "--step: must be at most 30d"),
    ],
)
def test_options_are_checked_against_the_step_of_a_file(tmp_path, given, said):
    with pytest.raises((ConfigError, ValueError), match=f"^{re.escape(said)}"):
        run_backtest(of_file(tmp_path, **given), Path("nowhere/page.html"), command="")


def test_a_selector_that_matches_no_series_of_a_file_is_told(tmp_path):
    with pytest.raises(
        ValueError, match=r"^--query: must match at least one series of .*good\.csv\. None matches {host"
    ):
        run_backtest(of_file(tmp_path, query='{host="z"}'), tmp_path / "page.html", command="")


def of_file(folder, **given):
    """Options of a backtest of a file whose step is five minutes."""
    file = folder / "good.csv"
    rows = "".join(f"2026-11-01T00:{minute:02}:00,{minute},a\n" for minute in range(0, 60, 5))
    file.write_text("timestamp,value,host\n" + rows)
    nothing = dict.fromkeys(field.name for field in fields(BacktestOptions))
    return BacktestOptions(**nothing | {"file": file, "query": "", "horizons": ()} | given)


def test_a_backtest_of_a_short_range_takes_what_else_a_query_says(tmp_path):
    file = tmp_path / "forethought.yml"
    file.write_text(
        "defaults: {interval: 1h, late_samples: 2h, latency: 1m, direction: above, forecast: {coverage: 0.8}}\n"
        "queries: [{name: up, query: up, minimum_deviation: {absolute: 3}}]\n"
    )
    nothing = dict.fromkeys(field.name for field in fields(BacktestOptions))
    options = BacktestOptions(**nothing | {"query": "", "config_file": file, "horizons": ("5m",), "span": "10m"})
    _, query, _ = _settings(options)
    known = load_config(file).queries[0]
    assert (query.history, query.step, query.latency) == (600, 60, 60)
    assert (query.direction, query.minimum_deviation) == ("above", known.minimum_deviation)
    assert (query.forecast.coverage, query.forecast.horizons) == (0.8, (300,))


def test_a_backtest_takes_the_calendar_of_its_query(tmp_path):
    file = tmp_path / "forethought.yml"
    file.write_text(
        "source: {url: 'http://127.0.0.1:1', retries: 0}\n"
        "calendars: [{name: factory, holidays: [DE]}]\n"
        "queries: [{name: up, query: up, calendar: factory}]\n"
    )
    nothing = dict.fromkeys(field.name for field in fields(BacktestOptions))
    options = BacktestOptions(**nothing | {"query": "", "config_file": file, "horizons": ()})
    _, query, occasions = _settings(options)
    assert query.calendar == "factory"
    assert occasions == load_config(file).occasions(query)
    assert occasions is not None
