"""The PromQL of the dashboards, on the names of `exporter.metrics`.

A range vector holds no sample older than its range, while a plain selector repeats the last one for five
minutes. `last` therefore reads results through ``last_over_time``, so that a curve ends where its samples end,
also where a dashboard shows time that is still to come.
"""

from __future__ import annotations

from collections.abc import Sequence

from exporter import metrics
from exporter.metrics import Family

FLEET = 'query=~"$query",tenant_id=~"$tenant"'
"""What the overview has selected; a series without the label `tenant_id` is of every tenant."""
QUERIES = 'query=~"$query"'
"""The same for metrics of the process, which know no tenant."""
SERIES = 'query="$query",${series:raw}'
"""The one series of the detail page. Raw, as the variable holds whole matchers and Grafana would escape them."""

HORIZONS = ("5m", "15m", "30m", "1h", "2h", "3h", "6h", "12h", "1d", "2d", "3d", "1w")
"""Horizons the forward curve looks for. `offset` cannot read a label, so each must be written out; one that is not
configured finds nothing and costs nothing."""


def last(family: Family, matchers: str, offset: str = "") -> str:
    """Samples of a result as they came, without the five minutes a plain selector repeats."""
    return f"last_over_time({family.name}{{{matchers}}}[$__rate_interval]{f' offset {offset}' if offset else ''})"


def rate(family: Family, matchers: str, by: str, *, part: str = "") -> str:
    """Growth a second of a counter, or of a histogram's `part`, summed by labels."""
    return f"sum by ({by}) (rate({family.name}{part}{{{matchers}}}[$__rate_interval]))"


def quantile(q: float, family: Family, by: str = "") -> str:
    """A quantile of a histogram, over all its observations of the interval."""
    labels = ", ".join(filter(None, ("le", by)))
    return f"histogram_quantile({q}, {rate(family, '', labels, part='_bucket')})"


def age(family: Family, matchers: str) -> str:
    """Seconds since a timestamp."""
    return f"time() - {family.name}{{{matchers}}}"


def in_alarm_by(label: str) -> str:
    """How many series are in alarm, where any is; what has no such label counts as `none`."""
    count = f"count by ({label}) ({metrics.ANOMALY_ALARM.name}{{{FLEET}}} == 1)"
    return f'label_replace({count}, "{label}", "none", "{label}", "")'


def highest(limit: int, scores: str) -> str:
    """The highest scores at each moment, by the labels that tell one series from another.

    The target of forethought's own process says nothing about a series; a series that brings labels `job` and
    `instance` of its own keeps them.
    """
    ours = f"on (job, instance) {metrics.BUILD_INFO.name}"
    top = f"topk({limit}, {scores})"
    return f"max without (query, job, instance) ({top} and {ours}) or max without (query) ({top} unless {ours})"


def unusual_now(limit: int) -> str:
    """The strangest series above the threshold, with the labels `tenant` and `series` of their alerts."""
    return _with_labels_of_alerts(f"topk({limit}, {metrics.ANOMALY_SCORE.name}{{{FLEET}}} > 1)", "")


def in_alarm_now(limit: int) -> str:
    """Severity and reason of the worst alarms, with the labels `tenant` and `series` of their alerts."""
    severity = f"topk({limit}, {metrics.ANOMALY_SEVERITY.name}{{{FLEET}}} > 0)"
    reason = f"{metrics.ANOMALY_INFO.name}{{{FLEET}}} * ignoring (why) group_left () {severity}"
    return _with_labels_of_alerts(reason, "why")


def _with_labels_of_alerts(expr: str, further: str) -> str:
    """Results with the label `series`, the selector that opens a series' detail page.

    Only alerts carry it; a series whose alert is not yet active comes without. `further` is the label that the results
    have and alerts have not, if any.
    """
    rows = f'label_replace({expr}, "tenant", "$1", "tenant_id", "(.+)")'
    rows = f'label_replace({rows}, "tenant", "none", "tenant", "")'
    alerts = f'ALERTS{{alertname="ForethoughtAnomaly",{QUERIES}}}'
    alerts = f"max without (alertname, alertstate, severity) ({alerts})"
    ignored = ", ".join(filter(None, ("series", further)))
    return f"{alerts} * ignoring ({ignored}) group_left ({further}) {rows} or ignoring ({ignored}) {rows}"


def reasons() -> str:
    """Why the series was in alarm in the time shown: for each reason when it was last seen, in milliseconds."""
    return f"1000 * max_over_time(timestamp({metrics.ANOMALY_INFO.name}{{{SERIES}}})[$__range:1m])"


def forecast_error() -> str:
    """Mean absolute error of the forecasts made a horizon ago, as a ratio of the mean absolute value."""
    forecast = f'{metrics.FORECAST.name}{{horizon="$horizon",{FLEET}}} offset $horizon'
    value = f"{metrics.VALUE.name}{{{FLEET}}}"
    error = f"sum by (query) (abs({forecast} - ignoring (horizon) group_left () {value}))"
    return f"{error} / (sum by (query) (abs({value})) > 0)"


def forecast_coverage() -> str:
    """Share of values inside the interval forecast for them a horizon ago."""
    upper = f'{metrics.FORECAST_UPPER.name}{{horizon="$horizon",{FLEET}}} offset $horizon'
    lower = f'{metrics.FORECAST_LOWER.name}{{horizon="$horizon",{FLEET}}} offset $horizon'
    value = f"{metrics.VALUE.name}{{{FLEET}}}"
    below = f"({upper} >= bool ignoring (horizon) group_left () {value})"
    above = f"({lower} <= bool ignoring (horizon) group_left () {value})"
    return f"avg by (query) ({below} * {above})"


def aligned(family: Family) -> str:
    """What was forecast for each moment a horizon before; it reaches as far past now as the horizon."""
    return last(family, f'{SERIES},horizon="$horizon"', "$horizon")


def forward(family: Family, horizons: Sequence[str] = HORIZONS) -> str:
    """One curve into the future: for each moment the forecast made last, which is the one of the shortest horizon."""
    parts = [last(family, f'{SERIES},horizon="{horizon}"', horizon) for horizon in horizons]
    return f"max without (horizon) ({' or ignoring (horizon) '.join(parts)})"
