"""What a dashboard shows at a moment: its panels, and what a Prometheus answers to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

from grafana.ask import Dashboard, Refused

_SCRAPE_INTERVAL = 5
"""Seconds; `timeInterval` of the provisioned data source."""
_COLUMNS = 24
_STEPS = (5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200)
"""Seconds between points, as Grafana rounds them."""
_MARK = 30
"""Seconds between the moments at which an annotation is asked for; `step` of ours."""


def page(dashboard: Dashboard, width: int, titles: Sequence[str] = ()) -> dict[str, Any]:
    """Fill variables, ask all queries, and return what `draw.jsx` draws.

    Parameters
    ----------
    dashboard : Dashboard
    width : int
        Of the page, in pixels: the wider a panel, the more points it asks for.
    titles : sequence of str
        Beginnings of titles: only such panels are shown, without gaps. Default: all.

    Raises
    ------
    NoPrometheus
        Where nothing at the address speaks its API.
    Refused
        Where a variable's query is refused.
    """
    for variable in dashboard.variables:
        dashboard.fill(variable)
    panels = [{**panel, "title": dashboard.expand(panel["title"])} for panel in _opened(dashboard.model["panels"])]
    if titles:
        panels = _chosen(panels, titles)
    return {
        "title": dashboard.model["title"],
        "from": dashboard.start * 1000,
        "to": dashboard.end * 1000,
        "width": width,
        "variables": [[variable["label"], dashboard.values[variable["name"]]] for variable in dashboard.variables],
        "annotations": [_marked(dashboard, each) for each in dashboard.model["annotations"].get("list", ())],
        "panels": [_answered(dashboard, panel, width) for panel in panels],
    }


def step_of(span: float, points: float) -> int:
    """Seconds between two points of a query over `span` seconds for a panel of so many pixels."""
    wanted = span / points
    return next((step for step, following in pairwise(_STEPS) if wanted < (step + following) / 2), _STEPS[-1])


def _opened(panels: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """All panels, those of collapsed rows too, which push down what follows."""
    opened: list[dict[str, Any]] = []
    pushed = 0
    for panel in panels:
        inside = panel.get("panels") or []
        position = panel["gridPos"]
        opened += [
            {**each, "gridPos": {**each["gridPos"], "y": each["gridPos"]["y"] + pushed}} for each in (panel, *inside)
        ]
        bottom = max((each["gridPos"]["y"] + each["gridPos"]["h"] for each in inside), default=position["y"] + 1)
        pushed += bottom - position["y"] - 1 if inside else 0
    return opened


def _chosen(panels: Sequence[dict[str, Any]], titles: Sequence[str]) -> list[dict[str, Any]]:
    """Panels whose title begins so, each under the heading of its row, without gaps where others were."""
    found: list[dict[str, Any]] = []
    heading: list[dict[str, Any]] = []
    for panel in panels:
        if panel["type"] == "row":
            heading = [panel]
        elif panel["title"].startswith(tuple(titles)):
            found += [*heading, panel]
            heading = []
    bottom = 0
    for _, beside in groupby(found, key=lambda panel: panel["gridPos"]["y"]):
        row = list(beside)
        height = max(panel["gridPos"]["h"] for panel in row)
        for panel in row:
            panel["gridPos"]["y"] = bottom
        bottom += height
    return found


def _answered(dashboard: Dashboard, panel: Mapping[str, Any], width: int) -> dict[str, Any]:
    step = step_of(dashboard.end - dashboard.start, width * panel["gridPos"]["w"] / _COLUMNS)
    dashboard.values["__rate_interval"] = f"{max(step + _SCRAPE_INTERVAL, 4 * _SCRAPE_INTERVAL)}s"
    answers = [_answer(dashboard, target, step) for target in panel.get("targets", ()) if not target.get("hide")]
    return {**panel, "answers": answers}


def _answer(dashboard: Dashboard, target: Mapping[str, Any], step: int) -> dict[str, Any]:
    expr, as_table = dashboard.expand(target["expr"]), target.get("format") == "table"
    answer = {"refId": target["refId"], "legend": target.get("legendFormat", ""), "step": step, "table": as_table}
    try:
        series = dashboard.instant(expr) if target.get("instant") else dashboard.over_time(expr, step)
    except Refused as error:
        return {**answer, "series": [], "error": str(error)}
    return {**answer, "series": series}


def _marked(dashboard: Dashboard, annotation: Mapping[str, Any]) -> dict[str, Any]:
    """Times that an annotation shades, in milliseconds."""
    if "expr" not in annotation:
        return {"color": annotation.get("iconColor"), "spans": []}
    times = {at for row in dashboard.over_time(dashboard.expand(annotation["expr"]), _MARK) for at, _ in row["values"]}
    spans: list[list[float]] = []
    for at in sorted(times):
        if spans and at - spans[-1][1] <= _MARK:
            spans[-1][1] = at
        else:
            spans.append([at, at])
    return {"color": annotation["iconColor"], "spans": [[1000 * first, 1000 * last] for first, last in spans]}
