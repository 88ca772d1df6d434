"""Whether forecasts hold, and which limits come near."""

from __future__ import annotations

from grafana_foundation_sdk.builders import table, timeseries
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue

from exporter import metrics
from grafana import queries
from grafana.panels import (
    curves,
    listing,
    stacked,
    threshold_lines,
)
from grafana.queries import FLEET, QUERIES

_NO_TRUTH = "No forecast has been compared with what came."
_HIDDEN = ("Time", "__name__", "job", "instance", "tenant")


def forecasts() -> list[timeseries.Panel | table.Panel]:
    """How forecasts did."""
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
        _limits(),
    ]


def _limits() -> table.Panel:
    nearest = f"1000 * bottomk(25, {metrics.LIMIT_TIMESTAMP.name}{{{FLEET}}})"
    return (
        listing("Limits that will be reached", "The 25 dates that come first.", nearest)
        .no_value("No limit is expected to be reached.")
        .with_transformation(
            DataTransformerConfig(
                id_val="organize",
                options={
                    "excludeByName": dict.fromkeys(_HIDDEN, True),
                    "indexByName": {"Value": 0, "limit": 1, "query": 2},
                    "renameByName": {"Value": "when"},
                },
            )
        )
        .override_by_name("when", [DynamicConfigValue(id_val="unit", value="dateTimeAsIso")])
        .span(24)
    )


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
