"""The committed dashboards are those of the code, and hold together."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from grafana import GENERATED

ROOT = Path(__file__).parents[2]
MODELS: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_text()) for path in GENERATED.glob("*.json")}
DATA_PANELS = [
    pytest.param(panel, id=f"{name}-{panel['title']}")
    for name, model in MODELS.items()
    for panel in model["panels"]
    if panel["type"] != "row"
]


def build(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "grafana.build", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the build needs, in a folder with a space in its name."""
    root = tmp_path / "a checkout"
    ignored = shutil.ignore_patterns("__pycache__", "preview")
    for package in ("grafana", "exporter", "series"):
        shutil.copytree(ROOT / package, root / package, ignore=ignored)
    return root


def test_check_passes_on_what_is_committed(checkout: Path) -> None:
    done = build(checkout, "--check")
    assert done.returncode == 0, done.stderr


def test_check_names_an_edit_by_hand_a_missing_and_a_foreign_file(checkout: Path) -> None:
    generated = checkout / "grafana" / "generated"
    overview = generated / "overview.json"
    overview.write_text(overview.read_text().replace('"Series judged"', '"Edited by hand"'))
    (generated / "anomaly_detail.json").unlink()
    (generated / "foreign.json").write_text("{}")
    done = build(checkout, "--check")
    assert done.returncode == 1
    assert "foreign.json is not made by the code" in done.stderr
    assert "make dashboards" in done.stderr
    assert not (generated / "anomaly_detail.json").exists()


def test_building_restores_the_committed_bytes(checkout: Path) -> None:
    for path in (checkout / "grafana" / "generated").glob("*.json"):
        path.unlink()
    assert build(checkout).returncode == 0
    for path in GENERATED.glob("*.json"):
        assert (checkout / "grafana" / "generated" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("panel", DATA_PANELS)
def test_panel_explains_itself(panel: dict[str, Any]) -> None:
    assert panel["description"].endswith((".", "?"))
    assert panel["targets"]
    assert panel["type"] == "table" or panel["fieldConfig"]["defaults"]["unit"]


@pytest.mark.parametrize("panel", DATA_PANELS)
def test_panel_asks_the_chosen_data_source(panel: dict[str, Any]) -> None:
    sources = [panel["datasource"], *[target["datasource"] for target in panel["targets"]]]
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)


@pytest.mark.parametrize("name", MODELS)
def test_variables_are_declared_before_they_are_used(name: str) -> None:
    declared = {"datasource", "__rate_interval", "__range", "1"}  # $1 is of label_replace()
    for variable in MODELS[name]["templating"]["list"]:
        assert names_in(str(variable.get("definition", ""))) <= declared
        declared.add(variable["name"])
    for panel in MODELS[name]["panels"]:
        for target in panel.get("targets", ()):
            assert names_in(target["expr"]) <= declared


def names_in(text: str) -> set[str]:
    return {first or second for first, second in re.findall(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)", text)}


@pytest.mark.parametrize("name", MODELS)
def test_panels_fill_the_grid_without_overlap(name: str) -> None:
    boxes = [panel["gridPos"] for panel in MODELS[name]["panels"]]
    assert all(box["x"] + box["w"] <= 24 for box in boxes)
    for one, other in combinations(boxes, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below


def test_links_lead_to_dashboards_and_variables_that_exist() -> None:
    variables = {model["uid"]: {v["name"] for v in model["templating"]["list"]} for model in MODELS.values()}
    rules = "".join(path.read_text() for path in (ROOT / "alertmanager" / "rules").glob("*.yml"))
    texts = rules + "".join(map(json.dumps, MODELS.values()))
    links = re.findall(r"/d/([\w-]+)\?([^\s\"']*)", texts)
    assert len(links) >= 4
    for uid, query in links:
        assert set(re.findall(r"var-(\w+)=", query)) <= variables[uid]


def test_the_provisioned_data_source_is_the_default_of_the_dashboards() -> None:
    [source] = yaml.safe_load((ROOT / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
    defaults = {model["templating"]["list"][0]["current"]["value"] for model in MODELS.values()}
    assert defaults == {source["uid"]}


def test_grafana_computes_intervals_from_the_scrape_interval_of_the_stack() -> None:
    [source] = yaml.safe_load((ROOT / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
    scrape = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text())["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == scrape


PANELS = [panel.values[0] for panel in DATA_PANELS]


def test_an_empty_cell_of_a_table_does_not_say_what_an_empty_panel_means() -> None:
    for panel in PANELS:
        if panel["type"] == "table" and "noValue" in panel["fieldConfig"]["defaults"]:
            given = {
                override["matcher"]["options"]
                for override in panel["fieldConfig"]["overrides"]
                if override["matcher"]["id"] == "byType" and {"id": "noValue", "value": "-"} in override["properties"]
            }
            assert given == {"string", "number"}, panel["title"]


def test_the_worst_and_the_nearest_stand_first() -> None:
    # A join or an `or` loses the order of topk() and bottomk().
    tables = [panel for panel in PANELS if panel["type"] == "table" and "k(25," in panel["targets"][0]["expr"]]
    assert len(tables) == 3
    for panel in tables:
        [order] = panel["options"]["sortBy"]
        assert order["displayName"] in panel["transformations"][-1]["options"]["renameByName"].values()
        assert order["desc"] is ("topk" in panel["targets"][0]["expr"])


def test_no_curve_or_shade_goes_on_past_now_by_repeating_the_last_sample() -> None:
    model = MODELS["anomaly_detail"]
    expressions = [target["expr"] for panel in model["panels"] for target in panel.get("targets", ())]
    expressions += [annotation["expr"] for annotation in model["annotations"]["list"]]
    for expr in expressions:
        assert re.findall(r"(\w+)\((?:forethought_\w+|ALERTS)\{", expr) == re.findall(
            r"(last_over_time|timestamp)\((?:forethought_\w+|ALERTS)\{", expr
        )
        assert len(re.findall(r"\((?:forethought_\w+|ALERTS)\{", expr)) == len(re.findall(r"\w\{", expr))


def test_no_axis_is_of_dates() -> None:
    # Grafana draws one value that stays from 1970 to its double.
    dates = {panel["type"] for panel in PANELS if panel["fieldConfig"]["defaults"].get("unit") == "dateTimeAsIso"}
    assert dates == {"stat"}


def test_figures_are_high_enough_for_their_curves() -> None:
    heights = {panel["gridPos"]["h"] for panel in PANELS if panel["options"].get("graphMode") == "area"}
    assert min(heights) >= 5


def test_curves_named_by_their_labels_leave_out_those_of_our_own_process() -> None:
    targets = [target for panel in PANELS for target in panel["targets"] if target.get("legendFormat") == "__auto"]
    assert len(targets) == 2
    assert all(target["expr"].startswith("max without (query, job, instance)") for target in targets)


@pytest.mark.parametrize("name", MODELS)
def test_panels_leave_no_holes(name: str) -> None:
    widths: dict[int, int] = {}
    for panel in MODELS[name]["panels"]:
        box = panel["gridPos"]
        widths[box["y"]] = widths.get(box["y"], 0) + box["w"]
    assert {y: width for y, width in widths.items() if width != 24} == {}
