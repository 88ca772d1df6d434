"""One series to look at: its past as it was judged, what the page says, and what it says where there is none."""

from __future__ import annotations

import json
import queue
import re
from dataclasses import dataclass
from html import unescape

import numpy as np
import pytest
from flask import Flask

from detectors.suppress import Suppression
from exporter.duration import Duration
from exporter.explain.explainer import Explainer
from exporter.forecast_api.asked import Asked
from exporter.forecast_api.desk import ForecastDesk
from exporter.pages.series_page import SeriesFacts
from exporter.run import series_rooms
from exporter.series_page.desk import SeriesDesk
from exporter.series_page.fits import MOST_FITS
from exporter.series_page.page import series_page
from exporter.series_page.past import alarm_steps
from exporter.service import Service
from exporter.status import status_page
from series import SeriesKey, Window
from series.matcher import written
from sources.base import Answer

CONFIG = """
defaults: {step: 5m, history: 6d, latency: 0s, late_samples: 0s, refit: 1h}
queries:
  - {name: rate, query: rate}
  - {name: disk, query: disk, limits: [{name: full, value: 500, scaling: {unit: 50}}, {name: never, value: 9000}]}
"""
NOON = 1_782_820_800.0
HOSTILE = "</script><script>document.title='owned'</script>\"'&<img src=x> \u2028"
KEYS = tuple(SeriesKey({"__name__": "load", "job": name}) for name in ("api", "web", HOSTILE))


@dataclass
class Made:
    """Daily waves, of which the first triples for half an hour; and a disk that grows by 40 a day."""

    def read_range(self, query, grid, *, series_limit):
        wave = 100 + 30 * np.sin(2 * np.pi * grid.times / 86_400) + np.sin(grid.times * 7919.0)
        if query == "disk":
            grown = 300 + 40 * (grid.times - NOON) / 86_400 + wave / 20
            keys = (SeriesKey({"disk": "a"}), SeriesKey({"disk": "a", "part": "1"}))
            return Answer(Window(keys, grid.times, np.stack([grown, wave])), samples=2 * wave.size)
        rows = np.stack([wave, 2 * wave, 3 * wave])
        rows[0, (grid.times >= NOON + 1_800) & (grid.times < NOON + 3_600)] *= 3
        return Answer(Window(KEYS, grid.times, rows), samples=rows.size)

    def close(self):
        pass


@dataclass
class Clock:
    now: float = NOON

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A service after one and a half hours or more, some time after a fit, and what it said of the first series."""
    file = tmp_path_factory.mktemp("series") / "forethought.yml"
    file.write_text(CONFIG)
    clock = Clock()
    service = Service(file, None, clock, connect=lambda settings, telemetry: Made())
    for query in service.config.queries:
        service._add(query)
        service._run(service.queries[query.name])
    said, since = {}, 0.0
    while len(said) < 18 or not 2_400 <= since < 3_000:
        clock.now += 300
        service._run(service.queries["rate"])
        cycle = service.queries["rate"].cycle
        one = cycle.calling.told
        since = one.time - cycle.detector.basis(one.seen.keys[0], one.time).until
        said[one.time] = (one.seen.expected[0], one.seen.upper[0], one.held.scores[0, -1], bool(one.firing[0]))
    service._run(service.queries["disk"])
    return service, said


@pytest.fixture
def client(told):
    app = Flask("test")
    for room in series_rooms(told[0]):
        app.register_blueprint(room)
    return app.test_client()


def history(client, status=200, **wanted):
    answer = client.get("/api/v1/history", query_string={"query": "rate"} | wanted)
    assert answer.status_code == status, answer.text
    return answer.json["data"] if status == 200 else answer.json["error"]


def page(client, status=200, **wanted):
    answer = client.get("/series", query_string={"query": "rate"} | wanted)
    assert answer.status_code == status, answer.text
    return answer.text


def test_the_past_is_judged_again_as_it_was_judged_live(told, client):
    found = history(client, series='{job="api"}', range="2h")
    columns = ("expected", "upper", "scores")
    again = {time: values for time, *values in zip(found["times"], *(found[name] for name in columns), strict=True)}
    for time in list(told[1])[-7:]:  # since the last fit, of which the whole history is at hand
        assert again[time] == pytest.approx(told[1][time][:3], rel=1e-9), time
    (alarm,) = found["alarms"]
    live = [time for time, values in told[1].items() if values[3]]
    assert alarm["begin"] == live[0]
    assert alarm["end"] == pytest.approx(live[-1], abs=600)
    assert alarm["value"] > alarm["upper"]


def test_a_long_past_learns_less_often_and_keeps_every_extreme_and_alarm(client):
    found = history(client, series='{job="api"}', range="6d")
    assert found["learnedEvery"] > 6 * 86_400 / (MOST_FITS + 1)
    assert max(found["values"]) > 200
    assert len(found["alarms"]) == 1
    assert found["expected"][0] is None, "too little was known then"
    assert found["expected"][-1] is not None


def test_alarm_steps_are_those_of_the_rule_that_looks_at_every_step():
    rng = np.random.default_rng(3)
    for rule in (Suppression(), Suppression(hold=3, within=5, quiet=120, release=0.8), Suppression(quiet=0)):
        for share in (0.002, 0.05, 0.5):
            scores = np.where(rng.random(3_000) < share, rng.exponential(1.5, 3_000), rng.random(3_000) * 0.99)
            scores[rng.random(3_000) < 0.1] = np.nan
            scores[500:700] = np.nan
            np.testing.assert_array_equal(alarm_steps(scores, rule, 60), rule.alarms(scores[np.newaxis], 60)[0])


def test_the_page_says_what_is_known_of_a_series(client):
    html = page(client, series='{job="api"}')
    text = re.sub(r"\s+", " ", re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", html, flags=re.S))
    for part in (
        "In alarm: ",
        "detectors agree",
        "1 is the threshold",
        "window pca 6",
        "Baseline holds since",
        "Learned from",
    ):
        assert part in text, part
    data = json.loads(re.search(r'id="data">(.*?)</script>', html, re.S)[1])
    assert data["times"][-1] - data["times"][0] == 2 * 86_400
    assert data["forecast"] == {"query": "rate", "series": '{job="api", metric="load"}', "horizon": "1d", "per": "none"}
    assert "default-src 'none'" in unescape(html)
    assert "connect-src 'self'" in unescape(html)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', html)


def test_the_alarm_that_goes_on_is_one_of_the_alarms_that_are_counted(told, client):
    html = page(client, series='{job="api"}')
    assert "In alarm: " in html
    live = [time for time, values in told[1].items() if values[3]]
    assert live[-1] - live[0] == 300 * (len(live) - 1), "there was one alarm, the present one"
    assert re.search(r"<dt>Alarms</dt><dd><strong>1</strong> <small>in the last \d+ days", html)


def test_the_page_reaches_as_far_as_the_date_of_the_nearest_limit(client):
    html = page(client, query="disk", series='{disk="a"}')
    data = json.loads(re.search(r'id="data">(.*?)</script>', html, re.S)[1])
    full, never = data["limits"]
    assert full["time"] < data["times"][-1] + data["ahead"] == pytest.approx(data["times"][-1] + 7 * 86_400)
    assert full["advice"].startswith("add ")
    assert never["time"] is None
    assert "Limit full in" in html
    assert "not expected" in html
    assert data["forecast"]["summary"] == "highest"


def test_labels_of_a_whole_series_mean_it_alone_although_another_has_more(client):
    assert history(client, query="disk", series='{disk="a"}')["labels"] == {"disk": "a"}
    assert "which means 2" in history(client, 400, query="disk", series='{disk=~"a"}')


def test_the_page_begins_with_what_its_browser_will_ask_for(told):
    begun = queue.SimpleQueue()

    class Past(SeriesDesk):
        def prepare(self, query, matchers, span):
            super().prepare(query, matchers, span)
            begun.put(("history", {"query": query, "series": written(matchers), "range": str(Duration(int(span)))}))

    class Next(ForecastDesk):
        def forecast(self, asked):
            answer = super().forecast(asked)
            begun.put(("forecast", answer))
            return answer

    past, ahead = Past(told[0].cycles), Next(told[0].cycles)
    app = Flask("test")
    app.register_blueprint(series_page(past, Explainer(told[0].cycles), ahead, told[0].freshness))
    html = page(app.test_client(), series='{job="api"}')
    data = json.loads(re.search(r'id="data">(.*?)</script>', html, re.S)[1])
    found = dict(begun.get(timeout=30) for _ in range(2))
    assert found["history"] == data["history"]
    again = ahead.forecast(Asked.of(data["forecast"]))
    assert again["series"][0]["mean"] is found["forecast"]["series"][0]["mean"]


def test_a_query_alone_lists_its_series_the_strangest_first(client):
    html = page(client)
    links = re.findall(r'<td><a href="(series\?[^"]+)"', html)
    assert len(links) == 3
    assert "job%3D%22api%22" in links[0]
    for link in links:
        assert client.get("/" + link.replace("&amp;", "&")).status_code == 200, link


def test_a_hostile_label_stays_text(client):
    series = '{job=~"</script>.+"}'
    for html in (page(client), page(client, series=series)):
        assert "<script>document" not in html
        assert "<img" not in html
    assert history(client, series=series)["labels"]["job"] == HOSTILE


def test_what_is_not_there_is_said_in_one_plain_line(client):
    assert "query must be one of disk, rate. Got &#39;rat&#39;." in page(client, 404, query="rat")
    assert "series must be one of the 3 of rate." in page(client, 404, series='{job="x"}')
    assert "query must be the name of a query." in page(client, 400, query="")
    assert "matchers must look like" in page(client, 400, series="job")
    assert "range must be a duration" in page(client, 400, series='{job="api"}', range="soon")
    assert history(client, 404, query="rat") == "query must be one of disk, rate. Got 'rat'."
    assert history(client, 400, end="1") == "parameters must be query, series or range. Got 'end'."
    assert history(client, 400, range="0s") == "range must be above 0s."


def test_before_the_first_cycle_the_page_says_so(tmp_path):
    file = tmp_path / "forethought.yml"
    file.write_text(CONFIG)
    service = Service(file, None, Clock(), connect=lambda settings, telemetry: Made())
    service._add(service.config.queries[0])
    app = Flask("test")
    for room in series_rooms(service):
        app.register_blueprint(room)
    assert "Nothing to show yet" in page(app.test_client(), 503, series='{job="api"}')


def test_the_landing_page_leads_to_what_is_in_alarm_and_to_the_strangest_of_each_query(told):
    html = status_page(told[0])
    assert "In alarm, and the strangest" in html
    links = re.findall(r'<a href="(series\?query=(\w+)&series[^"]+)"', html)
    assert [query for _, query in links] == ["rate", "disk"]
    assert "was expected" in html


SAID = {
    "value": 5.0,
    "warmingUp": False,
    "heldBack": None,
    "peers": None,
    "expected": {"lower": 4.0, "upper": 6.0},
    "score": {"consensus": 0.4},
    "alarm": {"firing": False},
    "severity": {"name": "none"},
}


@pytest.mark.parametrize(
    ("more", "headline"),
    [
        ({}, "As expected"),
        ({"value": 9.0}, "Outside of its band, which is not rare enough for an alarm"),
        ({"value": None}, "No sample now"),
        ({"warmingUp": True, "expected": {"lower": None, "upper": None}}, "Learning what is normal"),
        ({"score": {"consensus": 1.2}}, "Strange, and no alarm so far"),
        ({"score": {"consensus": 1.2}, "heldBack": "a silence"}, "Strange, and held back"),
        ({"alarm": {"firing": True}, "severity": {"name": "high"}}, "In alarm: high"),
        ({"peers": {"firing": True}}, "In alarm: unlike its peers"),
        ({"peers": {"firing": False}}, "As expected"),
    ],
)
def test_the_headline_says_how_a_series_is(more, headline):
    nothing = {"query": "", "expression": "", "selector": "", "labels": (), "limits": (), "span": "", "ahead": ""}
    facts = SeriesFacts(**nothing, said=SAID | more, spans=(), aheads=(), shadow=False, data={})
    assert facts.headline == headline
    assert facts.nearest_limit is None
