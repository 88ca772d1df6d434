"""``forethought verdict``: what the page and the API do, for a shell."""

from __future__ import annotations

import datetime as dt
import getpass
from typing import Any
from urllib.parse import quote

import click

from exporter.api_client import ask

_URL = "http://127.0.0.1:9815"


def _user() -> str:
    """Name of whoever runs the command; empty where the system knows none, as for a number of a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


@click.group("verdict")
@click.option("--url", default=_URL, show_default=True, envvar="FORETHOUGHT_URL", help="Address of the service.")
@click.pass_context
def verdict(context: click.Context, url: str) -> None:
    """Say whether an alert was right.

    A false one makes similar ones stay quiet, for a while and within bounds; an expected one at that kind of time.

    \b
    Examples:
      forethought verdict add false --alert c0ffee01 --note "nightly load test" --who oncall
      forethought verdict add expected --query duration --matchers '{pipeline="etl"}' --from 02:00 --to 04:00
      forethought verdict remove 3a2117c03c2c
    """
    context.obj = url.rstrip("/") + "/api/v1/verdicts"


@verdict.command()
@click.argument("opinion", type=click.Choice(["true", "false", "expected"]))
@click.option("--alert", default="", metavar="FINGERPRINT", help="The alert it is about; needs Alertmanager's webhook.")
@click.option("--query", default="", metavar="NAME", help="Name of the query it is about.")
@click.option("--matchers", default="", metavar="{...}", help="Labels of the series it is about, as published.")
@click.option("--score", type=float, help="Size of what is judged, 1 the threshold. Default: what the service knows.")
@click.option("--side", type=click.Choice(["above", "below", "both"]), help="Of the band that is judged.")
@click.option(
    "--about",
    type=click.Choice(["past", "peers"]),
    help="Only the alarm for being unlike its own past, or its peers. Default: that of the alert; without one, both.",
)
@click.option("--weekday", "weekdays", multiple=True, metavar="mon..sun", help="Expected on this day only; repeatable.")
@click.option("--from", "start", metavar="HH:MM", help="Expected from this time of day on.")
@click.option("--to", "end", metavar="HH:MM", help="Expected up to this time of day.")
@click.option("--timezone", metavar="ZONE", help="Of these times. Default: UTC.")
@click.option("--lasts", metavar="DURATION", help="How long it has an effect. Default: 30d, or as configured.")
@click.option("--note", default="", help="Why.")
@click.option("--who", default=_user, envvar="USER", help="Who says so. Default: the user of the shell.")
@click.pass_obj
def add(address: str, /, opinion: str, **options: Any) -> None:
    """Give a verdict: for an alert, or for a query and labels."""
    when = {"from": options.pop("start"), "to": options.pop("end"), "timezone": options.pop("timezone")}
    when |= {"weekdays": options.pop("weekdays") or None}
    said = {name: value for name, value in options.items() if value not in (None, "")}
    if kind := {name: value for name, value in when.items() if value is not None}:
        said["when"] = kind
    given = ask(address, {}, method="POST", body={"verdict": opinion, **said})
    click.echo(f"{given['id']}: {_line(given)}")


@verdict.command("list")
@click.option("--query", default="", metavar="NAME", help="Only those about this query.")
@click.option("--all", "everything", is_flag=True, help="Also those that are over or were taken back.")
@click.pass_obj
def list_(address: str, query: str, everything: bool) -> None:
    """Show verdicts, the newest first."""
    wanted = ({"query": query} if query else {}) | ({} if everything else {"active": "true"})
    found = ask(address, wanted)
    if not found:
        click.echo("no verdicts" if everything else "no verdicts in force; --all shows those that are over", err=True)
    for each in found:
        click.echo(f"{each['id']}: {_line(each)}")


@verdict.command()
@click.argument("identity", metavar="ID")
@click.option("--who", default=_user, envvar="USER", help="Who takes it back. Default: the user of the shell.")
@click.pass_obj
def remove(address: str, identity: str, who: str) -> None:
    """Take a verdict back. Scores are at once what they would be without it."""
    back = ask(f"{address}/{quote(identity, safe='')}", {"who": who}, method="DELETE")
    click.echo(f"{back['id']}: {_line(back)}")


def _line(given: dict[str, Any]) -> str:
    side = "" if given["side"] == "both" else f" {given['side']}"
    size = "" if given["score"] is None else f", size {given['score']:.3g}{side}"
    when = f", {given['when']}" if given["when"] else ""
    about = ", beside its peers" if given["about"] == "peers" else ""
    who = f", by {given['who']}" if given["who"] else ""
    note = f" ({given['note']})" if given["note"] else ""
    return f"{given['verdict']} for {given['query']}{given['matchers']}{size}{about}{when}{who}{note}, {_state(given)}"


def _state(given: dict[str, Any]) -> str:
    if given["revoked"] is not None:
        return f"taken back {_date(given['revoked'])}"
    return f"until {_date(given['expires'])}" if given["active"] else f"over since {_date(given['expires'])}"


def _date(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
