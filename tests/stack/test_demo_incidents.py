"""Half an hour of the demo: every incident is found and explained, and what people say of an alert counts."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from demo.incidents import SCHEDULE
from tests.stack.demo_process import Demo, running

MINUTE = 60.0
FAILURES = {"query": "pipeline_failures", "pipeline_id": "billing-invoice-export"}
OTHERS = {"query": "pipeline_failures", "pipeline_id": "billing-payment-capture"}
SEEN_AS = {
    "failure burst": FAILURES,
    "slow step": {"query": "step_duration_mean_seconds", "pipeline_id": "catalog-search-index", "step": "transform"},
    "level shift": {"query": "pipeline_memory_bytes", "pipeline_id": "checkout-order-sync"},
    "missed nightly run": {"query": "nightly_runs", "pipeline_id": "ledger-nightly-close"},
    "cost leak": {"query": "llm_cost_usd_per_hour", "pipeline_id": "support-ticket-triage"},
    "dead exporter": {"query": "exporter_up", "job": "llm-gateway"},
}
# A value, what was expected in its place and when.
WHY = re.compile(r"^[\d.,e+-]+ where [\d.,e+-]+ was expected \(\w{3} \d\d:\d\d.*\)")

pytestmark = [pytest.mark.servers, pytest.mark.slow]

Alert = dict[str, Any]


def told(demo: Demo, labels: dict[str, str], status: str = "firing") -> list[Alert]:
    """Alerts about these series, as the receiver got them."""
    return [
        alert
        for notification in demo.notifications()
        for alert in notification["alerts"]
        if alert["status"] == status and labels.items() <= alert["labels"].items()
    ]


def selector(name: str, labels: dict[str, str]) -> str:
    return name + "{" + ",".join(f'{label}="{value}"' for label, value in labels.items()) + "}"


def highest(demo: Demo, name: str, labels: dict[str, str], seconds: float) -> float:
    (row,) = demo.query(f"max_over_time({selector(name, labels)}[{seconds:.0f}s])")
    return float(row["value"][1])


def say_false(demo: Demo, alert: Alert) -> str:
    """Give a verdict on the command line, by the fingerprint in the notification."""
    words = ["--url", demo.url(2), "add", "false", "--alert", alert["fingerprint"], "--note", "a drill", "--who", "ana"]
    return demo.run("exporter", "verdict", *words)


def check_explained(demo: Demo, kind: str, alert: Alert) -> None:
    assert WHY.match(alert["annotations"]["why"]), alert
    page = requests.get(alert["annotations"]["verdict_url"], timeout=10)
    assert page.ok
    assert alert["labels"]["query"] in page.text


def check_similar_ones_stay_quiet(demo: Demo) -> None:
    [alert, *_] = demo.wait("the end of the burst", 25 * MINUTE, lambda: told(demo, FAILURES, "resolved"))
    heard = demo.wait("the end at forethought", MINUTE, lambda: _ended(demo, alert["fingerprint"]))
    assert heard["score"] > 1
    said = say_false(demo, alert)
    assert 'false for pipeline_failures{pipeline_id="billing-invoice-export", tenant_id="acme"}, size' in said
    before = len(told(demo, FAILURES))
    planted = time.time()
    for labels in (FAILURES, OTHERS):
        demo.run("demo", "incident", "failure-burst", labels["pipeline_id"], "--state", str(demo.state))
    demo.wait("the other workload's alert", 3 * MINUTE, lambda: told(demo, OTHERS))
    time.sleep(7 * MINUTE - (time.time() - planted))
    since = time.time() - planted
    score = highest(demo, "forethought_anomaly_score", FAILURES, since)
    assert highest(demo, "forethought_value", FAILURES, since) > 0.1, "the incident was there again"
    assert 0.3 < score < 1, "it is seen, and counts as less than the threshold"
    assert highest(demo, "forethought_anomaly_alarm", FAILURES, since) == 0
    assert len(told(demo, FAILURES)) == before
    assert highest(demo, "forethought_anomaly_alarm", OTHERS, since) == 1


def _ended(demo: Demo, fingerprint: str) -> Alert | None:
    alerts = requests.get(demo.url(2) + "/api/v1/alerts", timeout=10).json()["data"]
    return next((one for one in alerts if one["fingerprint"] == fingerprint and one["ended"]), None)


def test_each_incident_is_found_and_explained_and_a_verdict_quiets_similar_ones_of_its_series(tmp_path: Path) -> None:
    assert SEEN_AS.keys() == {incident.kind for incident in SCHEDULE}
    with running(tmp_path / "state") as demo:
        ready = demo.wait_until_ready(480)
        check_similar_ones_stay_quiet(demo)
        for incident in sorted(SCHEDULE, key=lambda one: one.start):
            patience = max(MINUTE, ready + 31 * MINUTE - time.time())
            [alert, *_] = demo.wait(incident.kind, patience, lambda kind=incident.kind: told(demo, SEEN_AS[kind]))
            check_explained(demo, incident.kind, alert)
