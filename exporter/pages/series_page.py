"""The page of one series, the list of a query's series, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from markupsafe import Markup

from exporter.freshness import FRESH, Freshness
from exporter.pages.environment import render, static_text
from exporter.pages.text import Labels

_STYLES = ("vendor/uPlot.min.css", "base.css", "backtest.css", "series.css")
_SCRIPTS = ("vendor/uPlot.iife.min.js", "time.js", "plot.js", "plots.js", "series.js")


@dataclass(frozen=True, kw_only=True)
class SeriesFacts:
    """What the page says.

    Attributes
    ----------
    query, expression, selector : str
    labels : tuple of pairs of str
        As published.
    said : mapping
        What `GET /api/v1/explain` says of the last step.
    limits : sequence of mapping
        What `GET /api/v1/capacity` says of the series.
    span, ahead : str
        How far back and ahead is looked.
    spans, aheads : tuple of str
        What else there is.
    shadow : bool
        Whether the query calls nobody.
    data : mapping
        For the script: samples, and what to ask for the rest.
    fresh : Freshness
        Whether that is still the present.
    """

    query: str
    expression: str
    selector: str
    labels: Labels
    said: Mapping[str, Any]
    limits: Sequence[Mapping[str, Any]]
    span: str
    ahead: str
    spans: tuple[str, ...]
    aheads: tuple[str, ...]
    shadow: bool
    data: Mapping[str, Any]
    fresh: Freshness = FRESH

    @property
    def headline(self) -> str:
        """How the series is, in some words."""
        said = self.said
        if self.fresh.withdrawn is not None:
            return "No recent results"
        if said["alarm"]["firing"]:
            return f"In alarm: {said['severity']['name']}"
        if said["peers"] and said["peers"]["firing"]:
            return "In alarm: unlike its peers"
        if said["value"] is None:
            return "No sample now"
        if said["warmingUp"]:
            return "Learning what is normal"
        if (said["score"]["consensus"] or 0) > 1:
            return "Strange, and held back" if said["heldBack"] else "Strange, and no alarm so far"
        expected = said["expected"]
        if expected["lower"] is not None and not expected["lower"] <= said["value"] <= expected["upper"]:
            return "Outside of its band, which is not rare enough for an alarm"
        return "As expected"

    @property
    def n_alarms(self) -> int:
        """Alarms of the last days, the one that goes on included."""
        return int(self.said["timesBefore"]["count"]) + bool(self.said["alarm"]["firing"])

    @property
    def nearest_limit(self) -> Mapping[str, Any] | None:
        """The limit that is passed, or else reached first; None where none is expected."""
        near = [limit for limit in self.limits if limit["passed"] or limit["time"] is not None]
        return min(near, key=lambda limit: (not limit["passed"], limit["time"] or 0), default=None)


def render_series(facts: SeriesFacts) -> str:
    """Make the page of one series: it loads nothing but two answers of its own server."""
    return render(
        "series.html",
        styles=_STYLES,
        scripts=_SCRIPTS,
        asks=True,
        facts=facts,
        data=_embedded(facts.data),
        licence=Markup(static_text("vendor/uPlot-LICENSE.txt")),  # noqa: S704 - our own file
    )


def render_list(query: str, expression: str, lines: Sequence[object], total: int, fresh: Freshness) -> str:
    """Make the list of a query's series, in the order given."""
    return render(
        "series_list.html",
        styles=("base.css", "index.css", "backtest.css"),
        scripts=("time.js", "filter.js"),
        query=query,
        expression=expression,
        lines=lines,
        total=total,
        fresh=fresh,
    )


def render_missing(title: str, problem: str) -> str:
    """Say that there is no such page, and why."""
    return render("missing.html", styles=("base.css",), scripts=("time.js",), title=title, problem=problem)


def _embedded(data: Mapping[str, Any]) -> Markup:
    """JSON that may stand inside a script element: no ``<`` can end it; NaN is null."""
    text = orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))  # noqa: S704
