"""The fleet at a glance: what is unusual, whether forecasts hold, and whether forethought itself is well."""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, Row
from grafana_foundation_sdk.models.common import BigValueGraphMode
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue, ValueMap

from exporter import metrics
from grafana import queries, variables
from grafana.dashboards.page import DETAIL, OVERVIEW, page
from grafana.panels import curves, listing, number, setting, severity_words, stacked, steps, threshold_lines, word
from grafana.queries import FLEET, QUERIES

_SCORE = f"{metrics.ANOMALY_SCORE.name}{{{FLEET}}}"
_ALARM = f"{metrics.ANOMALY_ALARM.name}{{{FLEET}}}"
_NO_TRUTH = "No forecast has been compared with what came."
_HIDDEN = ("Time", "__name__", "job", "instance", "tenant")
_DETAIL_OF_ROW = (
    f"/d/{DETAIL}?var-datasource=${{datasource}}&var-query=${{__data.fields.query:percentencode}}"
    "&var-series=${__data.fields.series:percentencode}"
)


def overview() -> Dashboard:
    """Build the dashboard."""
    dashboard = page(OVERVIEW, "forethought / overview", "What is unusual now, and how well forethought itself is.")
    dashboard.time("now-6h", "now")
    dashboard.link(DashboardLink("A single series").url(f"/d/{DETAIL}?var-datasource=${{datasource}}"))
    dashboard.variables([variables.datasource(), variables.queries(), variables.tenants(), variables.horizon()])
    for title, panels in (
        ("Now", _now()),
        ("What is unusual", _unusual()),
        ("Whether the alarms were right", _verdicts()),
        ("Forecasts", _forecasts()),
        ("Cycles", _cycles()),
        ("Source", _source()),
        ("Output", _output()),
        ("Models and memory", _models()),
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
        ).thresholds(steps((None, "green"), (300, "orange"), (900, "red"))),
    ]
    return [figure.span(3) for figure in figures]


def _unusual() -> list[timeseries.Panel | table.Panel]:
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


def _verdicts() -> list[timeseries.Panel]:
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


def _forecasts() -> list[timeseries.Panel]:
    young = "No forecast is as old as its horizon yet."
    return [
        curves(
            "Forecast error, $horizon ahead",
            "Mean distance of the values from what was forecast for them, as a ratio of the mean value.",
            "percentunit",
            (queries.forecast_error(), "{{query}}"),
        )
        .min(0)
        .no_value(young),
        curves(
            "Values inside their interval, $horizon ahead",
            "Should be near forecast.coverage of the configuration, 95 % by default.",
            "percentunit",
            (queries.forecast_coverage(), "{{query}}"),
        )
        .min(0)
        .max(1)
        .no_value(young),
        *_live_truth(),
    ]


def _live_truth() -> list[timeseries.Panel]:
    """How forecasts did, as forethought itself keeps the books."""
    error, trials = metrics.FORECAST_ERROR_RATIO.name, metrics.FORECAST_BACKTEST_ERROR_RATIO.name
    ahead = "{{query}} {{horizon}}"
    return [
        threshold_lines(
            curves(
                "Error of the forecasts, against repeating the season",
                "Median over the series. Above 1 repeating what was a season ago would have been better.",
                "percentunit",
                (f"{error}{{{QUERIES}}}", ahead),
                (f"{trials}{{{QUERIES}}}", "{{query}} in trials"),
            ).min(0),
            (None, "transparent"),
            (1, "orange"),
        ).no_value(_NO_TRUTH),
        curves(
            "Samples inside the intervals shown for them",
            "Should be near forecast.coverage of the configuration, 95 % by default.",
            "percentunit",
            (f"{metrics.INTERVAL_COVERAGE_RATIO.name}{{{QUERIES}}}", ahead),
        )
        .max(1)
        .no_value(_NO_TRUTH),
        curves(
            "Relative error, and bias",
            "sMAPE, 0 to 200 %; and how one-sided errors are, above 0 where more came than was forecast.",
            "percentunit",
            (f"{metrics.FORECAST_SMAPE_RATIO.name}{{{QUERIES}}}", f"sMAPE {ahead}"),
            (f"{metrics.FORECAST_BIAS_RATIO.name}{{{QUERIES}}}", f"bias {ahead}"),
        ).no_value(_NO_TRUTH),
        curves(
            "Correction of the intervals",
            "What widths are multiplied with so that the coverage holds; 1 is as the forecaster says.",
            "short",
            (f"{metrics.INTERVAL_WIDTH_RATIO.name}{{{QUERIES}}}", ahead),
        )
        .min(0)
        .no_value(_NO_TRUTH),
        stacked(
            curves(
                "Series by kind of forecast",
                "The kind that weighs most in each.",
                "short",
                (f"sum by (forecaster) ({metrics.FORECASTER_SERIES.name}{{{QUERIES}}})", "{{forecaster}}"),
            ).min(0)
        ).no_value("Nothing is forecast."),
        curves(
            "Series that repeat the season instead",
            "Their forecaster has erred more than that.",
            "short",
            (f"{metrics.FORECAST_FALLBACK_SERIES.name}{{{QUERIES}}}", "{{query}}"),
        )
        .min(0)
        .no_value(_NO_TRUTH),
    ]


def _cycles() -> list[timeseries.Panel | table.Panel]:
    duration, interval = metrics.CYCLE_LAST_DURATION.name, metrics.CYCLE_INTERVAL.name
    return [
        threshold_lines(
            curves(
                "Time of a cycle against its interval",
                "Above 100 % the next cycle is left out.",
                "percentunit",
                (f"{duration}{{{QUERIES}}} / {interval}{{{QUERIES}}}", "{{query}}"),
            ).min(0),
            (None, "transparent"),
            (1, "red"),
        ),
        curves(
            "Time since the last successful cycle",
            "Results disappear after stale_after, 5 minutes by default.",
            "s",
            (queries.age(metrics.CYCLE_LAST_SUCCESS, QUERIES), "{{query}}"),
        ).min(0),
        curves(
            "Time of a stage, 95th percentile",
            "pull is the server and the network, fit the learning, judge and render the number of series.",
            "s",
            (queries.quantile(0.95, metrics.CYCLE_DURATION, "stage"), "{{stage}}"),
        ).min(0),
        curves(
            "Cycles by outcome, and those left out",
            "Anything but success is a reason why a query failed.",
            "cps",
            (queries.rate(metrics.CYCLES, QUERIES, "outcome"), "{{outcome}}"),
            (queries.rate(metrics.CYCLE_MISSED, QUERIES, ""), "left out"),
        ).min(0),
        listing(
            "Failing queries",
            "Queries whose last cycle failed, and why. The log has the whole message.",
            f"sum by (query, reason) ({metrics.CYCLE_FAILURE.name}{{{QUERIES}}} == 1)",
        )
        .no_value("No query fails.")
        .with_transformation(_without("Time", "Value")),
        stacked(
            curves(
                "Series not judged, by reason",
                "warming_up passes by itself; the others are explained in the runbook of ForethoughtSeriesSkipped.",
                "short",
                (f"sum by (reason) ({metrics.SKIPPED_SERIES.name}{{{QUERIES}}})", "{{reason}}"),
            )
            .min(0)
            .no_value("All series are judged.")
        ),
    ]


def _source() -> list[timeseries.Panel]:
    return [
        curves(
            "Requests by outcome",
            "Requests to the metrics server.",
            "reqps",
            (queries.rate(metrics.SOURCE_REQUESTS, "", "outcome"), "{{outcome}}"),
        ).min(0),
        curves(
            "Time of a request",
            "Until the whole answer had arrived.",
            "s",
            (queries.quantile(0.5, metrics.SOURCE_REQUEST_DURATION), "median"),
            (queries.quantile(0.95, metrics.SOURCE_REQUEST_DURATION), "95th percentile"),
        ).min(0),
        curves(
            "Bytes received",
            "Bodies of answers.",
            "Bps",
            (queries.rate(metrics.SOURCE_RECEIVED_BYTES, "", "instance"), "{{instance}}"),
        ).min(0),
        curves(
            "Samples received",
            "After the first cycle only what is new, and what may have come late.",
            "cps",
            (queries.rate(metrics.SOURCE_SAMPLES, "", "instance"), "{{instance}}"),
        ).min(0),
        curves(
            "Requests at once",
            "Under way, and how many may be. The limit falls while the server is slow or busy, and rises again.",
            "short",
            (metrics.SOURCE_REQUESTS_RUNNING.name, "under way {{instance}}"),
            (metrics.SOURCE_REQUEST_LIMIT.name, "limit {{instance}}"),
        ).min(0),
        curves(
            "Signs of overload",
            "Slow answers, 429, 503 and time-outs a second, and the rest last given to the server, in seconds.",
            "short",
            (queries.rate(metrics.SOURCE_OVERLOADS, "", "sign"), "{{sign}}"),
            (metrics.SOURCE_REST.name, "rest {{instance}}"),
        )
        .min(0)
        .no_value("The source was never overloaded."),
        curves(
            "Steps still to be pulled",
            "Of the history; above 0 while it is filled, and after an outage.",
            "short",
            (f"{metrics.UNPULLED_STEPS.name}{{{QUERIES}}}", "{{query}}"),
        ).min(0),
    ]


def _output() -> list[timeseries.Panel]:
    return [
        curves(
            "Size of the results on a page",
            "As text; a scrape is compressed to about a tenth.",
            "bytes",
            (metrics.PAGE_BYTES.name, "shard {{shard}} {{instance}}"),
        ).min(0),
        curves(
            "Pages withheld",
            "1 while the results of a page are larger than output.max_page_bytes: more shards are needed.",
            "short",
            (metrics.PAGE_WITHHELD.name, "shard {{shard}} {{instance}}"),
        )
        .min(0)
        .max(1),
        curves(
            "Samples by remote write",
            "Taken by the server, and given up by reason.",
            "cps",
            (queries.rate(metrics.REMOTE_WRITE_SAMPLES, "", "url"), "taken by {{url}}"),
            (queries.rate(metrics.REMOTE_WRITE_DROPPED, "", "url, reason"), "given up: {{reason}}"),
        )
        .min(0)
        .no_value("Remote write is not configured."),
        curves(
            "Waiting for remote write",
            "Bytes in the queue.",
            "bytes",
            (metrics.REMOTE_WRITE_PENDING.name, "{{url}}"),
        )
        .min(0)
        .no_value("Remote write is not configured."),
        curves(
            "Since the last success of remote write",
            "Rises while the server takes nothing.",
            "s",
            (queries.age(metrics.REMOTE_WRITE_LAST_SUCCESS, ""), "{{url}}"),
        )
        .min(0)
        .no_value("Remote write is not configured."),
    ]


def _models() -> list[timeseries.Panel | table.Panel]:
    return [
        curves(
            "Age of the models",
            "Models learn anew every refit, 1 hour by default.",
            "s",
            (f"max by (query, model) ({queries.age(metrics.MODEL_FIT_TIMESTAMP, QUERIES)})", "{{query}} {{model}}"),
        ).min(0),
        curves(
            "Time of the last fit",
            "Part of the cycle in which it happened.",
            "s",
            (f"{metrics.MODEL_FIT_DURATION.name}{{{QUERIES}}}", "{{query}} {{model}}"),
        ).min(0),
        stacked(
            curves(
                "Memory of the samples",
                "Series times history / step times 8 bytes, or near it.",
                "bytes",
                (f"{metrics.STORE_BYTES.name}{{{QUERIES}}}", "{{query}}"),
            ).min(0)
        ),
        stacked(
            curves(
                "Series and result samples",
                "Series in the windows, and samples on the page that Prometheus scrapes.",
                "short",
                (f"sum({metrics.SERIES.name}{{{QUERIES}}})", "series"),
                (f"sum({metrics.OUTPUT_SAMPLES.name}{{{QUERIES}}})", "result samples"),
            ).min(0)
        ),
        curves(
            "Queries at the start of the process, by what was kept of them",
            "complete and samples_only went on where a former process ended; all others began anew.",
            "short",
            (f"sum by (outcome) ({metrics.STATE_RESTORES.name})", "{{outcome}}"),
        ).min(0),
        curves(
            "Age of the configuration",
            "A fall to 0 is a start or a reload.",
            "s",
            (queries.age(metrics.CONFIG_RELOAD_TIMESTAMP, ""), "{{instance}}"),
        ).min(0),
        listing(
            "Versions, and whether the last reload worked",
            "1: it did. 0: the new configuration was refused and the old one runs on.",
            f"{metrics.BUILD_INFO.name} * on (job, instance) group_left () {metrics.CONFIG_RELOAD_OK.name}",
        ).with_transformation(_without("Time", "__name__", "job")),
    ]


def _without(*columns: str) -> DataTransformerConfig:
    return DataTransformerConfig(id_val="organize", options={"excludeByName": dict.fromkeys(columns, True)})
