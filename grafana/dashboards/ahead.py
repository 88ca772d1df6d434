"""The part of a series' page that is still to come: forecasts and limits."""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat, timeseries

from exporter import metrics
from grafana import queries
from grafana.panels import DASHES, banded, curves, dashed, dates, styled
from grafana.queries import SERIES, last


def forecasts() -> list[timeseries.Panel]:
    """What comes next, and how former forecasts did."""
    return [_next(), _kept(), _error()]


def limits() -> list[stat.Panel | timeseries.Panel]:
    """When limits of the series will be reached, and how sure that is."""
    none = "This query has no limits."
    return [
        dates(
            "When a limit will be reached",
            "As it is expected, and the early and late end of the interval.",
            (last(metrics.LIMIT_TIMESTAMP, SERIES), "{{limit}}"),
            (last(metrics.LIMIT_LOWER, SERIES), "{{limit}}, early"),
            (last(metrics.LIMIT_UPPER, SERIES), "{{limit}}, late"),
        )
        .no_value("No limit is expected to be reached.")
        .span(24)
        .height(4),
        curves(
            "Value and its limits",
            "What must not be reached, and what should be there in its place.",
            "short",
            (f"{last(metrics.VALUE, SERIES)} and on () {last(metrics.LIMIT, SERIES)}", "value"),
            (last(metrics.LIMIT, SERIES), "limit {{limit}}"),
            (last(metrics.CAPACITY_RECOMMENDED, SERIES), "recommended for {{limit}}"),
        )
        .no_value(none)
        .span(8),
        _days_left().span(8),
        curves(
            "Probability of reaching a limit",
            "Within each horizon.",
            "percentunit",
            (last(metrics.LIMIT_PROBABILITY, SERIES), "{{limit}} within {{horizon}}"),
        )
        .min(0)
        .max(1)
        .no_value(none)
        .span(8),
    ]


def _next() -> timeseries.Panel:
    panel = curves(
        "What comes next",
        "For each moment the forecast made last. It reaches as far as the longest horizon: choose a range that does.",
        "short",
        (last(metrics.VALUE, SERIES), "value"),
        (queries.forward(metrics.FORECAST), "forecast"),
        (queries.forward(metrics.FORECAST_LOWER), "lower"),
        (queries.forward(metrics.FORECAST_UPPER), "upper"),
    )
    return _with_forecast(panel).no_value("This query has no forecasts.")


def _kept() -> timeseries.Panel:
    panel = curves(
        "Value against what was forecast $horizon before",
        "Each forecast stands at the time it was made for, so the curve goes on past now.",
        "short",
        (last(metrics.VALUE, SERIES), "value"),
        (queries.aligned(metrics.FORECAST), "forecast"),
        (queries.aligned(metrics.FORECAST_LOWER), "lower"),
        (queries.aligned(metrics.FORECAST_UPPER), "upper"),
    )
    return _with_forecast(panel).no_value("No forecast of this horizon.")


def _error() -> timeseries.Panel:
    error = f"{last(metrics.VALUE, SERIES)} - ignoring (horizon) {queries.aligned(metrics.FORECAST)}"
    panel = curves(
        "Forecast error, $horizon ahead",
        "Value minus forecast: steadily on one side of 0, and the series has taken another path.",
        "short",
        (error, "value - forecast"),
    )
    panel.axis_centered_zero(True).fill_opacity(10).span(24).height(6)
    return panel.no_value("No forecast is as old as its horizon yet.")


def _days_left() -> timeseries.Panel:
    panel = curves(
        "Days until a limit is reached",
        "As it was expected at each moment; dashed the ends of the interval.",
        "short",
        (f"({last(metrics.LIMIT_TIMESTAMP, SERIES)} - time()) / 86400", "{{limit}}"),
        (f"({last(metrics.LIMIT_LOWER, SERIES)} - time()) / 86400", "{{limit}}, early"),
        (f"({last(metrics.LIMIT_UPPER, SERIES)} - time()) / 86400", "{{limit}}, late"),
    )
    return dashed(dashed(panel.min(0), "B"), "C").no_value("No limit is expected to be reached.")


def _with_forecast(panel: timeseries.Panel) -> timeseries.Panel:
    banded(panel)
    styled(panel, "value", "green", lineWidth=2)
    return styled(panel, "forecast", "semi-dark-orange", lineStyle=DASHES, lineWidth=2)
