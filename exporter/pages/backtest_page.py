"""The backtest's report as one HTML file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from exporter.backtests.report import Anomaly, BacktestReport, SeriesResult
from exporter.pages.curves import encode
from exporter.pages.environment import render, static_text
from exporter.pages.text import Labels, common_labels, own_labels, without_credentials

STYLES = ("vendor/uPlot.min.css", "base.css", "backtest.css")
SCRIPTS = ("vendor/uPlot.iife.min.js", "time.js", "plot.js", "plots.js", "page.js")
# Rows of the two tables: a page of tens of megabytes opens nowhere.
ANOMALY_ROWS = 500
SERIES_ROWS = 2_000


@dataclass(frozen=True)
class _Row:
    """A series with its place on the page."""

    number: int
    labels: Labels
    result: SeriesResult


@dataclass(frozen=True)
class _AnomalyRow:
    number: int
    row: _Row
    anomaly: Anomaly


def render_backtest(report: BacktestReport, *, command: str, settings: str, made_at: float) -> str:
    """Make the page.

    Parameters
    ----------
    report : BacktestReport
    command : str
        The command line that gave the report. User and password of an address are left out.
    settings : str
        The settings in force, as YAML; the same holds.
    made_at : float
        Seconds since the epoch.

    Returns
    -------
    str
        A whole HTML document that loads nothing and works from a file.
    """
    common = common_labels([result.key for result in report.results])
    rows = [_Row(number, own_labels(result.key, common), result) for number, result in enumerate(report.results, 1)]
    anomalies = [_AnomalyRow(number, row, anomaly) for number, (row, anomaly) in enumerate(_strangest(rows), 1)]
    return render(
        "backtest.html",
        styles=STYLES,
        scripts=SCRIPTS,
        report=report,
        command=without_credentials(command),
        settings=without_credentials(settings),
        made_at=made_at,
        common=common,
        rows=rows,
        series_rows=rows[:SERIES_ROWS],
        anomaly_rows=anomalies[:ANOMALY_ROWS],
        plots=rows[: len(report.drawn)],
        data=_data(report, rows),
        licence=Markup(static_text("vendor/uPlot-LICENSE.txt")),  # noqa: S704 - our own file
    )


def _strangest(rows: list[_Row]) -> Iterator[tuple[_Row, Anomaly]]:
    pairs = [(row, anomaly) for row in rows for anomaly in row.result.anomalies]
    return iter(sorted(pairs, key=lambda pair: pair[1].score, reverse=True))


def _data(report: BacktestReport, rows: list[_Row]) -> Markup:
    """JSON that may stand inside a script element: no ``<`` can end it, and it is ASCII throughout."""
    series = []
    for row in rows[: len(report.drawn)]:
        if (curves := row.result.curves) is not None:
            marks = [[one.start, one.end, one.peak] for one in row.result.anomalies]
            series.append(encode(curves, row.result.anomalies, report.times, report.step) | {"anomalies": marks})
    whole = {
        "start": float(report.times[0]),
        "step": report.step,
        "steps": report.times.size,
        "origins": report.origins,
        "series": series,
    }
    return Markup(json.dumps(whole, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"))  # noqa: S704
