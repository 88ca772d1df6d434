"""Ask a Prometheus everything the dashboards ask: ``python -m grafana.check http://127.0.0.1:9090``.

Variables are filled as Grafana fills them: by their own queries, each from those before it. A panel that says
what its emptiness means (`noValue`) may be empty; any other must find something.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import requests

from grafana import GENERATED

_STEP = 30
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


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


class Dashboard:
    """One generated dashboard in front of a Prometheus.

    Parameters
    ----------
    path : Path
        The JSON file.
    url : str
        Address of the Prometheus, without /api/v1.
    now : float
        Seconds since the epoch that `now` stands for.
    chosen : mapping of str to str
        Values of variables a person has picked. Others take their first value, or all.
    """

    def __init__(self, path: Path, url: str, now: float, chosen: Mapping[str, str] | None = None) -> None:
        self.model: dict[str, Any] = json.loads(path.read_text())
        self.name = path.stem
        self._url = url.rstrip("/")
        times = self.model["time"]
        self.start, self.end = _moment(times["from"], now), _moment(times["to"], now)
        span = int(self.end - self.start)
        self.values = {"datasource": "prometheus", "__rate_interval": "1m", "__range": f"{span}s"}
        self._chosen = dict(chosen or {})

    def ask(self) -> Iterator[Answer]:
        """Send every query of variables, panels and annotations."""
        for variable in self.model["templating"]["list"]:
            if variable["type"] == "query":
                yield self._fill(variable)
        for panel in self.model["panels"]:
            may_be_empty = "noValue" in panel.get("fieldConfig", {}).get("defaults", {})
            for target in panel.get("targets", ()):
                place = f"{self.name}: {panel['title']} {target['refId']}"
                yield self._query(place, target["expr"], may_be_empty, instant=target.get("instant", False))
        for annotation in self.model["annotations"].get("list", ()):
            if "expr" in annotation:
                yield self._query(
                    f"{self.name}: annotation {annotation['name']}", annotation["expr"], True, instant=False
                )

    def _fill(self, variable: dict[str, Any]) -> Answer:
        name, text = variable["name"], self._expand(variable["query"]["query"])
        place = f"{self.name}: variable {name}"
        try:
            options = self._options(text, variable.get("regex", ""))
        except _Refused as error:
            return Answer(place, text, 0, may_be_empty=False, error=str(error))
        default = variable["allValue"] if variable.get("includeAll") else next(iter(options), "")
        self.values[name] = self._chosen.get(name, default)
        return Answer(place, text, len(options), may_be_empty=bool(variable.get("includeAll")))

    def _options(self, text: str, regex: str) -> list[str]:
        if values := re.fullmatch(r"label_values\((.+), (\w+)\)", text):
            parameters = {"match[]": values[1], "start": self.start, "end": self.end}
            return list(self._get(f"label/{values[2]}/values", parameters))
        result = re.fullmatch(r"query_result\((.+)\)", text)
        if not result:
            raise _Refused(f"a variable's query must be label_values() or query_result(). Got {text!r}.")
        rows = self._get("query", {"query": result[1], "time": self.end})["result"]
        lines = [_as_grafana_shows(row["metric"]) for row in rows]
        return [found[1] for line in lines if (found := re.search(regex.strip("/"), line))]

    def _query(self, place: str, expr: str, may_be_empty: bool, *, instant: bool) -> Answer:
        expr = self._expand(expr)
        try:
            if instant:
                found = self._get("query", {"query": expr, "time": self.end})
            else:
                found = self._get("query_range", {"query": expr, "start": self.start, "end": self.end, "step": _STEP})
        except _Refused as error:
            return Answer(place, expr, 0, may_be_empty, error=str(error))
        return Answer(place, expr, len(found["result"]), may_be_empty)

    def _expand(self, text: str) -> str:
        def value(match: re.Match[str]) -> str:
            return self.values.get(match[1] or match[2], match[0])

        return re.sub(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)", value, text)

    def _get(self, path: str, parameters: Mapping[str, Any]) -> Any:
        try:
            response = requests.get(f"{self._url}/api/v1/{path}", params=parameters, timeout=60)
            answer = response.json()
        except requests.RequestException as error:
            raise NoPrometheus(f"{self._url} must answer as a Prometheus. Got {type(error).__name__}.") from error
        if answer.get("status") != "success":
            raise _Refused(str(answer.get("error")))
        return answer["data"]


class NoPrometheus(Exception):
    """Nothing at the address speaks Prometheus' API."""


class _Refused(Exception):
    """The server refuses one query."""


def ask_all(url: str, now: float, chosen: Mapping[str, str] | None = None) -> list[Answer]:
    """Put every query of every committed dashboard to the Prometheus at `url`.

    Raises
    ------
    NoPrometheus
        Where nothing there speaks its API.
    """
    paths = sorted(GENERATED.glob("*.json"))
    return [answer for path in paths for answer in Dashboard(path, url, now, chosen).ask()]


def _moment(text: str, now: float) -> float:
    if text == "now":
        return now
    relative = re.fullmatch(r"now([+-]\d+)([smhd])", text)
    if not relative:
        raise ValueError(f"A dashboard's time must be now, now-6h or now+2h. Got {text!r}.")
    return now + int(relative[1]) * _UNITS[relative[2]]


def _as_grafana_shows(metric: Mapping[str, str]) -> str:
    labels = ",".join(f'{name}="{value}"' for name, value in metric.items() if name != "__name__")
    return f"{metric.get('__name__', '')}{{{labels}}}"


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
