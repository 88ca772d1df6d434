"""Every kind of mistake in a configuration, with the line it must give."""

from pathlib import Path

import pytest

from exporter.config_file import ConfigError
from exporter.config_load import load_config, parse_config
from exporter.duration import Duration

CASES = sorted((Path(__file__).parent / "cases").glob("*.yml"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_mistake_gives_its_line(case):
    with pytest.raises(ConfigError) as caught:
        parse_config(case.name, case.read_text())
    assert str(caught.value) == case.with_suffix(".expected").read_text().rstrip("\n")


def test_a_query_inherits_the_defaults_it_does_not_set():
    config = parse_config(
        "f.yml",
        "defaults: {step: 5m, minimum_deviation: {absolute: 2, relative: 0}}\n"
        "queries: [{name: a, query: up, minimum_deviation: {relative: 1}}, {name: b, query: up, step: 1m}]",
    )
    first, second = config.queries
    assert (first.step, second.step) == (Duration(300), Duration(60))
    assert (first.minimum_deviation.absolute, first.minimum_deviation.relative) == (2, 1)
    assert (second.minimum_deviation.absolute, second.minimum_deviation.relative) == (2, 0)


def test_a_history_may_be_shorter_than_what_nobody_set():
    (query,) = parse_config("f.yml", "queries: [{name: a, query: up, step: 10s, history: 20s}]").queries
    assert query.late_samples > query.history


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.yml: cannot be read: No such file or directory"):
        load_config(tmp_path / "absent.yml")
    binary = tmp_path / "binary.yml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"binary\.yml: must be UTF-8 text. Got byte 0xff"):
        load_config(binary)


@pytest.mark.parametrize("text", ["1h30m", "30s", "1w2d3h4m5s", "14d"])
def test_durations_read_back_what_they_write(text):
    duration = Duration.parse(text)
    assert Duration.parse(str(duration)) == duration


def test_weeks_are_written_where_they_are_whole_as_prometheus_does():
    assert [str(Duration.parse(text)) for text in ("30d", "14d", "1w1d")] == ["30d", "2w", "8d"]


@pytest.mark.parametrize("text", ["", " ", "5", "m", "1.5h", "5M", "1m1h", "-1m"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="must be a duration with a unit"):
        Duration.parse(text)


@pytest.mark.parametrize("text", ["9" * 5000 + "s", "5201w"])
def test_a_duration_longer_than_a_hundred_years_is_refused(text):
    with pytest.raises(ValueError, match="must be at most 5200w"):
        Duration.parse(text)
