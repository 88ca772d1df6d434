"""``forethought forecast``: what comes next, and when limits will be reached, for a shell."""

from __future__ import annotations

from typing import Any

import click

from exporter.api_client import ask
from exporter.forecast_api.advice import advice_line
from exporter.moments import written_moment

_URL = "http://127.0.0.1:9815"
# Rows of the table of one series, and series that are shown.
_ROWS, _SERIES = 12, 10


@click.command("forecast")
@click.option("--url", default=_URL, show_default=True, envvar="FORETHOUGHT_URL", help="Address of the service.")
@click.option("--query", required=True, metavar="NAME", help="Name of the query.")
@click.option("--series", default="", metavar="{...}", help="Labels of the series, as published. Default: all.")
@click.option("--horizon", metavar="DURATION", help="How far. Default: the longest configured, 1d at least.")
@click.option("--coverage", type=float, help="Share of values the interval shall hold. Default: as configured.")
@click.option(
    "--per",
    type=click.Choice(["second", "step", "none"]),
    help="Also tell the month's total, as a value adds itself each second (a rate) or each step. Default: none.",
)
@click.option("--limits", is_flag=True, help="Show when limits will be reached instead.")
@click.option("--json", "as_json", is_flag=True, help="Print what the API says.")
def forecast(url: str, limits: bool, as_json: bool, **options: Any) -> None:
    """Say what comes next: values with their interval, seasons, trend, and with --per the total of the month.

    \b
    Examples:
      forethought forecast --query duration --series '{pipeline="etl"}' --horizon 7d
      forethought forecast --query request_rate --per second
      forethought forecast --query disk_used --limits
    """
    if not as_json:  # a gauge has no total, and nothing tells it from a rate
        options["per"] = options["per"] or "none"
    known = ("query", "series") if limits else tuple(options)
    wanted = {name: options[name] for name in known if options[name] not in (None, "")}
    found = ask(f"{url.rstrip('/')}/api/v1/{'capacity' if limits else 'forecast'}", wanted)
    if as_json:
        import json

        click.echo(json.dumps(found, indent=2))
        return
    series = found["series"][:_SERIES]
    for each in series:
        lines = _limit_lines(each) if limits else _curve_lines(found, each)
        click.echo("\n".join([_name(found["query"], each["labels"]), *lines]))
    if more := len(found["series"]) - len(series):
        click.echo(f"... and {more} more series. --series narrows them, --json shows all.")


def _curve_lines(found: dict[str, Any], each: dict[str, Any]) -> list[str]:
    times, step = found["times"], -(-len(found["times"]) // _ROWS)
    lines = [f"  {'time':20}  {'lower':>12}  {'expected':>12}  {'upper':>12}"]
    for place in range(step - 1, len(times), step):
        values = "  ".join(_number(each[side][place]) for side in ("lower", "mean", "upper"))
        lines.append(f"  {written_moment(times[place])}  {values}")
    slope = each["trend"]["perDay"]
    lines.append(
        f"  seasons: {season_text(each['seasons'])}; trend: {'unknown' if slope is None else f'{slope:+.4g} a day'}"
    )
    whole = each["month"].get("total") or {}
    if whole.get("mean") is not None:
        lines.append(f"  this month: {whole['mean']:.5g}, {whole['lower']:.5g} to {whole['upper']:.5g}")
    return lines


def season_text(found: list[dict[str, Any]]) -> str:
    """Those there are, and those of which it is not known; what is known not to be there is left out."""
    if all(one["strength"] is None for one in found):
        return "unknown"
    told = (
        f"{one['name']} {'unknown' if one['strength'] is None else format(one['strength'], '.0%')}"
        for one in found
        if one["strength"] != 0
    )
    return ", ".join(told) or "none"


def _limit_lines(each: dict[str, Any]) -> list[str]:
    lines = []
    for one in each["limits"]:
        shares = {} if one["passed"] else one["probability"]
        likely = "".join(f", {share:.0%} in {horizon}" for horizon, share in shares.items() if share)
        lines.append(f"  {one['limit']}: {_when(one)}{likely}")
        if advice := advice_line(one):
            lines.append(f"    {advice}")
    return lines


def _when(limit: dict[str, Any]) -> str:
    """The date of a limit; the interval may begin within the time looked at although the date itself does not."""
    if limit["value"] is None:
        return "no limit is known"
    if limit["passed"]:
        return "passed already"
    if limit["lower"] is None:
        return f"not within {list(limit['probability'])[-1]}"
    lower, time, upper = (
        written_moment(limit[side]) if limit[side] else "later" for side in ("lower", "time", "upper")
    )
    return f"{time} ({lower} to {upper})"


def _name(query: str, labels: dict[str, str]) -> str:
    return query + "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def _number(value: float | None) -> str:
    return f"{'':>12}" if value is None else f"{value:12.5g}"
