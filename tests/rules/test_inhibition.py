"""One cause, one notification: what a real Alertmanager mutes, groups and sends."""

from __future__ import annotations

import json
import queue
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import yaml

ROOT = Path(__file__).parents[2] / "alertmanager"
ANOMALY = {"alertname": "ForethoughtAnomaly", "tenant": "acme", "query": "duration"}
ITSELF = {"component": "forethought", "tenant": "none", "job": "forethought", "instance": "h:9815"}

pytestmark = pytest.mark.servers


def series(name: str) -> dict[str, str]:
    return {"pipeline_id": name, "series": f'pipeline_id="{name}",query="duration"'}


ALERTS = {
    "warning": {**ANOMALY, **series("a"), "severity": "warning"},
    "critical": {**ANOMALY, **series("a"), "severity": "critical"},
    "other series": {**ANOMALY, **series("b"), "severity": "warning"},
    "forecast": {**ANOMALY, **series("b"), "alertname": "ForethoughtForecastMissed", "severity": "info"},
    "other forecast": {**ANOMALY, **series("c"), "alertname": "ForethoughtForecastMissed", "severity": "info"},
    "group": {**ANOMALY, "alertname": "ForethoughtGroupAnomaly", "workload": "a", "severity": "warning"},
    "other group": {**ANOMALY, "alertname": "ForethoughtGroupAnomaly", "tenant": "globex", "severity": "warning"},
    "peer": {**ANOMALY, **series("b"), "alertname": "ForethoughtPeerAnomaly", "severity": "warning"},
    "other peer": {**ANOMALY, **series("c"), "alertname": "ForethoughtPeerAnomaly", "severity": "warning"},
    "drift": {**ANOMALY, **series("b"), "alertname": "ForethoughtDrift", "severity": "info"},
    "other drift": {**ANOMALY, **series("c"), "alertname": "ForethoughtDrift", "severity": "info"},
    "widespread": {"alertname": "ForethoughtWidespreadAnomaly", "severity": "critical", "query": "duration"},
    "other query": {**ANOMALY, **series("a"), "query": "cost", "severity": "warning"},
    "outage": {**ITSELF, "alertname": "ForethoughtOutage", "query": "duration", "label": "instance", "value": "a"},
    "same outage": {**ITSELF, "alertname": "ForethoughtOutage", "query": "cost", "label": "instance", "value": "a"},
    "whole outage": {**ITSELF, "alertname": "ForethoughtOutage", "query": "runs"},
    "silent": {**ANOMALY, **series("d"), "alertname": "ForethoughtSeriesSilent", "severity": "info"},
    "other silent": {**ANOMALY, **series("d"), "alertname": "ForethoughtSeriesSilent", "query": "cost"},
    "source": {**ITSELF, "alertname": "ForethoughtSourceDown", "severity": "critical"},
    "no samples": {**ITSELF, "alertname": "ForethoughtNoSamples", "severity": "warning"},
    "reload": {**ITSELF, "alertname": "ForethoughtConfigReloadFailed", "severity": "warning"},
    "down": {**ITSELF, "alertname": "ForethoughtDown", "severity": "critical"},
}


@dataclass(frozen=True)
class Receiver:
    """Where notifications for teams arrive, and those for forethought."""

    url: str
    teams: queue.Queue[dict[str, Any]]
    forethought: queue.Queue[dict[str, Any]]


@dataclass(frozen=True)
class Alertmanager:
    url: str
    told: Receiver

    def send(self, *names: str) -> None:
        body = [{"labels": ALERTS[name], "annotations": {"summary": name}} for name in names]
        requests.post(f"{self.url}/api/v2/alerts", json=body, timeout=5).raise_for_status()

    def muted(self) -> set[str]:
        alerts = requests.get(f"{self.url}/api/v2/alerts", timeout=5).json()
        return {alert["annotations"]["summary"] for alert in alerts if alert["status"]["inhibitedBy"]}

    def notification(self) -> dict[str, Any]:
        return self.told.teams.get(timeout=20)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver("", queue.Queue(), queue.Queue())

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            (told.teams if self.path == "/hook" else told.forethought).put(body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield replace(told, url=f"http://127.0.0.1:{server.server_address[1]}")
    server.shutdown()
    server.server_close()


@pytest.fixture
def alertmanager(tmp_path: Path, receiver: Receiver) -> Iterator[Alertmanager]:
    """The real program on the real file, with waits cut short and webhooks pointed to the test."""
    config = yaml.safe_load((ROOT / "alertmanager.yml").read_text())
    config["templates"] = [str(ROOT / "templates" / "*.tmpl")]
    config["route"] |= {"group_wait": "1s", "group_interval": "1s"}
    for each in config["receivers"]:
        [hook] = each["webhook_configs"]
        hook["url"] = receiver.url + urlsplit(hook["url"]).path
    path, url = tmp_path / "alertmanager.yml", f"127.0.0.1:{free_port()}"
    path.write_text(yaml.safe_dump(config))
    arguments = [f"--config.file={path}", f"--storage.path={tmp_path}/data", f"--web.listen-address={url}"]
    with (tmp_path / "log").open("w") as log:
        command = ["prometheus-alertmanager", *arguments, "--cluster.listen-address="]
        process = subprocess.Popen(command, stderr=log)
    try:
        wait_until_ready(f"http://{url}/-/ready")
        yield Alertmanager(f"http://{url}", receiver)
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if requests.get(url, timeout=1).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    pytest.fail(f"{url} was not ready within 20 s")


def test_what_mutes_what(alertmanager: Alertmanager) -> None:
    series_of_the_query = [
        "warning",
        "other series",
        "forecast",
        "other forecast",
        "peer",
        "other peer",
        "drift",
        "other drift",
        "group",
        "other group",
    ]
    everything = [*series_of_the_query, "other query", "no samples", "reload"]
    alertmanager.send(*everything)
    assert alertmanager.muted() == {"forecast", "peer", "drift"}
    alertmanager.send("critical")
    assert alertmanager.muted() == {"forecast", "peer", "drift", "warning"}
    alertmanager.send("widespread")
    of_the_query = {*series_of_the_query, "critical"}
    assert alertmanager.muted() == of_the_query
    alertmanager.send("source")
    assert alertmanager.muted() == of_the_query | {"widespread", "other query", "no samples"}
    alertmanager.send("down")
    assert alertmanager.muted() == {*everything, "critical", "widespread", "source"}


def test_an_outage_mutes_the_silences_of_its_query_and_is_muted_where_a_dead_query_is_told(
    alertmanager: Alertmanager,
) -> None:
    alertmanager.send("silent", "other silent")
    assert alertmanager.muted() == set()
    alertmanager.send("outage", "whole outage")
    assert alertmanager.muted() == {"silent"}
    alertmanager.send("no samples")
    assert alertmanager.muted() == {"silent", "whole outage"}
    alertmanager.send("source")
    assert alertmanager.muted() == {"silent", "other silent", "outage", "whole outage", "no samples"}


def test_a_dead_exporter_that_starves_two_queries_is_one_notification(alertmanager: Alertmanager) -> None:
    alertmanager.send("outage", "same outage")
    notification = alertmanager.notification()
    assert notification["receiver"] == "platform"
    assert {alert["labels"]["query"] for alert in notification["alerts"]} == {"duration", "cost"}


def test_an_incident_of_a_tenant_is_one_notification(alertmanager: Alertmanager) -> None:
    alertmanager.send("warning", "other series")
    notification = alertmanager.notification()
    assert notification["receiver"] == "acme"
    assert notification["groupLabels"] == ANOMALY
    assert sorted(alert["annotations"]["summary"] for alert in notification["alerts"]) == ["other series", "warning"]


def test_a_dead_source_is_the_only_thing_told(alertmanager: Alertmanager) -> None:
    alertmanager.send("source", "no samples", "warning", "other query")
    notification = alertmanager.notification()
    assert (notification["receiver"], notification["groupLabels"]["alertname"]) == (
        "platform-page",
        "ForethoughtSourceDown",
    )
    with pytest.raises(queue.Empty):
        alertmanager.told.teams.get(timeout=3)


def test_forethought_hears_of_each_anomaly_by_itself(alertmanager: Alertmanager) -> None:
    alertmanager.send("warning", "other series", "no samples")
    first, second = (alertmanager.told.forethought.get(timeout=20) for _ in range(2))
    assert {one["alerts"][0]["annotations"]["summary"] for one in (first, second)} == {"warning", "other series"}
    assert [len(one["alerts"]) for one in (first, second)] == [1, 1]
    assert first["alerts"][0]["fingerprint"] != second["alerts"][0]["fingerprint"]
    assert alertmanager.notification()["receiver"] in ("acme", "platform")
