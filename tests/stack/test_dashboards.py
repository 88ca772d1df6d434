"""Every query of every dashboard, asked of a real Prometheus that holds every metric forethought has."""

from __future__ import annotations

import json
import math
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest
import requests

from exporter import metrics
from exporter.metrics import Family
from grafana import GENERATED
from grafana.ask import Dashboard, NoPrometheus
from grafana.check import Answer, ask_all, ask_dashboard
from grafana.preview.page import page

RULES = Path(__file__).parents[2] / "alertmanager" / "rules" / "forethought.yml"
HOURS = 3
STEP = 15
UNUSUAL_FOR = 600
PIPELINES = (("billing", "acme"), ('nightly "etl"', "acme"), ("search", "globex"))
HORIZONS = ("15m", "1h")
OWN_LABELS = {
    "query": ("duration", "failures"),
    "outcome": ("success", "unavailable"),
    "stage": ("pull", "judge"),
    "reason": ("warming_up",),
    "model": ("baseline", "forecast"),
    "forecaster": ("harmonic", "seasonal_naive"),
    "version": ("1",),
    "python_version": ("3",),
    "shard": ("0",),
    "sign": ("slow", "429"),
    "url": ("http://127.0.0.1:9090/api/v1/write",),
    "horizon": HORIZONS,
    "detector": ("seasonal", "window_pca"),
    "limit": ("quota",),
    "label": ("instance",),
    "value": ("node a",),
    "why": ('20 where 9..11 was expected (Fri 20:00, "stocktaking"); 2 of 2 detectors agree',),
}
TARGET = 'instance="127.0.0.1:9815",job="forethought"'

pytestmark = pytest.mark.servers


@dataclass(frozen=True)
class Wave:
    """Hours of nothing special, and a first pipeline that leaves its band in the end."""

    end: float

    def result(self, family: Family, pipeline: str, at: float) -> float | None:
        """What is published at a time; None for nothing."""
        usual = 10 + 3 * math.sin(at / 3600)
        unusual = pipeline == PIPELINES[0][0] and at > self.end - UNUSUAL_FOR
        if family is metrics.VALUE:
            return usual * (2 if unusual else 1)
        if family is metrics.ANOMALY_SCORE:
            return 4.0 if unusual else 0.2
        if family is metrics.ANOMALY_ALARM:
            return float(unusual)
        if family is metrics.ANOMALY_SEVERITY:
            return 3.0 if unusual else 0.0
        if family.name.endswith("timestamp_seconds"):
            return at + 86_400
        if family is metrics.ANOMALY_INFO:
            return 1.0 if unusual else None
        edge = 1.0 if family.name.endswith("_upper") else -1.0 if family.name.endswith("_lower") else 0.0
        return usual + edge

    def own(self, family: Family, at: float) -> float:
        if family.name.endswith("timestamp_seconds"):
            return at - 30
        return at - self.end + HOURS * 3600 if family.kind != "gauge" else 1.0


def escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"")


def exposition(end: float) -> str:
    """OpenMetrics text of all families over some hours, up to `end`."""
    wave, lines = Wave(end), list[str]()
    times = [end - HOURS * 3600 + STEP * number for number in range(HOURS * 3600 // STEP + 1)]
    for family in metrics.RESULTS:
        for (pipeline, tenant), *own in product(PIPELINES, *(OWN_LABELS[name] for name in family.labels)):
            labels = f'{TARGET},pipeline_id="{escaped(pipeline)}",tenant_id="{tenant}",'
            labels += ",".join(f'{name}="{escaped(value)}"' for name, value in zip(family.labels, own, strict=True))
            values = [(wave.result(family, pipeline, at), at) for at in times]
            lines += [f"{family.name}{{{labels}}} {value} {at}" for value, at in values if value is not None]
    for family in metrics.OURSELVES:
        names = (*family.labels, "le") if family.kind == "histogram" else family.labels
        suffix = "_bucket" if family.kind == "histogram" else ""
        values = OWN_LABELS | {"le": ("0.1", "+Inf")}
        for combination in product(*(values[name] for name in names)):
            labels = ",".join([TARGET, *(f'{name}="{value}"' for name, value in zip(names, combination, strict=True))])
            lines += [f"{family.name}{suffix}{{{labels}}} {wave.own(family, at)} {at}" for at in times]
    return "\n".join([*lines, "# EOF", ""])


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def found(url: str, expr: str) -> list[dict[str, str]]:
    answer = requests.get(f"{url}/api/v1/query", params={"query": expr}, timeout=10).json()
    return [row["metric"] for row in answer["data"]["result"]]


def wait_for(url: str, expr: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if found(url, expr):
                return
        except requests.RequestException:  # not there yet, or still loading: then it answers in words
            pass
        time.sleep(0.2)
    pytest.fail(f"{expr} found nothing within 30 s")


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with all of our metrics and our rules, whose alerts fire without waiting."""
    folder = tmp_path_factory.mktemp("prometheus")
    text, data, config = folder / "metrics.txt", folder / "data", folder / "prometheus.yml"
    text.write_text(exposition(math.floor(time.time())))
    (folder / "rules.yml").write_text(re.sub(r"^ +for: .+\n", "", RULES.read_text(), flags=re.MULTILINE))
    config.write_text("global: {evaluation_interval: 1s}\nrule_files: [rules.yml]\n")
    fill = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=24h", "-q", text, data]
    subprocess.run(fill, check=True, timeout=60)
    port = free_port()
    arguments = [f"--config.file={config}", f"--storage.tsdb.path={data}", f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(["prometheus", *arguments], stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(url, 'ALERTS{alertname="ForethoughtAnomaly",alertstate="firing",severity="critical"}')
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)


def report(answers: list[Answer]) -> str:
    return "\n".join(f"{answer.place}: {answer.error or 'nothing found'}\n    {answer.expr}" for answer in answers)


def test_every_query_finds_something(prometheus: str) -> None:
    answers = ask_all(prometheus, time.time())
    empty = [answer for answer in answers if answer.error or not answer.found]
    assert len(answers) > 50
    assert not empty, report(empty)


def test_an_unknown_query_is_reported_as_empty(prometheus: str) -> None:
    bad = [answer for answer in ask_all(prometheus, time.time(), {"query": "unknown"}) if not answer.is_good]
    assert any(answer.place == "anomaly_detail: Value A" for answer in bad)


def test_a_broken_query_is_reported_with_the_servers_words(prometheus: str) -> None:
    chosen = {"query": '"'}
    errors = [answer.error for answer in ask_all(prometheus, time.time(), chosen) if answer.error]
    assert any("parse error" in error for error in errors)


def test_an_address_without_a_prometheus_is_one_error() -> None:
    with pytest.raises(NoPrometheus, match=r"^http://127.0.0.1:\d+ must answer as a Prometheus. Got ConnectionError.$"):
        ask_all(f"http://127.0.0.1:{free_port()}", time.time())


def test_series_is_the_strangest_at_first(prometheus: str) -> None:
    page = Dashboard(GENERATED / "anomaly_detail.json", prometheus, time.time())
    assert all(answer.is_good for answer in ask_dashboard(page))
    assert 'pipeline_id="billing"' in page.values["series"]


@pytest.mark.parametrize("title", ["Strangest now", "In alarm now, and why"])
def test_a_row_of_a_series_opens_exactly_it(prometheus: str, title: str) -> None:
    overview = Dashboard(GENERATED / "overview.json", prometheus, time.time())
    rows = [answer.expr for answer in ask_dashboard(overview) if title in answer.place]
    detail = Dashboard(GENERATED / "anomaly_detail.json", prometheus, time.time())
    assert all(answer.is_good for answer in ask_dashboard(detail))
    linked = {row["query"]: row["series"] for row in found(prometheus, rows[0])}
    assert linked[detail.values["query"]] == detail.values["series"]


def test_strangest_series_are_named_by_what_tells_them_apart(prometheus: str) -> None:
    detail = Dashboard(GENERATED / "anomaly_detail.json", prometheus, time.time())
    [expr] = [answer.expr for answer in ask_dashboard(detail) if "Strangest series" in answer.place]
    rows = detail.over_time(expr, STEP)
    assert {frozenset(row["metric"]) for row in rows} == {frozenset({"pipeline_id", "tenant_id"})}
    assert {row["metric"]["pipeline_id"] for row in rows} == {pipeline for pipeline, _ in PIPELINES}


def test_horizons_are_those_of_the_query_and_without_forecasts_there_is_one_to_ask_for(prometheus: str) -> None:
    for query, horizons in (("duration", set(HORIZONS)), ("unknown", {"1h"})):
        detail = Dashboard(GENERATED / "anomaly_detail.json", prometheus, time.time(), {"query": query})
        options = [detail.fill(variable) for variable in detail.variables]
        assert set(options[-1]) == horizons


def test_limits_have_their_interval(prometheus: str) -> None:
    overview = Dashboard(GENERATED / "overview.json", prometheus, time.time())
    places = [answer for answer in ask_dashboard(overview) if "Limits that will be reached" in answer.place]
    assert [answer.place[-1] for answer in places] == ["A", "B", "C"]
    labels = [{frozenset(row.items()) for row in found(prometheus, answer.expr)} for answer in places]
    assert labels[0] == labels[1] == labels[2]


@pytest.mark.parametrize("name", ["overview", "anomaly_detail"])
def test_all_panels_have_answers_to_be_drawn_with(prometheus: str, name: str) -> None:
    shown = page(Dashboard(GENERATED / f"{name}.json", prometheus, time.time()), width=1600)
    answers = [answer for panel in shown["panels"] for answer in panel["answers"]]
    assert len(answers) > 30
    assert [answer for answer in answers if "error" in answer] == []
    assert not any("$" in panel["title"] for panel in shown["panels"])
    assert json.loads(json.dumps(shown)) == shown


def test_each_alarm_is_one_row_with_its_severity_and_reason(prometheus: str) -> None:
    overview = Dashboard(GENERATED / "overview.json", prometheus, time.time())
    [expr] = [answer.expr for answer in ask_dashboard(overview) if "In alarm now, and why" in answer.place]
    answer = requests.get(f"{prometheus}/api/v1/query", params={"query": expr}, timeout=10).json()["data"]["result"]
    shown = {(row["metric"]["query"], row["metric"]["pipeline_id"], row["value"][1]) for row in answer}
    assert shown == {(query, "billing", "3") for query in OWN_LABELS["query"]}
    assert {row["metric"]["why"] for row in answer} == set(OWN_LABELS["why"])
    assert len(answer) == len(shown)


def test_every_metric_is_shown() -> None:
    shown = "".join(path.read_text() for path in GENERATED.glob("*.json")) + RULES.read_text()
    assert [family.name for family in metrics.FAMILIES if family.name not in shown] == []
