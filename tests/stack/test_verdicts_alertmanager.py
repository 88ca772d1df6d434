"""A real Alertmanager tells of an alert, and a verdict refers to it by its fingerprint."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from werkzeug.serving import make_server

from exporter.verdicts.api import verdict_api
from exporter.verdicts.desk import Size, VerdictDesk
from exporter.verdicts.store import open_file
from series import SeriesKey
from tests.fakes.watched import FakeWatched

pytestmark = pytest.mark.servers

LABELS = {
    "alertname": "ForethoughtAnomaly",
    "severity": "warning",
    "query": "duration",
    "tenant": "acme",
    "tenant_id": "acme",
    "pipeline_id": 'a "b" é',
    "job": "forethought",
    "instance": "h:9815",
    "series": "...",
}
KEY = SeriesKey({"tenant_id": "acme", "pipeline_id": 'a "b" é'})


@pytest.fixture
def forethought(tmp_path: Path) -> Iterator[str]:
    store = open_file(tmp_path / "verdicts.sqlite")
    app = Flask("test")
    app.register_blueprint(verdict_api(VerdictDesk(store, FakeWatched({"duration": [KEY]}, Size(4.2, 1)))))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.port}/api/v1"
    server.shutdown()
    thread.join()
    server.server_close()
    store.close()


@pytest.fixture
def alertmanager(tmp_path: Path, forethought: str) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    config = tmp_path / "alertmanager.yml"
    config.write_text(
        "route: {receiver: verdicts, group_wait: 0s, group_interval: 1s, group_by: ['...']}\n"
        f"receivers: [{{name: verdicts, webhook_configs: [{{url: '{forethought}/alerts', send_resolved: true}}]}}]\n"
    )
    flags = [f"--config.file={config}", f"--storage.path={tmp_path}/am", f"--web.listen-address={address}"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(["prometheus-alertmanager", *flags, "--cluster.listen-address="], stderr=log)
    try:
        url = f"http://{address}"
        wait_for(lambda: requests.get(f"{url}/-/ready", timeout=1).ok)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(requests.ConnectionError):
            if condition():
                return
        time.sleep(0.05)
    pytest.fail("it did not happen within 20 s")


def told(forethought: str) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = requests.get(f"{forethought}/alerts", timeout=5).json()["data"]
    return answer


def test_a_verdict_refers_to_an_alert_that_alertmanager_told_of(forethought: str, alertmanager: str) -> None:
    alerts = f"{alertmanager}/api/v2/alerts"
    requests.post(alerts, json=[{"labels": LABELS, "annotations": {"summary": "odd"}}], timeout=5).raise_for_status()
    fingerprint = requests.get(alerts, timeout=5).json()[0]["fingerprint"]
    wait_for(lambda: told(forethought))
    assert [(alert["fingerprint"], alert["summary"], alert["ended"]) for alert in told(forethought)] == [
        (fingerprint, "odd", None)
    ]
    verdict = {"verdict": "false", "alert": fingerprint, "who": "oncall"}
    given = requests.post(f"{forethought}/verdicts", json=verdict, timeout=5).json()["data"]
    assert given["query"] == "duration"
    assert given["matchers"] == '{pipeline_id="a \\"b\\" é", tenant_id="acme"}'
    assert (given["score"], given["side"]) == (4.2, "above")
    ended = [{"labels": LABELS, "endsAt": "2026-01-01T00:00:00Z", "startsAt": "2025-12-31T00:00:00Z"}]
    requests.post(alerts, json=ended, timeout=5).raise_for_status()
    wait_for(lambda: told(forethought)[0]["ended"] is not None)
