"""Every published metric: name, type, help and labels, declared once.

Dashboards, alert rules and docs/metrics.md are built from these or tested against them.
"""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "forethought_"


@dataclass(frozen=True)
class Family:
    """One metric family.

    Attributes
    ----------
    name : str
        With prefix, base unit and, for counters, ``_total``.
    kind : str
        ``gauge``, ``counter`` or ``histogram``.
    help : str
    labels : tuple of str
        Own labels. A result adds the labels of its input series.
    """

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()


def _gauge(name: str, text: str, *labels: str) -> Family:
    return Family(PREFIX + name, "gauge", text, labels)


def _counter(name: str, text: str, *labels: str) -> Family:
    return Family(PREFIX + name, "counter", text, labels)


def _histogram(name: str, text: str, *labels: str) -> Family:
    return Family(PREFIX + name, "histogram", text, labels)


# Results: one sample for each series of a query, with the labels of that series. Absent when not computed.
VALUE = _gauge("value", "Last complete sample judged.", "query")
EXPECTED = _gauge("expected", "What was expected of that sample.", "query")
EXPECTED_LOWER = _gauge("expected_lower", "Lower edge of the expected band.", "query")
EXPECTED_UPPER = _gauge("expected_upper", "Upper edge of the expected band.", "query")
ANOMALY_SCORE = _gauge(
    "anomaly_score",
    "How strange the sample is: 0 ordinary, 1 the threshold for every query, higher is stranger; 0 while warming up.",
    "query",
)
ANOMALY_ALARM = _gauge(
    "anomaly_alarm",
    "1 from when scores above 1 persist, or one is far above, until they have been quiet for a while; else 0.",
    "query",
)
ANOMALY_VOTES = _gauge("anomaly_votes", "Kinds of detectors that call the sample strange.", "query")
ANOMALY_SEVERITY = _gauge(
    "anomaly_severity", "How bad the alarm is: 0 none, 1 info, 2 warning, 3 high, 4 critical.", "query"
)
ANOMALY_INFO = _gauge("anomaly_info", "1 while in alarm; `why` says in one line what was found.", "query", "why")
GROUP_SCORE = _gauge(
    "group_anomaly_score",
    "How strange the series of a group (`group_by`) are together: 1 the threshold. Also carries the group's labels.",
    "query",
)
GROUP_ALARM = _gauge(
    "group_anomaly_alarm", "The alarm of a group, as that of a series; 0 while one of its series calls.", "query"
)
CONTRIBUTION_RATIO = _gauge(
    "anomaly_contribution_ratio", "Share of the series in what is strange about its group; 0 for none.", "query"
)
PEER_SCORE = _gauge(
    "peer_score",
    "How far a series is from those that are like it (`peers_by`): 1 the threshold; absent where too few are compared.",
    "query",
)
PEER_ALARM = _gauge("peer_alarm", "The alarm of a series that differs from its peers, as that of scores.", "query")
PEER_INFO = _gauge("peer_info", "1 while a series differs from its peers; `why` says in one line how.", "query", "why")
DRIFT_SCORE = _gauge(
    "drift_score",
    "How far the last three days lie from those before, without daily and weekly rhythm: 1 is the threshold.",
    "query",
)
CHANGEPOINT_TIMESTAMP = _gauge(
    "changepoint_timestamp_seconds", "When the level last changed for good; absent where it has not.", "query"
)
BASELINE_TIMESTAMP = _gauge(
    "baseline_timestamp_seconds",
    "Since when the present baseline holds: the last change, or the first sample.",
    "query",
)
SILENCE_SCORE = _gauge(
    "silence_score",
    "While a series has no samples: how long, 1 for one and a half times its longest silence. Up to a day above 1.",
    "query",
)
STILLNESS_SCORE = _gauge(
    "stillness_score",
    "While a value that mostly changes does not: how long, 1 for one and a half times its longest such stretch.",
    "query",
)
OUTAGE_SERIES = _gauge(
    "outage_series",
    "Series that fell silent together, by the label's value they share; no label where it is all of the query.",
    "query",
    "label",
    "value",
)
DETECTOR_SCORE = _gauge("detector_score", "Score of one detector of the ensemble.", "query", "detector")
FORECAST = _gauge("forecast", "Value expected at now + horizon.", "query", "horizon")
FORECAST_LOWER = _gauge("forecast_lower", "Lower end of the forecast's interval.", "query", "horizon")
FORECAST_UPPER = _gauge("forecast_upper", "Upper end of the forecast's interval.", "query", "horizon")

LIMIT = _gauge("limit", "A value that must not be reached.", "query", "limit")
LIMIT_TIMESTAMP = _gauge(
    "limit_timestamp_seconds",
    "When the limit will be reached: as likely earlier as later. Absent where it will not be.",
    "query",
    "limit",
)
LIMIT_LOWER = _gauge("limit_lower_timestamp_seconds", "Early end of the interval of that time.", "query", "limit")
LIMIT_UPPER = _gauge(
    "limit_upper_timestamp_seconds",
    "Late end of it; absent where the limit may well never be reached.",
    "query",
    "limit",
)
LIMIT_PROBABILITY = _gauge(
    "limit_probability",
    "Probability that the limit is reached within the horizon, 0 to 1.",
    "query",
    "limit",
    "horizon",
)
CAPACITY_RECOMMENDED = _gauge(
    "capacity_recommended",
    "What should be there in place of the limit, by `scaling`; absent where the limit is right.",
    "query",
    "limit",
)

RESULTS = (
    VALUE,
    EXPECTED,
    EXPECTED_LOWER,
    EXPECTED_UPPER,
    ANOMALY_SCORE,
    ANOMALY_ALARM,
    ANOMALY_VOTES,
    ANOMALY_SEVERITY,
    ANOMALY_INFO,
    DETECTOR_SCORE,
    GROUP_SCORE,
    GROUP_ALARM,
    CONTRIBUTION_RATIO,
    PEER_SCORE,
    PEER_ALARM,
    PEER_INFO,
    DRIFT_SCORE,
    CHANGEPOINT_TIMESTAMP,
    BASELINE_TIMESTAMP,
    SILENCE_SCORE,
    STILLNESS_SCORE,
    OUTAGE_SERIES,
    FORECAST,
    FORECAST_LOWER,
    FORECAST_UPPER,
    LIMIT,
    LIMIT_TIMESTAMP,
    LIMIT_LOWER,
    LIMIT_UPPER,
    LIMIT_PROBABILITY,
    CAPACITY_RECOMMENDED,
)

# Ourselves.
BUILD_INFO = _gauge("build_info", "Always 1; the version is in the labels.", "version", "python_version")
CYCLES = _counter("cycles_total", "Cycles by how they ended: success, or why they failed.", "query", "outcome")
CYCLE_DURATION = _histogram("cycle_duration_seconds", "Time a stage of a cycle took.", "stage")
CYCLE_LAST_DURATION = _gauge("cycle_last_duration_seconds", "Time the query's last cycle took.", "query")
CYCLE_INTERVAL = _gauge("cycle_interval_seconds", "Configured time between two cycles of the query.", "query")
CYCLE_LAST_SUCCESS = _gauge(
    "cycle_last_success_timestamp_seconds", "When the query's last successful cycle ended.", "query"
)
CYCLE_FAILURE = _gauge("cycle_failure", "1 while the query's last cycle failed, with the reason.", "query", "reason")
CYCLE_MISSED = _counter("cycle_missed_total", "Cycles left out because the one before was still running.", "query")
FALSE_ALARM_RATIO = _gauge(
    "false_alarm_ratio", "Share of the query's judged alarms of 90 days that verdicts call false.", "query"
)
FALSE_ALARM_RATIO_UPPER = _gauge(
    "false_alarm_ratio_upper", "Upper end of its 95 % interval: far above while few alarms were judged.", "query"
)
VERDICTS = _gauge("verdicts", "Verdicts in force for the query.", "query")
DETECTOR_WEIGHT = _gauge(
    "detector_weight",
    "How much a detector of the ensemble counts beside its default: 1 until verdicts or many lone calls say otherwise.",
    "query",
    "detector",
)
QUERY_SHADOW = _gauge("query_shadow", "1 for a query on trial (`shadow`), of which nobody is told.", "query")
SERIES = _gauge("series", "Series in the query's window.", "query")
SKIPPED_SERIES = _gauge("skipped_series", "Series not judged in the last cycle, by reason.", "query", "reason")
STORE_BYTES = _gauge("store_bytes", "Memory held by the query's samples.", "query")
OUTPUT_SAMPLES = _gauge("output_samples", "Result samples on the page.", "query")
MODEL_FIT_TIMESTAMP = _gauge("model_fit_timestamp_seconds", "When the model was last fitted.", "query", "model")
MODEL_FIT_DURATION = _gauge("model_fit_duration_seconds", "Time the last fit took.", "query", "model")
FORECAST_ERROR_RATIO = _gauge(
    "forecast_error_ratio",
    "Median over the series: mean error of the forecasts shown over that of repeating the season, live.",
    "query",
    "horizon",
)
FORECAST_SMAPE_RATIO = _gauge(
    "forecast_smape_ratio",
    "Median over the series: symmetric mean absolute percentage error of the forecasts shown, 0 to 2.",
    "query",
    "horizon",
)
FORECAST_BIAS_RATIO = _gauge(
    "forecast_bias_ratio",
    "Median over the series: mean error over mean absolute error, -1 to 1; above 0 where more came than was forecast.",
    "query",
    "horizon",
)
INTERVAL_COVERAGE_RATIO = _gauge(
    "interval_coverage_ratio",
    "Share of samples inside the intervals that were shown for them; should be near forecast.coverage.",
    "query",
    "horizon",
)
INTERVAL_TARGET_RATIO = _gauge(
    "interval_target_ratio", "Share of samples that intervals shall hold: forecast.coverage.", "query"
)
INTERVAL_WIDTH_RATIO = _gauge(
    "interval_width_ratio",
    "Median over the series: what widths are multiplied with, so that intervals cover what they promise.",
    "query",
    "horizon",
)
FORECAST_FALLBACK_SERIES = _gauge(
    "forecast_fallback_series",
    "Series whose forecaster errs more than repeating the season, which is shown in its place.",
    "query",
)
FORECASTER_SERIES = _gauge(
    "forecaster_series", "Series by the kind of forecast that weighs most in theirs.", "query", "forecaster"
)
FORECAST_BACKTEST_ERROR_RATIO = _gauge(
    "forecast_backtest_error_ratio",
    "Median over the series: error over that of repeating the season, in the trials of the last fit.",
    "query",
)
SOURCE_UP = _gauge("source_up", "1 if the last request to the source was answered, 0 if not.")
SOURCE_REQUESTS = _counter("source_requests_total", "Requests to the source by outcome.", "outcome")
SOURCE_REQUEST_DURATION = _histogram("source_request_duration_seconds", "Time until a request's body had arrived.")
SOURCE_RECEIVED_BYTES = _counter("source_received_bytes_total", "Bytes of answer bodies received.")
SOURCE_SAMPLES = _counter("source_samples_total", "Samples received.")
SOURCE_REQUEST_LIMIT = _gauge(
    "source_request_limit", "Requests the source is asked at the same time at most; fewer while it is slow or busy."
)
SOURCE_REQUESTS_RUNNING = _gauge("source_requests_running", "Requests the source is being asked.")
SOURCE_REST = _gauge(
    "source_rest_seconds", "Length of the rest last given to the source; 0 since it answered well again."
)
SOURCE_OVERLOADS = _counter(
    "source_overloads_total", "Signs that the source has too much to do: slow answers, 429, 503, time-outs.", "sign"
)
UNPULLED_STEPS = _gauge("unpulled_steps", "Steps of the query's history that later cycles will ask for.", "query")
STATE_RESTORES = _counter(
    "state_restores_total",
    "Queries started from what a former process kept: complete, samples_only; absent, other_configuration, "
    "memory_limit and damaged are cold starts.",
    "outcome",
)
PAGE_BYTES = _gauge("page_bytes", "Size of the results on a page of /metrics, as text.", "shard")
PAGE_WITHHELD = _gauge("page_withheld", "1 while the results on a page are withheld, being too large; else 0.", "shard")
REMOTE_WRITE_SAMPLES = _counter("remote_write_samples_total", "Samples that the server of remote write took.", "url")
REMOTE_WRITE_DROPPED = _counter(
    "remote_write_dropped_samples_total",
    "Samples given up: refused, queue_full, too_old, not_newer, shutdown or internal_error.",
    "url",
    "reason",
)
REMOTE_WRITE_PENDING = _gauge("remote_write_pending_bytes", "Bytes that wait to be written.", "url")
REMOTE_WRITE_LAST_SUCCESS = _gauge(
    "remote_write_last_success_timestamp_seconds", "When the server of remote write last took samples.", "url"
)
CONFIG_RELOAD_OK = _gauge("config_last_reload_successful", "1 if the last reload worked, 0 if the old one runs on.")
CONFIG_RELOAD_TIMESTAMP = _gauge(
    "config_last_reload_success_timestamp_seconds", "When the running configuration was loaded."
)

OURSELVES = (
    BUILD_INFO,
    CYCLES,
    CYCLE_DURATION,
    CYCLE_LAST_DURATION,
    CYCLE_INTERVAL,
    CYCLE_LAST_SUCCESS,
    CYCLE_FAILURE,
    CYCLE_MISSED,
    FALSE_ALARM_RATIO,
    FALSE_ALARM_RATIO_UPPER,
    VERDICTS,
    DETECTOR_WEIGHT,
    QUERY_SHADOW,
    SERIES,
    SKIPPED_SERIES,
    STORE_BYTES,
    OUTPUT_SAMPLES,
    MODEL_FIT_TIMESTAMP,
    MODEL_FIT_DURATION,
    FORECAST_ERROR_RATIO,
    FORECAST_SMAPE_RATIO,
    FORECAST_BIAS_RATIO,
    INTERVAL_COVERAGE_RATIO,
    INTERVAL_TARGET_RATIO,
    INTERVAL_WIDTH_RATIO,
    FORECAST_FALLBACK_SERIES,
    FORECASTER_SERIES,
    FORECAST_BACKTEST_ERROR_RATIO,
    SOURCE_UP,
    SOURCE_REQUESTS,
    SOURCE_REQUEST_DURATION,
    SOURCE_RECEIVED_BYTES,
    SOURCE_SAMPLES,
    SOURCE_REQUEST_LIMIT,
    SOURCE_REQUESTS_RUNNING,
    SOURCE_REST,
    SOURCE_OVERLOADS,
    UNPULLED_STEPS,
    STATE_RESTORES,
    PAGE_BYTES,
    PAGE_WITHHELD,
    REMOTE_WRITE_SAMPLES,
    REMOTE_WRITE_DROPPED,
    REMOTE_WRITE_PENDING,
    REMOTE_WRITE_LAST_SUCCESS,
    CONFIG_RELOAD_OK,
    CONFIG_RELOAD_TIMESTAMP,
)

FAMILIES = RESULTS + OURSELVES
