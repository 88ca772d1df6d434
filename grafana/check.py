"""Ask a Prometheus everything the dashboards ask: ``python -m grafana.check http://127.0.0.1:9090``.

A panel that says what its emptiness means (`noValue`) may be empty; any other must find something.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from grafana import GENERATED
from grafana.ask import Dashboard, NoPrometheus, Refused

_STEP = 30


@dataclass(frozen=True)
class Answer:
    """What one query of a dashboard found.

    Attributes
    ----------
    place : str
        Dashboard, and panel, variable or annotation.
    expr : str
        The query as it was sent.
    found : int
        Series that came back.
    may_be_empty : bool
    error : str
        What the server said instead of an answer.
    """

    place: str
    expr: str
    found: int
    may_be_empty: bool
    error: str = ""

    @property
    def is_good(self) -> bool:
        """Whether a person would see what the panel promises."""
        return not self.error and (self.found > 0 or self.may_be_empty)


def ask_all(url: str, now: float, chosen: Mapping[str, str] | None = None) -> list[Answer]:
    """Put every query of every committed dashboard to the Prometheus at `url`.

    Raises
    ------
    NoPrometheus
        Where nothing there speaks its API.
    """
    paths = sorted(GENERATED.glob("*.json"))
    return [answer for path in paths for answer in ask_dashboard(Dashboard(path, url, now, chosen))]


def ask_dashboard(dashboard: Dashboard) -> Iterator[Answer]:
    """Send every query of its variables, panels and annotations."""
    for variable in dashboard.variables:
        yield _fill(dashboard, variable)
    for panel in dashboard.model["panels"]:
        may_be_empty = "noValue" in panel.get("fieldConfig", {}).get("defaults", {})
        for target in panel.get("targets", ()):
            place = f"{dashboard.name}: {panel['title']} {target['refId']}"
            yield _query(dashboard, place, target["expr"], may_be_empty, instant=target.get("instant", False))
    for annotation in dashboard.model["annotations"].get("list", ()):
        if "expr" in annotation:
            place = f"{dashboard.name}: annotation {annotation['name']}"
            yield _query(dashboard, place, annotation["expr"], True, instant=False)


def _fill(dashboard: Dashboard, variable: Mapping[str, Any]) -> Answer:
    place, text = f"{dashboard.name}: variable {variable['name']}", dashboard.expand(variable["query"]["query"])
    try:
        options = dashboard.fill(variable)
    except Refused as error:
        return Answer(place, text, 0, may_be_empty=False, error=str(error))
    return Answer(place, text, len(options), may_be_empty=bool(variable.get("includeAll")))


def _query(dashboard: Dashboard, place: str, expr: str, may_be_empty: bool, *, instant: bool) -> Answer:
    expr = dashboard.expand(expr)
    try:
        found = dashboard.instant(expr) if instant else dashboard.over_time(expr, _STEP)
    except Refused as error:
        return Answer(place, expr, 0, may_be_empty, error=str(error))
    return Answer(place, expr, len(found), may_be_empty)


@click.command()
@click.argument("url")
@click.option("--query", help="Query to look at. Default: the first.")
def main(url: str, query: str | None) -> None:
    """Run every query of the dashboards against the Prometheus at URL.

    Exit status 1 where a panel would stay empty, 2 where there is no Prometheus.
    """
    try:
        answers = ask_all(url, time.time(), {"query": query} if query else None)
    except NoPrometheus as error:
        click.echo(f"error: {error}", err=True)
        raise SystemExit(2) from None
    bad = [answer for answer in answers if not answer.is_good]
    for answer in bad:
        click.echo(f"{answer.place}: {answer.error or 'nothing found'}\n    {answer.expr}", err=True)
    click.echo(f"{len(answers)} queries, {len(answers) - len(bad)} good, {len(bad)} empty or refused")
    raise SystemExit(bool(bad))


if __name__ == "__main__":
    main()
