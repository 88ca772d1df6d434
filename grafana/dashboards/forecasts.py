"""Whether forecasts hold, and which limits come near."""

from __future__ import annotations

from grafana_foundation_sdk.builders import table, timeseries
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue

from exporter import metrics
from exporter.metrics import Family
from grafana import queries
from grafana.panels import (
    columns,
    counting,
    curves,
    dashed,
    listing,
    named_beside,
    rows,
    sorted_by,
    stacked,
    threshold_lines,
    width,
)
from grafana.queries import FLEET, QUERIES

_NO_TRUTH = "No series has had twelve comparisons of this horizon yet."
_WITHOUT = ("Time", "__name__", "job", "instance", "tenant")
_AHEAD = f'{{{QUERIES},horizon="$horizon"}}'


def forecasts() -> list[timeseries.Panel | table.Panel]:
    """How forecasts did."""
    young = "No forecast is as old as this horizon yet."
    return [
        _limits(),
        named_beside(
            curves(
                "Forecast error, $horizon ahead",
                "Mean distance of the values from what was forecast for them, as a ratio of the mean value.",
                "percentunit",
                (queries.forecast_error(), "{{query}}"),
            ).min(0)
        ).no_value(young),
        named_beside(
            curves(
                "Values inside their interval, $horizon ahead",
                "Should be near forecast.coverage of the configuration, 95 % by default.",
                "percentunit",
                (queries.forecast_coverage(), "{{query}}"),
            )
            .min(0)
            .max(1)
        ).no_value(young),
        *_live_truth(),
        named_beside(
            stacked(
                curves(
                    "Series by kind of forecast",
                    "The kind that weighs most in each.",
                    "short",
                    (f"sum by (forecaster) ({metrics.FORECASTER_SERIES.name}{{{QUERIES}}})", "{{forecaster}}"),
                ).min(0)
            )
        ).no_value("Nothing is forecast."),
        named_beside(
            counting(
                curves(
                    "Series that repeat the season instead",
                    "Their forecaster has erred more than that.",
                    "short",
                    (f"{metrics.FORECAST_FALLBACK_SERIES.name}{{{QUERIES}}} > 0", "{{query}}"),
                )
            )
        ).no_value("No forecaster has erred more than repeating the season."),
    ]


def _limits() -> table.Panel:
    """Three columns of dates for each limit: three queries, which Grafana joins by their labels."""
    nearest = f"bottomk(25, {metrics.LIMIT_TIMESTAMP.name}{{{FLEET}}})"
    names = {"Value #A": "when", "Value #B": "early", "Value #C": "late"}
    panel = listing(
        "Limits that will be reached",
        "The 25 dates that come first, each with the early and the late end of its interval.",
        f"1000 * {nearest}",
    )
    for ref, family in (("B", metrics.LIMIT_LOWER), ("C", metrics.LIMIT_UPPER)):
        panel.with_target(rows(f"1000 * ({family.name}{{{FLEET}}} and {nearest})", ref))
    for name in names.values():
        panel.override_by_name(name, [DynamicConfigValue(id_val="unit", value="dateTimeAsIso"), width(180)])
    panel.no_value("No limit is expected to be reached.")
    panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    panel.with_transformation(columns(_WITHOUT, (*names, "limit", "query"), names))
    return sorted_by(panel, "when").span(24)


def _live_truth() -> list[timeseries.Panel]:
    """How forecasts did, as forethought itself keeps the books."""
    trials = f"{metrics.FORECAST_BACKTEST_ERROR_RATIO.name}{{{QUERIES}}}"
    return [
        threshold_lines(
            named_beside(
                dashed(
                    curves(
                        "Error against repeating the season, $horizon ahead",
                        "Median over the series; dashed that of the trials, over all horizons. Above 1 repeating what "
                        "was a season ago would have been better.",
                        "percentunit",
                        _by_query(metrics.FORECAST_ERROR_RATIO),
                        (trials, "{{query}} in trials"),
                    ),
                    "B",
                ).min(0)
            ),
            (None, "transparent"),
            (1, "orange"),
        ).no_value(_NO_TRUTH),
        named_beside(
            curves(
                "Samples inside the intervals shown, $horizon ahead",
                "Should be near forecast.coverage of the configuration, 95 % by default.",
                "percentunit",
                _by_query(metrics.INTERVAL_COVERAGE_RATIO),
            )
            .axis_soft_min(0.5)
            .max(1)
        ).no_value(_NO_TRUTH),
        named_beside(
            curves(
                "Relative error, $horizon ahead",
                "sMAPE, 0 to 200 %.",
                "percentunit",
                _by_query(metrics.FORECAST_SMAPE_RATIO),
            ).min(0)
        ).no_value(_NO_TRUTH),
        named_beside(
            curves(
                "Bias, $horizon ahead",
                "How one-sided errors are: above 0 where more came than was forecast.",
                "percentunit",
                _by_query(metrics.FORECAST_BIAS_RATIO),
            ).axis_centered_zero(True)
        ).no_value(_NO_TRUTH),
        named_beside(
            curves(
                "Correction of the intervals, $horizon ahead",
                "What widths are multiplied with so that the coverage holds; 1 is as the forecaster says.",
                "short",
                _by_query(metrics.INTERVAL_WIDTH_RATIO),
            ).min(0)
        )
        .no_value(_NO_TRUTH)
        .span(24)
        .height(6),
    ]


def _by_query(family: Family) -> tuple[str, str]:
    return f"{family.name}{_AHEAD}", "{{query}}"
