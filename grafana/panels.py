"""Kinds of panels, each with the settings they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.variables import DATASOURCE

# Milliseconds without a sample after which a curve is broken: Prometheus' own look-back.
_SPAN_NULLS = 300_000
DASHES = {"fill": "dash", "dash": [6, 4]}


def target(expr: str, legend: str, ref: str) -> prometheus.Dataquery:
    """A query over the time shown."""
    return prometheus.Dataquery().datasource(DATASOURCE).expr(expr).legend_format(legend).ref_id(ref).range()


def rows(expr: str, ref: str = "A") -> prometheus.Dataquery:
    """A query of now, as rows of a table."""
    return prometheus.Dataquery().datasource(DATASOURCE).expr(expr).format(PromQueryFormat.TABLE).ref_id(ref).instant()


def steps(*values: tuple[float | None, str]) -> ThresholdsConfig:
    """Colours from a value upwards; None is everything below the first."""
    thresholds = [Threshold(value=value, color=color) for value, color in values]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(thresholds)


def number(title: str, description: str, expr: str, unit: str = "short") -> stat.Panel:
    """One large figure with its curve behind."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .with_target(target(expr, title, "A"))
        .unit(unit)
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(steps((None, "text")))
        .span(4)
        .height(5)  # Grafana leaves out the curve where it is lower
    )


def curves(title: str, description: str, unit: str, *targets: tuple[str, str]) -> timeseries.Panel:
    """Curves over time; each target is an expression and its legend."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .line_width(1)
        .fill_opacity(0)
        .show_points(VisibilityMode.NEVER)
        .span_nulls(_SPAN_NULLS)
        .legend(_legend())
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .span(12)
        .height(8)
    )
    for number_of, (expr, legend) in enumerate(targets):
        panel.with_target(target(expr, legend, chr(ord("A") + number_of)))
    return panel


def dates(title: str, description: str, *targets: tuple[str, str]) -> stat.Panel:
    """Moments as dates; each target is seconds since the epoch, and its name."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit("dateTimeAsIso")
        .color_mode(BigValueColorMode.NONE)
        .graph_mode(BigValueGraphMode.NONE)
        .text_mode(BigValueTextMode.VALUE_AND_NAME)
        .text(common.VizTextDisplayOptions().title_size(16).value_size(24))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(steps((None, "text")))
    )
    for number_of, (expr, name) in enumerate(targets):
        panel.with_target(target(f"1000 * {expr}", name, chr(ord("A") + number_of)))
    return panel


def named_beside(panel: timeseries.Panel) -> timeseries.Panel:
    """The same with its legend at the right, where many names have room; below, they would take the curves' own."""
    return panel.legend(_legend(LegendPlacement.RIGHT))


def counting(panel: timeseries.Panel) -> timeseries.Panel:
    """The same for small numbers: from 0, and where all are 0 not up to 100, as Grafana would draw it."""
    return panel.min(0).axis_soft_max(4)


def stacked(panel: timeseries.Panel) -> timeseries.Panel:
    """The same, each curve on top of the others."""
    return panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL)).fill_opacity(30)


def threshold_lines(panel: timeseries.Panel, *values: tuple[float | None, str]) -> timeseries.Panel:
    """The same with a dashed line at each threshold."""
    style = common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
    return panel.thresholds(steps(*values)).thresholds_style(style)


def banded(panel: timeseries.Panel) -> timeseries.Panel:
    """Fill between the curves `lower` and `upper`, which have no line of their own; the legend shows one of them."""
    quiet = [setting("lineWidth", 0), setting("hideFrom", {"legend": True, "tooltip": False, "viz": False})]
    panel.override_by_name("lower", [_color("semi-dark-blue"), *quiet])
    panel.override_by_name(
        "upper",
        [
            _color("semi-dark-blue"),
            setting("lineWidth", 0),
            setting("fillBelowTo", "lower"),
            setting("fillOpacity", 20),
            DynamicConfigValue(id_val="displayName", value="band"),
        ],
    )
    return panel


def styled(panel: timeseries.Panel, name: str, color: str, **custom: object) -> timeseries.Panel:
    """Give the curve of that legend its colour and further settings of its line."""
    return panel.override_by_name(name, [_color(color), *[setting(key, value) for key, value in custom.items()]])


def dashed(panel: timeseries.Panel, ref: str) -> timeseries.Panel:
    """Draw the curves of one query dashed."""
    return panel.override_by_query(ref, [setting("lineStyle", DASHES)])


def word(text: str, color: str) -> ValueMappingResult:
    """A word in place of a number."""
    return ValueMappingResult(text=text, color=color)


def severity_words() -> ValueMap:
    """Severities as people call them."""
    words = ("none", "green"), ("info", "blue"), ("warning", "orange"), ("high", "dark-orange"), ("critical", "red")
    return ValueMap(options={str(number): word(*each) for number, each in enumerate(words)})


def listing(title: str, description: str, expr: str) -> table.Panel:
    """A table of what is now.

    An empty cell would say the panel's own `noValue`, if it had none of its own.
    """
    empty = [DynamicConfigValue(id_val="noValue", value="-")]
    return (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .with_target(rows(expr))
        .filterable(True)
        .override_by_field_type("string", empty)
        .override_by_field_type("number", empty)
        .span(12)
        .height(8)
    )


def columns(
    without: Sequence[str], order: Sequence[str] = (), names: Mapping[str, str] | None = None
) -> DataTransformerConfig:
    """Leave out columns of a table, put some first, and give names."""
    options = {
        "excludeByName": dict.fromkeys(without, True),
        "indexByName": {name: place for place, name in enumerate(order)},
        "renameByName": dict(names or {}),
    }
    return DataTransformerConfig(id_val="organize", options=options)


def sorted_by(panel: table.Panel, column: str, *, desc: bool = False) -> table.Panel:
    """The same in the order of a column."""
    return panel.sort_by([common.TableSortByFieldState().display_name(column).desc(desc)])


def width(pixels: int) -> DynamicConfigValue:
    """How wide a column is, for an override."""
    return setting("width", pixels)


def _legend(placement: LegendPlacement = LegendPlacement.BOTTOM) -> common.VizLegendOptions:
    return (
        common.VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.LIST).placement(placement).calcs([])
    )


def _color(name: str) -> DynamicConfigValue:
    return DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": name})


def setting(key: str, value: object) -> DynamicConfigValue:
    """A setting of the drawing of a curve, for an override."""
    return DynamicConfigValue(id_val=f"custom.{key}", value=value)
