"""A generated dashboard in front of a Prometheus: its variables filled, its queries sent, as Grafana does it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class NoPrometheus(Exception):
    """Nothing at the address speaks Prometheus' API."""


class Refused(Exception):
    """The server refuses one query."""


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
    times : tuple of str, optional
        From and to, as in now-6h and now+2h. Default: those of the dashboard.

    Raises
    ------
    ValueError
        Where a time is none.
    """

    def __init__(
        self,
        path: Path,
        url: str,
        now: float,
        chosen: Mapping[str, str] | None = None,
        times: tuple[str, str] | None = None,
    ) -> None:
        self.model: dict[str, Any] = json.loads(path.read_text())
        self.name = path.stem
        self._url = url.rstrip("/")
        first, last = times or (self.model["time"]["from"], self.model["time"]["to"])
        self.start, self.end = _moment(first, now), _moment(last, now)
        span = int(self.end - self.start)
        self.values = {"datasource": "prometheus", "__rate_interval": "1m", "__range": f"{span}s"}
        self._chosen = dict(chosen or {})

    @property
    def variables(self) -> list[dict[str, Any]]:
        """Those with a query of their own, in the order in which they depend on each other."""
        return [variable for variable in self.model["templating"]["list"] if variable["type"] == "query"]

    def fill(self, variable: Mapping[str, Any]) -> list[str]:
        """Give a variable its value; return all it could have.

        Raises
        ------
        NoPrometheus
            Where nothing there speaks its API.
        Refused
            Where the server refuses the variable's query.
        """
        name = variable["name"]
        options = self._options(self.expand(variable["query"]["query"]), variable.get("regex", ""))
        default = variable["allValue"] if variable.get("includeAll") else next(iter(options), "")
        self.values[name] = self._chosen.get(name, default)
        return options

    def instant(self, expr: str) -> list[dict[str, Any]]:
        """Series of an expanded query at the end of the time shown; raises as `fill` does."""
        return list(self._get("query", {"query": expr, "time": self.end})["result"])

    def over_time(self, expr: str, step: int) -> list[dict[str, Any]]:
        """Series of an expanded query every `step` seconds; raises as `fill` does."""
        first = self.start // step * step  # Grafana asks for whole steps
        return list(self._get("query_range", {"query": expr, "start": first, "end": self.end, "step": step})["result"])

    def expand(self, text: str) -> str:
        """Put values in the place of variables."""

        def value(match: re.Match[str]) -> str:
            return self.values.get(match[1] or match[2], match[0])

        return re.sub(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)", value, text)

    def _options(self, text: str, regex: str) -> list[str]:
        if values := re.fullmatch(r"label_values\((.+), (\w+)\)", text):
            parameters = {"match[]": values[1], "start": self.start, "end": self.end}
            return list(self._get(f"label/{values[2]}/values", parameters))
        result = re.fullmatch(r"query_result\((.+)\)", text)
        if not result:
            raise Refused(f"a variable's query must be label_values() or query_result(). Got {text!r}.")
        lines = [_as_grafana_shows(row["metric"]) for row in self.instant(result[1])]
        return [found[1] for line in lines if (found := re.search(regex.strip("/"), line))]

    def _get(self, path: str, parameters: Mapping[str, Any]) -> Any:
        try:
            response = requests.get(f"{self._url}/api/v1/{path}", params=parameters, timeout=60)
            answer = response.json()
        except requests.RequestException as error:
            raise NoPrometheus(f"{self._url} must answer as a Prometheus. Got {type(error).__name__}.") from error
        if answer.get("status") != "success":
            raise Refused(str(answer.get("error")))
        return answer["data"]


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
