"""The rules speak of metrics that exist, and each alert has its runbook."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter import metrics
from series import Reason

ROOT = Path(__file__).parents[2] / "alertmanager"
FAMILIES = {family.name: family for family in metrics.FAMILIES}
TEXTS = {path.name: path.read_text() for path in sorted((ROOT / "rules").glob("*.yml"))}
RULES: list[dict[str, Any]] = [
    rule for text in TEXTS.values() for group in yaml.safe_load(text)["groups"] for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
SCRAPE_LABELS = {"job", "instance"}
EXPOSED = FAMILIES.keys() | {
    f"{family.name}_{part}"
    for family in metrics.FAMILIES
    if family.kind == "histogram"
    for part in ("bucket", "sum", "count")
}


def metric_names(text: str) -> set[str]:
    return set(re.findall(r"\bforethought_[a-z_]+", text))


def test_every_metric_exists() -> None:
    used = set().union(*map(metric_names, TEXTS.values()))
    assert used <= EXPOSED
    assert metrics.ANOMALY_SCORE.name in used


def test_every_recorded_series_that_is_used_is_recorded() -> None:
    used = set().union(*(re.findall(r"\bforethought:[a-z_]+", text) for text in TEXTS.values()))
    assert used == {rule["record"] for rule in RULES if "record" in rule}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_selectors_use_labels_the_metric_has(rule: dict[str, Any]) -> None:
    for name, matchers in re.findall(r"\b(forethought_[a-z_]+)\{([^}]*)\}", rule["expr"]):
        labels = set(re.findall(r"([a-z_]+)\s*[=!]", matchers))
        assert labels <= {*FAMILIES[name].labels, *SCRAPE_LABELS}, f"{name} has no such label"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_grouping_uses_own_labels_alone(rule: dict[str, Any]) -> None:
    """An input may have any labels; a rule that named one of them would fit one platform only."""
    own = {label for family in metrics.FAMILIES for label in family.labels} | SCRAPE_LABELS
    for names in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", rule["expr"]):
        assert {name.strip() for name in names.split(",")} <= own


def test_reasons_are_of_the_closed_list() -> None:
    reasons = [
        reason for text in re.findall(r'reason=~?"([^"]+)"', "".join(TEXTS.values())) for reason in text.split("|")
    ]
    assert reasons
    assert set(reasons) <= {reason.value for reason in Reason}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")
def test_every_alert_can_be_routed_and_understood(alert: dict[str, Any]) -> None:
    assert {"severity", "tenant"} <= alert["labels"].keys()
    assert alert["labels"]["severity"] in ("info", "warning", "critical")
    assert {"summary", "description"} <= alert["annotations"].keys()
    assert alert["annotations"]["runbook_url"] == f"alertmanager/runbooks/{alert['alert']}.md"


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    assert {path.stem for path in (ROOT / "runbooks").glob("*.md")} == {alert["alert"] for alert in ALERTS}


@pytest.mark.parametrize("path", sorted((ROOT / "runbooks").glob("*.md")), ids=lambda path: path.stem)
def test_runbook_answers_the_five_questions(path: Path) -> None:
    text = path.read_text()
    assert text.startswith(f"# {path.stem}\n")
    assert re.findall("^## (.+)$", text, re.MULTILINE) == [
        "Meaning",
        "Impact",
        "Where to look",
        "What to do",
        "When it is wrong",
    ]
    assert metric_names(text) <= EXPOSED


def test_every_inhibited_alert_exists() -> None:
    config = (ROOT / "alertmanager.yml").read_text()
    named = set(re.findall(r"\bForethought[A-Z][A-Za-z]+", config))
    assert named <= {alert["alert"] for alert in ALERTS}
