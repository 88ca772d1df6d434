"""What `forethought backtest` does: find the samples, test, write the page."""

from __future__ import annotations

import datetime as dt
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from rich.console import Console
from rich.progress import Progress

from exporter.backtests.backtest import Backtest
from exporter.backtests.report import BacktestReport
from exporter.config import LONGEST_STEP, Query
from exporter.config_file import ConfigError
from exporter.config_load import load_config, parse_config
from exporter.config_source import Source
from exporter.duration import Duration
from exporter.pages.backtest_page import render_backtest
from exporter.telemetry import Telemetry
from exporter.wiring import make_detector, make_file_source, make_forecaster, make_query_source, make_source
from series import Grid
from series.occasions import Occasions
from sources.base import Answer

if TYPE_CHECKING:
    from sources.recording import Extent
    from sources.replay import ReplaySource

# Options by the key of a query that they give.
_OPTIONS = {
    "query": "--query",
    "step": "--step",
    "history": "--range",
    "forecast.horizons": "--horizon",
    "forecast.coverage": "--coverage",
    "minimum_deviation.absolute": "--minimum-deviation.absolute",
    "minimum_deviation.relative": "--minimum-deviation.relative",
    "timezone": "--timezone",
    "series_limit": "--series-limit",
}


# Keys of a query that say when it is asked: a short range need not be as long.
_OF_CYCLES = {"interval", "late_samples"}


@dataclass(frozen=True, kw_only=True)
class BacktestOptions:
    """The command line; None for what was not given."""

    query: str
    url: str | None
    file: Path | None
    config_file: Path | None
    name: str | None
    end: str | None
    span: str | None
    step: str | None
    horizons: tuple[str, ...]
    coverage: float | None
    direction: str | None
    absolute: float | None
    relative: float | None
    timezone: str | None
    series_limit: int | None


def run_backtest(options: BacktestOptions, out: Path, *, command: str) -> None:
    """Test and write the page, with progress on standard error.

    Raises
    ------
    ConfigError, SourceError, ValueError, OSError
        For what cannot be: each names its place.
    """
    file = _given_file(options)
    source, query, occasions = _settings(options, file)
    if not out.absolute().parent.is_dir():
        raise ValueError(f"--out: {out.parent} must be a folder that is there.")
    console = Console(stderr=True)
    with console.status(f"reading {options.file or source.url}"):
        answer, query = _read_file(options, file, query) if file else (_read(options, source, query), query)
    window = answer.window
    if not window.n_series:
        place = options.file or "the server's answer"
        raise ValueError(f"--query: must match at least one series of {place}. None matches {query.query}.")
    test = Backtest(
        detector=lambda: make_detector(query, occasions),
        forecaster=lambda: make_forecaster(query, occasions),
        horizons=[float(horizon) for horizon in query.forecast.horizons],
        coverage=query.forecast.coverage,
        history=float(query.history),
    )
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("testing", total=window.n_series)
        report = test.run(
            window,
            query=options.query or (options.file.name if options.file else query.query),
            skipped=answer.skipped,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    out.write_text(
        render_backtest(report, command=command, settings=_as_yaml(query), made_at=time.time()), encoding="utf-8"
    )
    console.print(_summary(report), f"\nwritten: {out}", highlight=False)


@dataclass(frozen=True)
class _File:
    """A file of samples, and the time that they cover."""

    source: ReplaySource
    extent: Extent


def _given_file(options: BacktestOptions) -> _File | None:
    if sum(given is not None for given in (options.file, options.url, options.config_file)) != 1:
        raise ValueError("exactly one of --source.url, --file and --config.file must be given.")
    if not options.file:
        return None
    source = make_file_source(options.file)
    if (extent := source.extent()) is None:
        raise ValueError(f"{options.file}: must hold at least one sample. Got none.")
    return _File(source, extent)


def _settings(options: BacktestOptions, file: _File | None = None) -> tuple[Source, Query, Occasions | None]:
    """Merge the configuration, where one is given, with the command line, which wins; and the query's calendar."""
    source, settings, occasions = Source(), dict[str, Any](), None
    if options.config_file:
        config = load_config(options.config_file)
        named = _named(config.queries, options)
        source, occasions = config.source, config.occasions(named)
        settings = named.model_dump(mode="json", exclude_unset=True, exclude=_OF_CYCLES)
    elif options.url:
        source = parse_config("--source.url", yaml.safe_dump(_minimal() | {"source": {"url": options.url}})).source
    elif file:  # what the options say is checked against its step; its own length is taken as it is
        step = min(Duration(file.extent.step), LONGEST_STEP)
        settings = {"step": options.step or str(step)}
        settings["history"] = str(Duration(2 * max(1, _duration("--step", settings["step"]))))
    settings |= _overrides(options, settings)
    settings.setdefault("name", "backtest")
    if not settings.get("query"):
        if not options.file:
            raise ValueError("--query must be given with --source.url.")
        settings["query"] = options.query or "{}"
    # The name of a calendar can only be checked beside the calendars, as was done when the file was read.
    calendar = settings.pop("calendar", None)
    try:
        checked = parse_config("backtest", yaml.safe_dump({"queries": [settings]})).queries[0]
    except ConfigError as error:
        raise ConfigError(*map(_by_option, error.problems)) from error
    return source, checked.model_copy(update={"calendar": calendar}), occasions


def _by_option(mistake: str) -> str:
    """Name the option in place of the key that it stands for."""
    path, _, said = mistake.partition("queries[0].")[2].partition(": ")
    option = _OPTIONS.get(path.partition("[")[0])
    return f"{option}: {said}" if option else mistake


def _minimal() -> dict[str, Any]:
    return {"queries": [{"name": "backtest", "query": "up"}]}


def _named(queries: tuple[Query, ...], options: BacktestOptions) -> Query:
    names = [query.name for query in queries]
    if options.name is None and len(queries) == 1:
        return queries[0]
    if options.name not in names:
        raise ConfigError(f"--name must be one of {', '.join(names)}. Got {options.name or 'nothing'}.")
    return queries[names.index(options.name)]


def _as_plain(query: Query) -> dict[str, Any]:
    return query.model_dump(mode="json", exclude_none=True)


def _as_yaml(query: Query) -> str:
    return str(yaml.safe_dump(_as_plain(query), sort_keys=False, allow_unicode=True))


def _overrides(options: BacktestOptions, settings: dict[str, Any]) -> dict[str, Any]:
    deviation = dict(settings.get("minimum_deviation", {}))
    forecast = dict(settings.get("forecast", {}))
    deviation |= _given(absolute=options.absolute, relative=options.relative)
    forecast |= _given(horizons=list(options.horizons) or None, coverage=options.coverage)
    step = options.step or ("5m" if options.url else None)
    return _given(
        query=options.query or None,
        step=step,
        history=options.span and str(_whole(options.span, step or str(settings.get("step", "1m")))),
        direction=options.direction,
        timezone=options.timezone,
        series_limit=options.series_limit,
        minimum_deviation=deviation or None,
        forecast=forecast or None,
    )


def _whole(span: str, step: str) -> Duration:
    """Cut a range down to whole steps."""
    whole, length = _duration("--range", span), max(1, _duration("--step", step))
    if whole < 2 * length:
        raise ValueError(f"--range: must be at least two steps of {step}. Got {span}.")
    return Duration(whole - whole % length)


def _duration(option: str, text: str) -> Duration:
    try:
        return Duration.parse(text)
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from error


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _read(options: BacktestOptions, settings: Source, query: Query) -> Answer:
    end = _instant(options.end) if options.end else time.time() - query.latency
    grid = Grid.ending(end, step=int(query.step), history=int(query.history))
    source = make_source(settings, Telemetry())
    try:
        asked = make_query_source(query, source)
        return asked.read_range(query.query, grid, series_limit=query.series_limit)
    finally:
        source.close()


def _read_file(options: BacktestOptions, file: _File, query: Query) -> tuple[Answer, Query]:
    """Read a file on its own grid, where the command line does not name one."""
    extent = file.extent
    step = int(_duration("--step", options.step)) if options.step else extent.step
    end = _instant(options.end) if options.end else extent.last + step - 1
    span = int(_duration("--range", options.span)) if options.span else max(2 * step, int(end - extent.first))
    history = span - span % step
    grid = Grid.ending(end, step=step, history=history)
    query = query.model_copy(update={"step": Duration(step), "history": Duration(history)})
    return file.source.read_range(options.query, grid, series_limit=query.series_limit), query


def _instant(text: str) -> float:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"--end must be a time such as 2026-11-20T03:00:00Z. Got {text!r}.") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()


def _summary(report: BacktestReport) -> str:
    never = f" ({report.never_judged} never judged)" if report.judged_steps and report.never_judged else ""
    found = report.nothing_judged or f"{report.alarms} anomalies"
    anomalies = f"{len(report.results)} series{never}, {found}"
    if report.judged_steps:
        anomalies += f" ({report.alarms_per_series_day:.2f} per series and day, {report.alarm_share:.2%} of the time)"
    if not math.isfinite(report.coverage):
        return f"{anomalies}, too short a past to test forecasts"
    held = f"forecast interval held {report.coverage:.1%} of samples ({report.asked_coverage:.0%} asked)"
    error = f", MASE {report.mase:.2f}" if math.isfinite(report.mase) else ""
    return f"{anomalies}, {held}{error}"
