"""Whether forethought itself is well: cycles, source, output, models."""

from __future__ import annotations

from grafana_foundation_sdk.builders import table, timeseries
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue, ValueMap

from exporter import metrics
from grafana import queries
from grafana.panels import (
    columns,
    curves,
    listing,
    named_beside,
    stacked,
    threshold_lines,
    word,
)
from grafana.queries import QUERIES

_RELOADS = ValueMap(options={"0": word("refused", "red"), "1": word("worked", "green")})


def cycles() -> list[timeseries.Panel | table.Panel]:
    """Cycles of the queries."""
    duration, interval = metrics.CYCLE_LAST_DURATION.name, metrics.CYCLE_INTERVAL.name
    return [
        threshold_lines(
            named_beside(
                curves(
                    "Time of a cycle against its interval",
                    "Above 100 % the next cycle is left out.",
                    "percentunit",
                    (f"{duration}{{{QUERIES}}} / {interval}{{{QUERIES}}}", "{{query}}"),
                )
            ).min(0),
            (None, "transparent"),
            (1, "red"),
        ),
        named_beside(
            curves(
                "Time since the last successful cycle",
                "Results disappear after stale_after, 5 minutes by default.",
                "s",
                (queries.age(metrics.CYCLE_LAST_SUCCESS, QUERIES), "{{query}}"),
            )
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
        .with_transformation(columns(("Time", "Value"))),
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


def source() -> list[timeseries.Panel]:
    """The metrics server, as asked."""
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
        named_beside(
            curves(
                "Steps still to be pulled",
                "Of the history, while it is filled, and after an outage.",
                "short",
                (f"{metrics.UNPULLED_STEPS.name}{{{QUERIES}}} > 0", "{{query}}"),
            )
        )
        .min(0)
        .no_value("All steps are there.")
        .span(24)
        .height(5),
    ]


def output() -> list[timeseries.Panel]:
    """Where results go."""
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
        .no_value("Remote write is not configured.")
        .span(8),
        curves(
            "Waiting for remote write",
            "Bytes in the queue.",
            "bytes",
            (metrics.REMOTE_WRITE_PENDING.name, "{{url}}"),
        )
        .min(0)
        .no_value("Remote write is not configured.")
        .span(8),
        curves(
            "Since the last success of remote write",
            "Rises while the server takes nothing.",
            "s",
            (queries.age(metrics.REMOTE_WRITE_LAST_SUCCESS, ""), "{{url}}"),
        )
        .min(0)
        .no_value("Remote write is not configured.")
        .span(8),
    ]


def models() -> list[timeseries.Panel | table.Panel]:
    """Models, memory, configuration."""
    return [
        named_beside(
            curves(
                "Age of the models",
                "Models learn anew every refit, 1 hour by default.",
                "s",
                (f"max by (query, model) ({queries.age(metrics.MODEL_FIT_TIMESTAMP, QUERIES)})", "{{query}} {{model}}"),
            )
        ).min(0),
        named_beside(
            curves(
                "Time of the last fit",
                "Part of the cycle in which it happened.",
                "s",
                (f"{metrics.MODEL_FIT_DURATION.name}{{{QUERIES}}}", "{{query}} {{model}}"),
            )
        ).min(0),
        stacked(
            named_beside(
                curves(
                    "Memory of the samples",
                    "Series times history / step times 8 bytes, or near it.",
                    "bytes",
                    (f"{metrics.STORE_BYTES.name}{{{QUERIES}}}", "{{query}}"),
                )
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
        )
        .min(0)
        .no_value("This process keeps nothing over a restart."),
        curves(
            "Age of the configuration",
            "A fall to 0 is a start or a reload.",
            "s",
            (queries.age(metrics.CONFIG_RELOAD_TIMESTAMP, ""), "{{instance}}"),
        ).min(0),
        listing(
            "Versions, and whether the last reload worked",
            "Where it was refused, the old configuration runs on.",
            f"{metrics.BUILD_INFO.name} * on (job, instance) group_left () {metrics.CONFIG_RELOAD_OK.name}",
        )
        .with_transformation(
            columns(("Time", "__name__", "job"), ("instance", "version", "python_version"), {"Value": "last reload"})
        )
        .override_by_name("last reload", [DynamicConfigValue(id_val="mappings", value=[_RELOADS])])
        .span(24)
        .height(5),
    ]
