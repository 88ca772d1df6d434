"""Silences made with amtool in a real Alertmanager."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from exporter.published import PublishedIndex
from exporter.silences.cache import SilenceCache
from exporter.silences.reader import AlertmanagerSilences
from exporter.silences.silenced import AlertLabels, SilencedSeries
from series import SeriesKey
from sources.connection import Connection

pytestmark = pytest.mark.servers

KEYS = [SeriesKey({"pipeline_id": name, "tenant_id": "acme"}) for name in ("a", "b", "c")]


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    config = tmp_path / "alertmanager.yml"
    config.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    flags = [f"--config.file={config}", f"--storage.path={tmp_path}/data", f"--web.listen-address={address}"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(["prometheus-alertmanager", *flags, "--cluster.listen-address="], stderr=log)
    try:
        wait_until_ready(f"http://{address}")
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if requests.get(f"{url}/-/ready", timeout=1).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    pytest.fail("Alertmanager was not ready within 20 s")


def amtool(url: str, *arguments: str) -> str:
    command = ["amtool", f"--alertmanager.url={url}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.strip()


def silence(url: str, *matchers: str) -> str:
    return amtool(url, "silence", "add", "--author=oncall", "--comment=patching", "--duration=1h", *matchers)


def silenced(url: str) -> list[str]:
    cache = SilenceCache(AlertmanagerSilences(Connection(url=url, timeout=5)))
    cache.refresh()
    assert cache.problem == ""
    found = SilencedSeries(PublishedIndex(KEYS), "rate", AlertLabels()).by(cache.active())
    return [key["pipeline_id"] for row, key in enumerate(KEYS) if row in found]


def muted(url: str) -> list[str]:
    """What Alertmanager itself mutes: of each series the alerts of both severities."""
    alerts = [
        {
            "labels": {
                **key.labels,
                "query": "rate",
                "alertname": "ForethoughtAnomaly",
                "tenant": "acme",
                "severity": severity,
            }
        }
        for key in KEYS
        for severity in ("warning", "critical")
    ]
    requests.post(f"{url}/api/v2/alerts", json=alerts, timeout=5).raise_for_status()
    answer = requests.get(f"{url}/api/v2/alerts", params={"silenced": "true"}, timeout=5).json()
    heard = {alert["labels"]["pipeline_id"] for alert in answer if not alert["status"]["silencedBy"]}
    return [key["pipeline_id"] for key in KEYS if key["pipeline_id"] not in heard]


@pytest.mark.parametrize(
    "matchers",
    [
        ['pipeline_id="a"'],
        ['pipeline_id!="a"'],
        ['pipeline_id=~"a|b"'],
        ['pipeline_id!~"b.*"', 'alertname="ForethoughtAnomaly"'],
        ['severity="warning"'],
        ['tenant="acme"', 'query="rate"', 'pipeline_id=~".*c"'],
        ['missing=~".*"', 'pipeline_id="b"'],
        ['query="errors"'],
    ],
)
def test_we_hold_back_what_alertmanager_mutes(alertmanager: str, matchers: list[str]) -> None:
    silence(alertmanager, *matchers)
    assert silenced(alertmanager) == muted(alertmanager)


def test_a_silence_that_ends_is_over(alertmanager: str) -> None:
    first = silence(alertmanager, 'pipeline_id="a"')
    silence(alertmanager, 'pipeline_id="b"')
    assert silenced(alertmanager) == ["a", "b"]
    amtool(alertmanager, "silence", "expire", first)
    assert silenced(alertmanager) == ["b"]
