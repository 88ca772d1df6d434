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


def told(demo: Demo, labels: dict[str, str]) -> list[Alert]:
    """Alerts about these series that fired, as the receiver got them."""
    return [
        alert
        for notification in demo.notifications()
        for alert in notification["alerts"]
        if alert["status"] == "firing" and labels.items() <= alert["labels"].items()
    ]


def beginnings(demo: Demo, labels: dict[str, str]) -> set[str]:
    """One for each alert: a notification that comes later repeats what still fires."""
    return {alert["startsAt"] for alert in told(demo, labels)}


def selector(name: str, labels: dict[str, str]) -> str:
    return name + "{" + ",".join(f'{label}="{value}"' for label, value in labels.items()) + "}"


def newest(demo: Demo, name: str, labels: dict[str, str]) -> float:
    (row,) = demo.query(selector(name, labels))
    return float(row["value"][1])


def highest(demo: Demo, name: str, labels: dict[str, str], seconds: float) -> float:
    (row,) = demo.query(f"max_over_time({selector(name, labels)}[{seconds:.0f}s])")
    return float(row["value"][1])


def say_false(demo: Demo, labels: dict[str, str]) -> str:
    """Give a verdict on the command line: on the greatest deviation of the last day, as the link does."""
    matchers = selector("", {name: value for name, value in labels.items() if name != "query"})
    words = ["--url", demo.url(2), "add", "false", "--query", labels["query"], "--matchers", matchers]
    return demo.run("exporter", "verdict", *words, "--note", "a drill", "--who", "oncall")


def check_explained(demo: Demo, alert: Alert) -> None:
    assert WHY.match(alert["annotations"]["why"]), alert
    page = requests.get(alert["annotations"]["verdict_url"], timeout=10)
    assert page.ok
    assert alert["labels"]["query"] in page.text


def test_each_incident_of_the_timetable_is_found_and_explained(tmp_path: Path) -> None:
    assert SEEN_AS.keys() == {incident.kind for incident in SCHEDULE}
    with running(tmp_path / "state") as demo:
        ready = demo.wait_until_ready(480)
        for incident in sorted(SCHEDULE, key=lambda one: one.start):
            patience = max(MINUTE, ready + 31 * MINUTE - time.time())
            [alert, *_] = demo.wait(incident.kind, patience, lambda kind=incident.kind: told(demo, SEEN_AS[kind]))
            check_explained(demo, alert)


def plant(demo: Demo, labels: dict[str, str], minutes: float) -> float:
    """Let runs of the workload fail; return when that is over."""
    demo.run(
        "demo", "incident", "failure-burst", labels["pipeline_id"], f"--minutes={minutes}", "--state", str(demo.state)
    )
    return time.time() + minutes * MINUTE


def test_after_a_false_verdict_a_similar_incident_stays_quiet_and_another_series_still_calls(tmp_path: Path) -> None:
    with running(tmp_path / "state", "--no-incidents") as demo:
        demo.wait_until_ready(480)
        over = plant(demo, FAILURES, minutes=3)
        [alert, *_] = demo.wait("the first alert", 3 * MINUTE, lambda: told(demo, FAILURES))
        check_explained(demo, alert)
        time.sleep(max(0.0, over - time.time()))
        # The range of the query forgets it five minutes later; a verdict knows how large it was when it is given.
        time.sleep(MINUTE)
        assert 'false for pipeline_failures{pipeline_id="billing-invoice-export"}, size' in say_false(demo, FAILURES)
        demo.wait("the end of its alarm", 15 * MINUTE, lambda: newest(demo, "forethought_anomaly_alarm", FAILURES) == 0)
        before, since = beginnings(demo, FAILURES), time.time()
        for labels in (FAILURES, OTHERS):
            over = plant(demo, labels, minutes=3)
        demo.wait("the alert of the other workload", 3 * MINUTE, lambda: told(demo, OTHERS))
        time.sleep(max(0.0, over + MINUTE - time.time()))
        passed = time.time() - since
        assert highest(demo, "forethought_value", FAILURES, passed) > 0.06, "the incident was there again"
        assert 0.5 < highest(demo, "forethought_anomaly_score", FAILURES, passed) < 1, "it is seen, and is no anomaly"
        assert highest(demo, "forethought_anomaly_alarm", FAILURES, passed) == 0
        assert beginnings(demo, FAILURES) == before
        assert highest(demo, "forethought_anomaly_alarm", OTHERS, passed) == 1
