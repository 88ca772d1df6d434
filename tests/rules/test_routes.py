"""Who is told: each route, each receiver, and the text of a message."""

from __future__ import annotations

import html
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2] / "alertmanager"
CONFIG = ROOT / "alertmanager.yml"
MANUAL = ROOT.parent / "docs" / "alerting.md"

TENANTS = ("acme", "globex", "initech", "umbrella")
ROUTES = [
    # forethought itself hears of every anomaly, so that verdicts can refer to it.
    *[(f"alertname=ForethoughtAnomaly tenant={t} severity=warning", f"verdicts,{t}") for t in TENANTS],
    *[(f"alertname=ForethoughtAnomaly tenant={t} severity=critical", f"verdicts,{t}-page") for t in TENANTS],
    ("alertname=ForethoughtAnomaly tenant=none severity=warning", "verdicts,platform"),
    ("alertname=ForethoughtAnomaly tenant=newcomer severity=warning", "verdicts,platform"),
    ("alertname=ForethoughtAnomaly tenant=newcomer severity=critical", "verdicts,platform-page"),
    ("alertname=ForethoughtWidespreadAnomaly tenant=none severity=critical", "platform-page"),
    ("alertname=ForethoughtForecastMissed tenant=acme severity=info", "digest"),
    ("alertname=ForethoughtForecastWrong tenant=acme severity=warning", "acme"),
    ("alertname=ForethoughtIntervalsWrong component=forethought tenant=none severity=warning", "platform"),
    ("alertname=ForethoughtForecastsFallBack component=forethought tenant=none severity=info", "platform"),
    ("alertname=ForethoughtGroupAnomaly tenant=acme severity=warning", "acme"),
    # Also of these, as a verdict may refer to them.
    ("alertname=ForethoughtPeerAnomaly tenant=acme severity=warning", "verdicts,acme"),
    ("alertname=ForethoughtPeerAnomaly tenant=none severity=warning", "verdicts,platform"),
    ("alertname=ForethoughtDrift tenant=acme severity=info", "digest"),
    ("alertname=ForethoughtLimitNear tenant=acme severity=warning", "acme"),
    ("alertname=ForethoughtOutage tenant=none severity=warning label=instance value=a", "platform"),
    ("alertname=ForethoughtSeriesSilent tenant=acme severity=info", "digest"),
    ("alertname=ForethoughtSeriesStill tenant=acme severity=info", "digest"),
    ("alertname=ForethoughtDown component=forethought tenant=none severity=critical", "platform-page"),
    ("alertname=ForethoughtQueryFailing component=forethought tenant=none severity=warning", "platform"),
    ("alertname=ForethoughtSeriesSkipped component=forethought tenant=none severity=info", "platform"),
]

pytestmark = pytest.mark.servers


def amtool(*arguments: str) -> str:
    done = subprocess.run(["amtool", *arguments], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        pytest.fail(f"amtool {' '.join(arguments)}\n{done.stdout}{done.stderr}", pytrace=False)
    return done.stdout


def render(name: str, kind: str = "text") -> str:
    return amtool(
        "template",
        "render",
        f"--template.type={kind}",
        f"--template.glob={ROOT}/templates/*.tmpl",
        f"--template.data={ROOT}/tests/notification.json",
        f'--template.text={{{{ template "{name}" . }}}}',
    )


def test_configuration_is_valid() -> None:
    amtool("check-config", str(CONFIG))


@pytest.mark.parametrize(("labels", "receivers"), ROUTES)
def test_alert_goes_to(labels: str, receivers: str) -> None:
    amtool("config", "routes", "test", f"--config.file={CONFIG}", f"--verify.receivers={receivers}", *labels.split())


def test_receivers_of_the_manual_are_valid(tmp_path: Path) -> None:
    [block] = re.findall(r"```yaml\n(receivers:.+?)```", MANUAL.read_text(), re.DOTALL)
    config = yaml.safe_load(block) | {"route": {"receiver": "acme"}, "templates": [f"{ROOT}/templates/*.tmpl"]}
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))
    amtool("check-config", str(tmp_path / "alertmanager.yml"))
    used = set(re.findall(r'template "([^"]+)"', block))
    assert used == {"forethought.title", "forethought.text", "forethought.html"}


def test_every_receiver_is_reached_by_a_case() -> None:
    declared = {receiver["name"] for receiver in yaml.safe_load(CONFIG.read_text())["receivers"]}
    assert declared == {receiver for _, receivers in ROUTES for receiver in receivers.split(",")}


def test_title_says_what_and_whose() -> None:
    assert render("forethought.title") == "[FIRING 1 warning] ForethoughtAnomaly run_duration_seconds (acme)"


def test_text_says_value_band_beginning_and_where_to_look() -> None:
    text = render("forethought.text")
    assert "Value 12.5, expected 4 to 8; score 1.5, where 1 is the threshold. Since 2026-11-20 20:00:00" in text
    assert "Dashboard: http://localhost:3000/d/forethought-detail?var-query=run_duration_seconds" in text
    assert "Runbook: alertmanager/runbooks/ForethoughtAnomaly.md" in text
    assert "Over: Unusual: run_duration_seconds pipeline_id=orders\n  From 2026-11-20 19:00:00 UTC" in text


@pytest.mark.parametrize(("name", "kind"), [("forethought.text", "text"), ("forethought.html", "html")])
def test_message_says_why_and_asks_whether_it_was_right(name: str, kind: str) -> None:
    text = html.unescape(render(name, kind))
    assert "12.5 where 4..8 was expected (Fri 20:00); 2 of 3 detectors agree; 3rd time in 14 days" in text
    for pipeline in ("billing", "orders"):  # also of what is over: people look at it then
        address = f"http://localhost:9815/verdict?query=run_duration_seconds&series=pipeline_id%3D%22{pipeline}%22"
        assert re.search(rf'Was this right\? {re.escape(address)}$|"{re.escape(address)}">Was this right', text, re.M)


def test_html_escapes_label_values() -> None:
    page = render("forethought.html", "html")
    assert "pipeline_id=billing &lt;new&gt;" in page
    assert "<new>" not in page
