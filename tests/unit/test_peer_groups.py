"""One of several like series differs: its score, its alarm, what holds it back, and what is said of it."""

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from detectors.verdict import About
from exporter.explain.explainer import Explainer
from exporter.explain.text import as_text
from exporter.models.batches import Batch, Batches
from exporter.run import series_rooms
from exporter.series_page.overview import strangest
from exporter.service import Service
from exporter.status import status_page
from exporter.verdicts.requests import NewVerdict, WebhookAlert
from exporter.wiring import make_state
from series import SeriesKey, Window
from series.matcher import parse_matchers
from sources.base import Answer

NOON = 1_782_820_800
KEYS = tuple(SeriesKey({"job": job, "instance": str(n)}) for job in ("api", "web") for n in range(8))
ODD = parse_matchers('{job="api", instance="3"}')
CONFIG = """
defaults: {step: 5m, history: 4d, latency: 0s, refit: 2h, forecast: {horizons: []}}
queries:
  - {name: errors, query: errors, peers_by: [job]}
"""
BESIDE = "0.9 where its 7 peers are at 0.2..0.3"


@dataclass
class Fleet:
    """Two jobs of eight instances, whose load is as wild as no past tells; one instance leaves its peers after noon."""

    keys: tuple = KEYS

    def read_range(self, query, grid, *, series_limit):
        wild = 3 + np.sin(grid.times / 3e4) + 2 * np.sin(grid.times * 1.7) + np.sin(grid.times * 0.37)
        rows = wild / 20 + 0.1 * np.sin(np.outer(7919.0 * np.arange(1, 17), grid.times)) ** 5
        after = grid.times >= NOON + 1_800
        rows[:8, after] = 0.25 + 0.05 * np.sin(np.outer(np.arange(8), grid.times[after]))
        rows[1, after], rows[2, after], rows[3, after] = 0.2, 0.3, 0.9
        mine = rows[[KEYS.index(key) if key in KEYS else 0 for key in self.keys]]
        return Answer(Window(self.keys, grid.times, mine), samples=mine.size)

    def close(self):
        pass


@dataclass
class House:
    folder: object
    file: object
    now: float = float(NOON)
    source: Fleet = field(default_factory=Fleet)

    def service(self, text=CONFIG):
        self.file.write_text(text)
        made = Service(self.file, self.folder, lambda: self.now, connect=lambda settings, telemetry: self.source)
        made._add(made.config.queries[0])
        return made

    def cycle(self, service, turns=1):
        for _ in range(turns):
            service._run(service.queries["errors"])
            self.now += 300


@pytest.fixture
def house(tmp_path):
    return House(make_state(tmp_path / "state"), tmp_path / "forethought.yml")


def samples(service, name):
    families = text_string_to_metric_families(service.page.body().decode())
    found = [sample for family in families for sample in family.samples if sample.name == f"forethought_{name}"]
    return {(one.labels["job"], one.labels["instance"]): one.labels.get("why", one.value) for one in found}


def alarms(service):
    return {name for name, value in samples(service, "peer_alarm").items() if value}


def test_the_odd_one_has_a_score_an_alarm_and_a_reason_and_nobody_else(house):
    service = house.service()
    house.cycle(service, 6)
    assert max(samples(service, "peer_score").values()) < 1
    assert (len(samples(service, "peer_alarm")), alarms(service), samples(service, "peer_info")) == (16, set(), {})
    house.cycle(service, 3)
    scores = samples(service, "peer_score")
    assert max(scores, key=scores.get) == ("api", "3")
    assert alarms(service) == {("api", "3")}
    assert samples(service, "peer_info") == {("api", "3"): BESIDE}


def test_pages_lead_to_it_and_say_so(house):
    service = house.service()
    own = {"verdict": "expected", "query": "errors", "matchers": '{job="api"}', "about": "past"}
    service.hearing.desk.give(NewVerdict.model_validate(own))
    house.cycle(service, 9)
    told = service.cycles()["errors"].calling.told
    assert not told.firing.any()
    (line, *others) = strangest(service.cycles()["errors"], 16)
    assert (dict(line.labels), line.firing, line.why) == ({"job": "api", "instance": "3"}, True, BESIDE)
    assert line.since == told.peers.alarms.begun[told.seen.keys.index(KEYS[3])]
    assert not any(other.firing for other in others)
    assert BESIDE in status_page(service)
    app = Flask("test")
    for room in series_rooms(service):
        app.register_blueprint(room)
    asked = {"query": "errors", "series": line.selector}
    html = app.test_client().get("/series", query_string=asked).text
    for part in ("In alarm: unlike its peers", BESIDE, "&about=peers", "<dt>Peers</dt>"):
        assert part in html, part
    other = app.test_client().get("/series", query_string=asked | {"series": others[0].selector}).text
    assert "unlike its peers" not in other


def test_without_the_key_nothing_is_compared(house):
    service = house.service(CONFIG.replace(", peers_by: [job]", ""))
    house.cycle(service, 9)
    assert samples(service, "peer_score") == samples(service, "peer_alarm") == samples(service, "peer_info") == {}
    assert Explainer(service.cycles).explain("errors", ODD)["peers"] is None


def test_an_empty_list_makes_peers_of_all_series(house):
    house.source = Fleet(KEYS[2:6])  # by job four and none would be
    service = house.service(CONFIG.replace("[job]", "[]"))
    house.cycle(service, 9)
    assert alarms(service) == {("api", "3")}
    batches = Batches(Batch, 21_600.0, 0.0, 60.0, ())
    batches.place(tuple(SeriesKey({"instance": str(row)}) for row in range(2_000)))
    assert [len(batch.members) for batch in batches if len(batch.members)] == [2_000]


def test_too_few_or_too_young_peers_are_absent(house):
    house.source = Fleet(KEYS[:4] + KEYS[8:11])
    service = house.service()
    house.cycle(service)
    assert {job for job, _ in samples(service, "peer_score")} == {"api"}
    young = House(None, house.file)
    service = young.service(CONFIG.replace("history: 4d", "history: 1d"))
    young.cycle(service)
    assert samples(service, "peer_score") == {}


def test_a_restart_changes_nothing(house):
    steady, stopped = house.service(), house.service()
    for turn in range(12):
        now = house.now
        house.cycle(steady)
        house.now = now
        house.cycle(stopped)
        for name in ("peer_score", "peer_alarm", "peer_info"):
            assert samples(stopped, name) == samples(steady, name), (turn, name)
        if turn in (3, 8):
            stopped._save(stopped.queries["errors"])
            stopped = house.service()
    assert alarms(steady) == {("api", "3")}


def test_steps_that_come_together_are_judged_as_those_that_come_one_by_one(house):
    steady, late = house.service(), house.service()
    house.cycle(late)
    house.now -= 300
    house.cycle(steady, 9)
    house.now -= 300
    house.cycle(late)
    assert samples(late, "peer_score") == pytest.approx(samples(steady, "peer_score"), rel=1e-9)
    assert alarms(late) == alarms(steady) == {("api", "3")}


def test_a_query_in_shadow_has_scores_alone(house):
    service = house.service(CONFIG.replace("peers_by", "shadow: true, peers_by"))
    house.cycle(service, 9)
    assert samples(service, "peer_score")["api", "3"] > 1
    assert samples(service, "peer_alarm") == samples(service, "peer_info") == {}


def test_a_maintenance_window_holds_it_back(house):
    start = dt.datetime.fromtimestamp(NOON, dt.UTC).strftime("%Y-%m-%d %H:%M")
    window = f"""
maintenance:
  - {{name: patching, start: "{start}", lasts: 4h, matchers: '{{instance="3"}}'}}
"""
    service = house.service(CONFIG + window)
    house.cycle(service, 9)
    assert samples(service, "peer_score")["api", "3"] > 1
    assert alarms(service) == set()
    said = Explainer(service.cycles).explain("errors", ODD)
    assert said["peers"]["heldBack"] == "maintenance window patching"


def test_a_verdict_on_it_holds_back_what_it_speaks_of_and_nothing_else(house):
    service = house.service()
    house.cycle(service, 8)
    size = service.cycles()["errors"].calling.memory.peers.size(ODD, NOON).score
    assert size >= samples(service, "peer_score")["api", "3"] > 1
    desk = service.hearing.desk
    given = desk.give(NewVerdict(verdict="false", query="errors", matchers='{instance="3"}', about="peers"))
    assert given.verdict.score == size
    house.cycle(service)
    account = Explainer(service.cycles).explain("errors", ODD)
    said = account["peers"]
    assert account["score"]["consensus"] == account["score"]["afterVerdicts"]
    assert (
        samples(service, "peer_score")["api", "3"] == said["afterVerdicts"] == pytest.approx(said["score"] / 1.3 / size)
    )
    assert said["heldBack"].startswith(f"score {said['score']:.3g} counts as")
    assert "beside its peers" in said["heldBack"]
    house.cycle(service, 4)
    assert alarms(service) == set()
    desk.take_back(given.verdict.id)
    house.cycle(service)
    assert alarms(service) == {("api", "3")}


def test_an_alert_about_peers_carries_its_own_size_and_meaning(house):
    service = house.service()
    house.cycle(service, 8)
    labels = {"alertname": "ForethoughtPeerAnomaly", "query": "errors", "job": "api", "instance": "3"}
    times = {"startsAt": "2026-06-30T12:30:00Z", "endsAt": "0001-01-01T00:00:00Z"}
    alert = {"status": "firing", "labels": labels, "fingerprint": "f1", **times}
    desk = service.hearing.desk
    desk.hear([WebhookAlert.model_validate(alert)])
    assert desk.alert("f1").score >= samples(service, "peer_score")["api", "3"] > 1
    assert desk.give(NewVerdict(verdict="true", alert="f1")).verdict.about is About.PEERS
    with pytest.raises(ValueError, match="about must be left out with an alert"):
        NewVerdict(verdict="true", alert="f1", about="past")


def test_an_explanation_says_where_the_peers_are_also_of_an_earlier_step(house):
    service = house.service()
    house.cycle(service, 8)
    before = samples(service, "peer_score")["api", "3"]
    house.cycle(service)
    explainer = Explainer(service.cycles)
    said = explainer.explain("errors", ODD)
    peers = said["peers"]
    assert (peers["labels"], peers["why"], peers["count"]) == ({"job": "api"}, BESIDE, 7)
    assert (peers["firing"], peers["since"]) == (True, NOON + 1_800)
    assert peers["expectedLower"] < 0.25 < peers["expectedUpper"] < 0.9
    assert f"peers        {BESIDE}; " in as_text(said)
    assert "in alarm since 2026-06-30T12:30:00Z" in as_text(said)
    earlier = explainer.explain("errors", ODD, said["time"] - 300)
    assert earlier["judged"].startswith("again")
    assert earlier["peers"]["score"] == pytest.approx(before, rel=1e-9)
    assert earlier["peers"]["firing"]
    assert not explainer.explain("errors", ODD, NOON + 900)["peers"]["firing"]


def test_series_that_come_and_go_are_no_peers_of_the_others(house):
    service = house.service()
    house.cycle(service, 2)
    house.source.keys = KEYS[8:] + KEYS[:8]
    house.cycle(service)
    assert len(samples(service, "peer_score")) == 16
    house.source.keys = (*KEYS[:7], SeriesKey({"job": "api", "instance": "new"}))
    house.cycle(service)
    scores = samples(service, "peer_score")
    assert ("api", "new") not in scores  # until the models learn anew
    assert len(scores) == 7
