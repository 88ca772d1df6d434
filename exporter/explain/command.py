"""``forethought explain``: why a step was judged as it was, for a shell."""

from __future__ import annotations

import click

from exporter.api_client import ask
from exporter.explain.text import as_text

_URL = "http://127.0.0.1:9815"


@click.command("explain")
@click.option("--url", default=_URL, show_default=True, envvar="FORETHOUGHT_URL", help="Address of the service.")
@click.option("--query", required=True, metavar="NAME", help="Name of the query.")
@click.option("--series", default="", metavar="{...}", help="Labels of one series, as published.")
@click.option("--time", "moment", metavar="TIME", help="ISO 8601 or seconds since 1970. Default: the last judged step.")
@click.option("--json", "as_json", is_flag=True, help="Print what the API says.")
def explain(url: str, query: str, series: str, moment: str | None, as_json: bool) -> None:
    """Say why a step of a series was judged as it was.

    What was expected and from what, how each detector voted, what kept an alarm quiet or confirmed it, and which
    earlier alarms looked alike.

    \b
    Examples:
      forethought explain --query duration --series '{pipeline="etl"}'
      forethought explain --query duration --series '{pipeline="etl"}' --time 2026-11-20T03:00:00Z
    """
    wanted = {"query": query, "series": series} | ({"time": moment} if moment else {})
    found = ask(url.rstrip("/") + "/api/v1/explain", wanted)
    if as_json:
        import json

        click.echo(json.dumps(found, indent=2))
    else:
        click.echo(as_text(found))
