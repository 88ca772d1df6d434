"""What `check-config --ask` finds out about queries, labels and limits."""

import numpy as np

from exporter.check import ask_queries
from exporter.config_load import parse_config
from series import SeriesKey, Window
from sources.base import Answer
from sources.errors import QueryRefused

USED = [SeriesKey({"__name__": "used", "disk": disk, "zone": "a"}) for disk in ("sda", "sdb")]
ANSWERS = {"used": USED, "size": [SeriesKey({"disk": "sda"}), SeriesKey({"disk": "sdb"})], "none": []}


class Source:
    def read_range(self, query, grid, *, series_limit):
        if query not in ANSWERS:
            raise QueryRefused(query, f"query {query} must succeed.")
        keys = tuple(ANSWERS[query])
        return Answer(Window(keys, grid.times, np.ones((len(keys), grid.n_steps))))

    def close(self):
        pass


def asked(monkeypatch, settings):
    monkeypatch.setattr("exporter.check.make_source", lambda source, telemetry: Source())
    lines = []
    answered = ask_queries(parse_config("f.yml", f"queries: [{{name: disk, query: used, {settings}}}]"), lines.append)
    assert lines[0] == "  disk: 2 series"
    return answered, [line.removeprefix("  disk: ") for line in lines[1:]]


def test_labels_that_are_there_are_not_spoken_of(monkeypatch):
    assert asked(monkeypatch, "group_by: [zone], peers_by: [disk]") == (True, [])
    assert asked(monkeypatch, "peers_by: []") == (True, [])


def test_a_label_that_no_series_has_is_told(monkeypatch):
    answered, lines = asked(monkeypatch, "group_by: [zoen], peers_by: [disk, dsik]")
    assert answered
    assert lines == [
        "group_by: no series has the label zoen. Labels there are: disk, zone.",
        "peers_by: no series has the label dsik. Labels there are: disk, zone.",
    ]


def test_a_query_without_series_fails(monkeypatch):
    monkeypatch.setattr("exporter.check.make_source", lambda source, telemetry: Source())
    lines = []
    assert not ask_queries(parse_config("f.yml", "queries: [{name: typo, query: none}]"), lines.append)
    assert lines == ["  typo: 0 series. Nothing would be judged: check the expression."]


def test_limits_are_asked_for(monkeypatch):
    limits = "limits: [{name: full, query: size, on: [disk]}, {name: soft, value: 7}]"
    assert asked(monkeypatch, limits) == (True, ["limit full: of 2 series"])


def test_a_limit_that_no_series_has_is_told(monkeypatch):
    answered, lines = asked(monkeypatch, "limits: [{name: full, query: none}]")
    assert (answered, lines) == (True, ["limit full: of 0 series. Check its query and the labels in `on`."])


def test_a_limit_that_cannot_be_asked_for_or_is_doubled_fails(monkeypatch):
    answered, lines = asked(monkeypatch, "limits: [{name: full, query: broken}, {name: two, query: size, on: [dsk]}]")
    assert not answered
    assert lines == [
        "limit full: query broken must succeed.",
        "limit two: the query of a limit must give one series for each value of the labels in on (dsk).",
    ]
