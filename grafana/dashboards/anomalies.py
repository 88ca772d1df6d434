"""What is unusual, what has stopped, and whether the alarms were right."""

from __future__ import annotations

from grafana_foundation_sdk.builders import table, timeseries
from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from exporter import metrics
from grafana import queries
from grafana.dashboards.page import DETAIL
from grafana.panels import (
    columns,
    counting,
    curves,
    dashed,
    listing,
    named_beside,
    setting,
    severity_words,
    sorted_by,
    stacked,
    steps,
    threshold_lines,
    width,
)
from grafana.queries import FLEET, QUERIES

_WITHOUT = ("Time", "__name__", "job", "instance", "tenant")
_DETAIL_OF_ROW = (
    f"/d/{DETAIL}?var-datasource=${{datasource}}&var-query=${{__data.fields.query:percentencode}}"
    "&var-series=${__data.fields.series:percentencode}"
)


def unusual() -> list[timeseries.Panel | table.Panel]:
    """What is in alarm, and what is strange."""
    return [
        _in_alarm_over_time(
            "Series in alarm by query",
            "How many are in alarm. Many of one query: a platform. One of many queries: a workload.",
            "query",
        ),
        _in_alarm_over_time(
            "Series in alarm by tenant", "The same by the label tenant_id of the input, where it has one.", "tenant_id"
        ),
        _in_alarm(),
        _strangest(),
        *_groups(),
    ]


def _in_alarm_over_time(title: str, description: str, label: str) -> timeseries.Panel:
    panel = curves(title, description, "short", (queries.in_alarm_by(label), f"{{{{{label}}}}}"))
    return named_beside(stacked(counting(panel))).no_value("Nothing was in alarm in the time shown.")


def _groups() -> list[timeseries.Panel]:
    none = "No query has group_by."
    return [
        counting(
            curves(
                "Groups in alarm by query",
                "Series that belong together and are strange together, while none of them calls.",
                "short",
                (f"sum by (query) ({metrics.GROUP_ALARM.name}{{{FLEET}}})", "{{query}}"),
            )
        ).no_value(none),
        threshold_lines(
            curves(
                "Strangest groups",
                "The five highest scores at each moment; 1 is the threshold.",
                "short",
                (queries.highest(5, f"{metrics.GROUP_SCORE.name}{{{FLEET}}}"), "__auto"),
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
        .override_by_name("why", [width(640)])
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
    """One row a series, the highest value first, and coloured; a click opens the series."""
    panel = (
        listing(title, description, expr)
        .data_links([DashboardLink("Show this series").url(_DETAIL_OF_ROW)])
        .min_width(170)
        .with_transformation(columns(_WITHOUT, ("Value", "query", "tenant_id"), {"Value": value}))
        .override_by_name(value, [setting("cellOptions", {"type": "color-background", "mode": "basic"}), width(90)])
        .override_by_name("query", [width(270)])
        .override_by_name("tenant_id", [width(120)])
        # Links need the column. Grafana up to 12.2 knows `hidden`, later ones the other.
        .override_by_name("series", [setting("hidden", True), setting("hideFrom", {"viz": True})])
    )
    return sorted_by(panel, value, desc=True).span(24).height(9)


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
        .with_transformation(columns(("Time",), ("Value", "query", "label", "value"), {"Value": "series"}))
        .span(8),
        counting(
            curves(
                "Series that stopped, or are stuck",
                "Each by itself: silent or unchanged for longer than one and a half times the longest so far.",
                "short",
                (f"count by (query) ({silent}{{{FLEET}}} > 1)", "{{query}} silent"),
                (f"count by (query) ({still}{{{FLEET}}} > 1)", "{{query}} unchanged"),
            )
        )
        .no_value("All series deliver, and change.")
        .span(8),
        counting(
            curves(
                "Series that drifted",
                "Whose last three days lie unusually far from those before.",
                "short",
                (f"count by (query) ({metrics.DRIFT_SCORE.name}{{{FLEET}}} > 1)", "{{query}}"),
            )
        )
        .no_value("Nothing has drifted.")
        .span(8),
    ]


def verdicts() -> list[timeseries.Panel]:
    """What people said of the alarms."""
    return [
        named_beside(
            dashed(
                curves(
                    "Share of false alarms",
                    "Of the alarms of 90 days that people judged; dashed the upper end of the 95 % interval.",
                    "percentunit",
                    (f"{metrics.FALSE_ALARM_RATIO.name}{{{QUERIES}}}", "{{query}}"),
                    (f"{metrics.FALSE_ALARM_RATIO_UPPER.name}{{{QUERIES}}}", "{{query}} at most"),
                ),
                "B",
            )
        )
        .min(0)
        .max(1)
        .no_value("Nobody has judged an alarm yet."),
        named_beside(
            counting(
                curves(
                    "Verdicts in force",
                    "What people said and still counts.",
                    "short",
                    (f"{metrics.VERDICTS.name}{{{QUERIES}}} > 0", "{{query}}"),
                )
            )
        )
        .decimals(0)
        .no_value("No verdict is in force."),
    ]
