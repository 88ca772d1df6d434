"""Each alert fires and stays silent where it must: promtool's own tests, and that none is missing."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2] / "alertmanager"
RULES = sorted((ROOT / "rules").glob("*.yml"))
CASES = sorted((ROOT / "tests").glob("*.yml"))

pytestmark = pytest.mark.servers


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        pytest.fail(f"promtool {arguments[0]} {arguments[1]}\n{done.stdout}{done.stderr}", pytrace=False)


def alert_tests() -> list[dict[str, Any]]:
    files = [yaml.safe_load(path.read_text()) for path in CASES]
    return [case for file in files for test in file["tests"] for case in test.get("alert_rule_test", ())]


def alert_names() -> set[str]:
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
    return {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_rules_are_valid(path: Path) -> None:
    promtool("check", "rules", "--lint-fatal", path)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_rules_do_what_their_cases_say(path: Path) -> None:
    promtool("test", "rules", path)


def test_every_alert_is_seen_firing() -> None:
    assert alert_names() == {case["alertname"] for case in alert_tests() if case["exp_alerts"]}


def test_every_alert_is_seen_silent() -> None:
    assert alert_names() == {case["alertname"] for case in alert_tests() if not case["exp_alerts"]}
