"""One series: what was, what was expected, how strange it was, and what comes next."""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import (
    AnnotationQuery,
    Dashboard,
    DashboardLink,
    Row,
    TimeOption,
    TimePicker,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import BigValueGraphMode, VizOrientation
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue
from grafana_foundation_sdk.models.dashboard import TimeOption as Range

from exporter import metrics
from grafana import queries, variables
from grafana.dashboards import ahead
from grafana.dashboards.page import DETAIL, OVERVIEW, page
from grafana.panels import (
    DASHES,
    banded,
    counting,
    curves,
    dates,
    listing,
    named_beside,
    number,
    severity_words,
    sorted_by,
    steps,
    styled,
    threshold_lines,
    width,
)
from grafana.queries import SERIES, last

# Results end now, and forecasts reach beyond: the page shows some time that is still to come.
_RANGES = (
    ("6 hours and the next 2", "6h", "2h"),
    ("1 day and the next 6 hours", "24h", "6h"),
    ("1 week and a day", "7d", "1d"),
)

# Also where the time shown goes on past now; every five minutes is enough, as a sample lasts as long.
_FORECASTS = f'last_over_time({metrics.FORECAST.name}{{query="$query"}}[$__range:5m])'


def anomaly_detail() -> Dashboard:
    """Build the dashboard."""
    dashboard = page(DETAIL, "forethought / series", "One series: value, expected band, score and forecast.")
    dashboard.time("now-6h", "now+2h").timepicker(_time_picker())
    dashboard.variables(
        [
            variables.datasource(),
            variables.query(),
            variables.tenants(),
            variables.series(),
            variables.horizon(_FORECASTS),
        ]
    )
    back = f"/d/{OVERVIEW}?var-datasource=${{datasource}}&var-query=${{query:percentencode}}"
    dashboard.link(DashboardLink("Overview of this query").url(back)).annotation(_alerts())
    for panel in (*_figures(), _band(), _score(), _reasons()):
        dashboard.with_panel(panel)
    for title, panels in (
        ("What comes next", ahead.forecasts()),
        ("Limits", ahead.limits()),
        ("How it was judged", [_detectors(), _agreement(), _weights()]),
        ("Beside other series", [_peers(), _beside_peers(), _contribution()]),
        ("Silence, and slow change", [_silence(), *_slow_change()]),
    ):
        dashboard.with_row(Row(title))
        for panel in panels:
            dashboard.with_panel(panel)
    return dashboard


def _figures() -> list[stat.Panel]:
    figures = [
        number("Value", "Last complete sample judged.", last(metrics.VALUE, SERIES)),
        number("Expected", "What was expected of it.", last(metrics.EXPECTED, SERIES)),
        number("Lower edge", "Below it the score is above 1.", last(metrics.EXPECTED_LOWER, SERIES)),
        number("Upper edge", "Above it the score is above 1.", last(metrics.EXPECTED_UPPER, SERIES)),
        number("Score", "0 is ordinary, 1 the threshold, higher is stranger.", last(metrics.ANOMALY_SCORE, SERIES))
        .decimals(2)
        .thresholds(steps((None, "green"), (1, "orange"), (3, "red"))),
        number("Votes", "Kinds of detectors that call the sample strange.", last(metrics.ANOMALY_VOTES, SERIES)),
        number("Severity", "How bad the alarm is.", last(metrics.ANOMALY_SEVERITY, SERIES))
        .mappings([severity_words()])
        .graph_mode(BigValueGraphMode.NONE)
        .no_value("shadow mode"),
        number(
            "In $horizon",
            "What is expected at now + horizon.",
            last(metrics.FORECAST, f'{SERIES},horizon="$horizon"'),
        ).no_value("none"),
    ]
    return [figure.span(3) for figure in figures]


def _band() -> timeseries.Panel:
    unusual = f"{last(metrics.VALUE, SERIES)} and {last(metrics.ANOMALY_SCORE, SERIES)} > 1"
    panel = curves(
        "Value and expected band",
        "The band is what was expected before the sample came. Red marks are values with a score above 1; shaded times "
        "are firing alerts.",
        "short",
        (last(metrics.VALUE, SERIES), "value"),
        (last(metrics.EXPECTED, SERIES), "expected"),
        (last(metrics.EXPECTED_LOWER, SERIES), "lower"),
        (last(metrics.EXPECTED_UPPER, SERIES), "upper"),
        (unusual, "unusual"),
    )
    banded(panel)
    styled(panel, "value", "green", lineWidth=2)
    styled(panel, "expected", "semi-dark-blue", lineStyle=DASHES)
    styled(panel, "unusual", "red", drawStyle="points", pointSize=6, showPoints="always")
    return panel.span(24).height(10).no_value("No samples in the time shown.")


def _score() -> timeseries.Panel:
    panel = curves(
        "Score",
        "1 is the threshold of every query. Shaded while it is worth an alert.",
        "short",
        (last(metrics.ANOMALY_SCORE, SERIES), "score"),
        (last(metrics.ANOMALY_ALARM, SERIES), "alarm"),
    )
    styled(panel, "score", "purple", lineWidth=2)
    styled(panel, "alarm", "red", lineWidth=0, fillOpacity=20, lineInterpolation="stepAfter")
    return threshold_lines(panel.min(0).axis_soft_max(1.5), (None, "transparent"), (1, "orange")).span(24).height(6)


def _detectors() -> timeseries.Panel:
    panel = curves(
        "Score of each detector",
        "The score above is what they agree on.",
        "short",
        (last(metrics.DETECTOR_SCORE, SERIES), "{{detector}}"),
    )
    threshold_lines(panel.min(0).axis_soft_max(1.5), (None, "transparent"), (1, "orange"))
    return panel.no_value("Published where the query has detector_scores: true.").span(8)


def _weights() -> timeseries.Panel:
    weight = last(metrics.DETECTOR_WEIGHT, 'query="$query"')
    panel = curves(
        "What each detector counts",
        "Beside its default, for all series of the query: 1 until verdicts say whose votes were right, or one calls "
        "alone more often than it promises.",
        "short",
        (f"max by (detector) ({weight})", "{{detector}}"),
    )
    return panel.no_value("One detector judges alone.").span(8)


def _agreement() -> timeseries.Panel:
    panel = curves(
        "Votes and severity",
        "Kinds of detectors that call the sample strange; severity 1 info, 2 warning, 3 high, 4 critical.",
        "short",
        (last(metrics.ANOMALY_VOTES, SERIES), "votes"),
        (last(metrics.ANOMALY_SEVERITY, SERIES), "severity"),
    )
    counting(panel)
    styled(panel, "severity", "red", lineWidth=0, fillOpacity=20, lineInterpolation="stepAfter")
    return styled(panel, "votes", "purple", lineInterpolation="stepAfter").decimals(0).span(8)


def _reasons() -> table.Panel:
    shown = {"includeByName": {"Value": True, "why": True}, "indexByName": {"Value": 0, "why": 1}}
    names = {"renameByName": {"Value": "last seen"}}
    panel = (
        listing("Why it was in alarm", "One line for each alarm of the time shown, as it began.", queries.reasons())
        .no_value("It was in no alarm in the time shown.")
        .with_transformation(DataTransformerConfig(id_val="organize", options=shown | names))
        .override_by_name(
            "last seen",
            [
                DynamicConfigValue(id_val="unit", value="dateTimeAsIso"),
                width(190),
            ],
        )
        .span(24)
        .height(6)
    )
    return sorted_by(panel, "last seen", desc=True)


def _silence() -> timeseries.Panel:
    panel = curves(
        "Silence, and a value that is stuck",
        "How long it has been silent, or unchanged: 1 is one and a half times the longest so far.",
        "short",
        (last(metrics.SILENCE_SCORE, SERIES), "silence"),
        (last(metrics.STILLNESS_SCORE, SERIES), "unchanged"),
    )
    threshold_lines(panel.min(0).axis_soft_max(1.5), (None, "transparent"), (1, "orange"))
    return panel.no_value("It delivers, and changes.").span(8)


def _contribution() -> timeseries.Panel:
    return (
        curves(
            "Part in what is strange about its group",
            "Share of the series; 0 for none.",
            "percentunit",
            (last(metrics.CONTRIBUTION_RATIO, SERIES), "share"),
        )
        .min(0)
        .max(1)
        .no_value("The query has no group_by, or its group is ordinary.")
    )


def _beside_peers() -> timeseries.Panel:
    panel = curves(
        "Beside its peers",
        "How far it is from series that are like it. 1 is the threshold; shaded while it is worth an alert.",
        "short",
        (last(metrics.PEER_SCORE, SERIES), "score"),
        (last(metrics.PEER_ALARM, SERIES), "alarm"),
    )
    styled(panel, "score", "purple", lineWidth=2)
    styled(panel, "alarm", "red", lineWidth=0, fillOpacity=20, lineInterpolation="stepAfter")
    threshold_lines(panel.min(0).axis_soft_max(1.5), (None, "transparent"), (1, "orange"))
    return panel.no_value("The query has no peers_by, or too few peers are known.")


def _slow_change() -> list[stat.Panel | timeseries.Panel]:
    drift = curves(
        "Drift",
        "How far the last three days lie from those before, rhythm left out. 1 is worth a look.",
        "short",
        (last(metrics.DRIFT_SCORE, SERIES), "drift"),
    )
    threshold_lines(drift.min(0).axis_soft_max(1.5), (None, "transparent"), (1, "orange"))
    return [
        drift.no_value("It needs ten days of history.").span(8),
        dates(
            "Last change of level",
            "When it was, and since when the present baseline holds.",
            (last(metrics.CHANGEPOINT_TIMESTAMP, SERIES), "last change"),
            (last(metrics.BASELINE_TIMESTAMP, SERIES), "baseline since"),
        )
        .no_value("No baseline has been learned.")
        .orientation(VizOrientation.HORIZONTAL)
        .span(8)
        .height(8),
    ]


def _peers() -> timeseries.Panel:
    scores = last(metrics.ANOMALY_SCORE, 'query="$query",tenant_id=~"$tenant"')
    panel = curves(
        "Strangest series of the query",
        "The five highest scores at each moment: is it this series alone?",
        "short",
        (queries.highest(5, scores), "__auto"),
    )
    return threshold_lines(named_beside(panel.min(0)), (None, "transparent"), (1, "orange")).span(24)


def _alerts() -> AnnotationQuery:
    # No `$__rate_interval` here, as an annotation has no panel's width: the longest usual time between two evaluations.
    expr = f'last_over_time(ALERTS{{alertname="ForethoughtAnomaly",alertstate="firing",{SERIES}}}[90s])'
    return (
        AnnotationQuery()
        .name("Alerts")
        .datasource(variables.DATASOURCE)
        .enable(True)
        .icon_color("red")
        .expr(expr)
        .title_format("{{alertname}} {{severity}}")
        .step("30s")
    )


def _time_picker() -> TimePicker:
    ranges: list[Builder[Range]] = [
        TimeOption().display(text).from_val(f"now-{past}").to(f"now+{ahead}") for text, past, ahead in _RANGES
    ]
    return TimePicker().quick_ranges(ranges)
