"""What is unusual, what has stopped, and whether the alarms were right."""

from __future__ import annotations

from grafana_foundation_sdk.builders import table, timeseries
from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue

from exporter import metrics
from grafana import queries
from grafana.dashboards.page import DETAIL
from grafana.panels import (
    curves,
    hidden,
    listing,
    setting,
    severity_words,
    stacked,
    steps,
    threshold_lines,
)
from grafana.queries import FLEET, QUERIES

_HIDDEN = ("Time", "__name__", "job", "instance", "tenant")
_DETAIL_OF_ROW = (
    f"/d/{DETAIL}?var-datasource=${{datasource}}&var-query=${{__data.fields.query:percentencode}}"
    "&var-series=${__data.fields.series:percentencode}"
)


def unusual() -> list[timeseries.Panel | table.Panel]:
    """What is in alarm, and what is strange."""
    return [
        stacked(
            curves(
                "Series in alarm by query",
                "How many are in alarm. Many of one query: a platform. One of many queries: a workload.",
                "short",
                (queries.in_alarm_by("query"), "{{query}}"),
            ).min(0)
        ),
        stacked(
            curves(
                "Series in alarm by tenant",
                "The same by the label tenant_id of the input, where it has one.",
                "short",
                (queries.in_alarm_by("tenant_id"), "{{tenant_id}}"),
            ).min(0)
        ),
        _in_alarm(),
        _strangest(),
        *_groups(),
    ]


def _groups() -> list[timeseries.Panel]:
    none = "No query has group_by."
    return [
        curves(
            "Groups in alarm by query",
            "Series that belong together and are strange together, while none of them calls.",
            "short",
            (f"sum by (query) ({metrics.GROUP_ALARM.name}{{{FLEET}}})", "{{query}}"),
        )
        .min(0)
        .no_value(none),
        threshold_lines(
            curves(
                "Strangest groups",
                "The five highest scores at each moment; 1 is the threshold.",
                "short",
                (f"topk(5, {metrics.GROUP_SCORE.name}{{{FLEET}}})", "__auto"),
            ).min(0),
            (None, "transparent"),
            (1, "orange"),
        ).no_value(none),
    ]


def _in_alarm() -> table.Panel:
    return (
        _rows(
            "In alarm now, and why",
            "The 25 worst alarms, each with what was found when it began. A click opens the series.",
            queries.in_alarm_now(25),
            "severity",
        )
        .no_value("Nothing is in alarm.")
        .override_by_name("severity", [DynamicConfigValue(id_val="mappings", value=[severity_words()])])
        .override_by_name("why", [DynamicConfigValue(id_val="custom.width", value=720)])
    )


def _strangest() -> table.Panel:
    return (
        _rows(
            "Strangest now",
            "The 25 highest scores above 1, also of what calls nobody. A click opens the series, or its query.",
            queries.unusual_now(25),
            "score",
        )
        .no_value("Nothing is unusual.")
        .override_by_name("score", [DynamicConfigValue(id_val="decimals", value=2)])
        .thresholds(steps((None, "text"), (1, "orange"), (3, "red")))
    )


def _rows(title: str, description: str, expr: str, value: str) -> table.Panel:
    """One row a series, its value first and coloured; a click opens the series."""
    order = {"Value": 0, "query": 1, "tenant_id": 2, "why": 3}
    names = {"excludeByName": dict.fromkeys(_HIDDEN, True), "indexByName": order, "renameByName": {"Value": value}}
    return (
        listing(title, description, expr)
        .data_links([DashboardLink("Show this series").url(_DETAIL_OF_ROW)])
        .with_transformation(DataTransformerConfig(id_val="organize", options=names))
        .override_by_name(
            value,
            [
                DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-background", "mode": "basic"}),
                DynamicConfigValue(id_val="custom.width", value=90),
            ],
        )
        .override_by_name("series", [DynamicConfigValue(id_val="custom.width", value=1)])
        .span(24)
        .height(9)
    )


def stopped() -> list[timeseries.Panel | table.Panel]:
    """What delivers no samples or always the same, and what slowly becomes another."""
    silent, still = metrics.SILENCE_SCORE.name, metrics.STILLNESS_SCORE.name
    return [
        listing(
            "Series that stopped together",
            "How many, and the label's value they share; without one it is all of the query.",
            f"sum by (query, label, value) ({metrics.OUTAGE_SERIES.name}{{{QUERIES}}})",
        )
        .no_value("Nothing has stopped.")
        .with_transformation(hidden("Time")),
        curves(
            "Series that stopped, or do not change any more",
            "Each by itself: for longer than one and a half times the longest so far.",
            "short",
            (f"count by (query) ({silent}{{{FLEET}}} > 1)", "{{query}} silent"),
            (f"count by (query) ({still}{{{FLEET}}} > 1)", "{{query}} unchanged"),
        )
        .min(0)
        .no_value("All series deliver, and change."),
        curves(
            "Series that drifted",
            "Whose last three days lie unusually far from those before.",
            "short",
            (f"count by (query) ({metrics.DRIFT_SCORE.name}{{{FLEET}}} > 1)", "{{query}}"),
        )
        .min(0)
        .no_value("Nothing has drifted."),
    ]


def verdicts() -> list[timeseries.Panel]:
    """What people said of the alarms."""
    return [
        curves(
            "Share of false alarms",
            "Of the alarms of 90 days that people judged; dashed the upper end of the 95 % interval.",
            "percentunit",
            (f"{metrics.FALSE_ALARM_RATIO.name}{{{QUERIES}}}", "{{query}}"),
            (f"{metrics.FALSE_ALARM_RATIO_UPPER.name}{{{QUERIES}}}", "{{query}} at most"),
        )
        .min(0)
        .max(1)
        .override_by_query("B", [setting("lineStyle", {"fill": "dash", "dash": [6, 4]})])
        .no_value("Nobody has judged an alarm yet."),
        curves(
            "Verdicts in force",
            "What people said and still counts.",
            "short",
            (f"{metrics.VERDICTS.name}{{{QUERIES}}}", "{{query}}"),
        )
        .min(0)
        .decimals(0)
        .no_value("No verdict is in force."),
    ]
