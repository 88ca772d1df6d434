"""The fleet at a glance: what is unusual, whether forecasts hold, and whether forethought itself is well."""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat
from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, Row
from grafana_foundation_sdk.models.common import BigValueGraphMode
from grafana_foundation_sdk.models.dashboard import ValueMap

from exporter import metrics
from grafana import queries, variables
from grafana.dashboards import anomalies, forecasts, process
from grafana.dashboards.page import DETAIL, OVERVIEW, page
from grafana.panels import (
    number,
    severity_words,
    steps,
    word,
)
from grafana.queries import FLEET, QUERIES

_SCORE = f"{metrics.ANOMALY_SCORE.name}{{{FLEET}}}"
_FORECASTS = f"{metrics.FORECAST.name}{{{QUERIES}}}"
_ALARM = f"{metrics.ANOMALY_ALARM.name}{{{FLEET}}}"


def overview() -> Dashboard:
    """Build the dashboard."""
    dashboard = page(OVERVIEW, "forethought / overview", "What is unusual now, and how well forethought itself is.")
    dashboard.time("now-6h", "now")
    dashboard.link(DashboardLink("A single series").url(f"/d/{DETAIL}?var-datasource=${{datasource}}"))
    dashboard.variables(
        [variables.datasource(), variables.queries(), variables.tenants(), variables.horizon(_FORECASTS)]
    )
    for title, panels in (
        ("Now", _now()),
        ("What is unusual", anomalies.unusual()),
        ("What has stopped or drifted", anomalies.stopped()),
        ("Whether the alarms were right", anomalies.verdicts()),
        ("Forecasts", forecasts.forecasts()),
        ("Cycles", process.cycles()),
        ("Source", process.source()),
        ("Output", process.output()),
        ("Models and memory", process.models()),
    ):
        dashboard.with_row(Row(title))
        for panel in panels:
            dashboard.with_panel(panel)
    return dashboard


def _now() -> list[stat.Panel]:
    alarms = f"(count({_ALARM} == 1) or vector(0))"
    firing = 'ALERTS{alertname=~"Forethought.+",alertstate="firing"}'
    figures = [
        number("Series judged", "Series with a score now; more have no sample or still warm up.", f"count({_SCORE})"),
        number(
            "Unusual",
            "Series whose score is above 1, the threshold, also of queries in shadow mode.",
            f"count({_SCORE} > 1) or vector(0)",
        ).thresholds(steps((None, "green"), (1, "orange"))),
        number("In alarm", "Series whose scores are worth an alert.", alarms).thresholds(
            steps((None, "green"), (1, "orange"))
        ),
        number(
            "Share in alarm",
            "Of the series judged. Many at once have one cause.",
            f"{alarms} / count({_SCORE})",
            "percentunit",
        ).thresholds(steps((None, "green"), (0.05, "orange"), (0.3, "red"))),
        number(
            "Worst severity",
            "Of all alarms now: of their size, length and breadth, and of what the query is worth.",
            f"max({metrics.ANOMALY_SEVERITY.name}{{{FLEET}}})",
        )
        .mappings([severity_words()])
        .graph_mode(BigValueGraphMode.NONE)
        .no_value("All queries are in shadow mode."),
        number(
            "Alerts firing", "Alerts of forethought, those about itself included.", f"count({firing}) or vector(0)"
        ).thresholds(steps((None, "green"), (1, "orange"))),
        number(
            "Source", "Whether the last request to the metrics server was answered.", f"min({metrics.SOURCE_UP.name})"
        )
        .mappings([ValueMap(options={"0": word("down", "red"), "1": word("answers", "green")})])
        .graph_mode(BigValueGraphMode.NONE),
        number(
            "Oldest result",
            "Time since the last successful cycle of the query that is furthest behind.",
            f"max({queries.age(metrics.CYCLE_LAST_SUCCESS, QUERIES)})",
            "s",
        )
        .thresholds(steps((None, "green"), (300, "orange"), (900, "red")))
        .graph_mode(BigValueGraphMode.NONE),
    ]
    return [figure.span(3) for figure in figures]
