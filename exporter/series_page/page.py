"""``GET /series``: one series to look at, or the list of a query's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import numpy as np
from flask import Blueprint, Response, request

from exporter.backtests.report import Curves, Ribbon
from exporter.cycle import QueryCycle
from exporter.explain.explainer import Explainer
from exporter.forecast_api.advice import advice_line
from exporter.forecast_api.asked import Asked
from exporter.forecast_api.desk import ForecastDesk
from exporter.freshness import Freshness
from exporter.lookup import NotKnown, NotYet, query_of
from exporter.pages.curves import chosen_columns
from exporter.pages.series_page import SeriesFacts, render_list, render_missing, render_series
from exporter.series_page.api import read_range
from exporter.series_page.choices import Choices
from exporter.series_page.desk import SeriesDesk
from exporter.series_page.overview import selector_of, strangest
from series import SeriesKey, Window
from series.matcher import Matcher, parse_matchers

# Rows of the list of a query's series.
_ROWS = 500
# What is begun for pages at a time. Where more come at once, each is begun when its browser asks for it.
_BEGUN = 2


def series_page(
    desk: SeriesDesk, explainer: Explainer, ahead: ForecastDesk, freshness: Callable[[str], Freshness]
) -> Blueprint:
    """One route: ``query=NAME``, ``series={...}`` as published, ``range=`` and ``ahead=``.

    `freshness` says of a query, by its name, whether its results are still the present. Without ``series``, or with
    matchers that mean several, the page lists the query's series.
    """
    pages, head_start = Blueprint("series", __name__), _HeadStart()

    @pages.get("/series")
    def show() -> Response:
        query, matchers = query_of(request.args), parse_matchers(request.args.get("series", ""))
        cycle = desk.cycle(query)
        lines = strangest(cycle, _ROWS) if not matchers else ()
        if len(lines) > 1:
            total, fresh = len(cycle.store.keys), freshness(query)
            if fresh.withdrawn is not None:
                lines = tuple(line.withdrawn for line in lines)
            return _html(render_list(query, cycle.query.query, lines, total, fresh))
        facts = _facts(desk, explainer, ahead, freshness, query, matchers)
        head_start.begin(lambda: ahead.forecast(Asked.of(facts.data["forecast"])))
        span = float(read_range(facts.span))
        head_start.begin(lambda: desk.prepare(query, parse_matchers(facts.selector), span))
        return _html(render_series(facts))

    @pages.errorhandler(NotKnown)
    def unknown(error: NotKnown) -> Response:
        return _html(render_missing("No such series", str(error)), HTTPStatus.NOT_FOUND)

    @pages.errorhandler(NotYet)
    def not_yet(error: NotYet) -> Response:
        return _html(render_missing("Nothing to show yet", str(error)), HTTPStatus.SERVICE_UNAVAILABLE)

    @pages.errorhandler(ValueError)
    def bad(error: ValueError) -> Response:
        return _html(render_missing("No such page", str(error)), HTTPStatus.BAD_REQUEST)

    return pages


class _HeadStart:
    """Computes what a page will ask for while its browser still reads it; the answers to come find it in memory."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_BEGUN, "series-page")
        self._free = threading.BoundedSemaphore(_BEGUN)

    def begin(self, work: Callable[[], object]) -> None:
        """Do it soon, where there is a thread for it. What goes wrong is told to whoever asks for the same."""
        if self._free.acquire(blocking=False):
            self._threads.submit(work).add_done_callback(lambda done: self._free.release())


def _facts(
    desk: SeriesDesk,
    explainer: Explainer,
    ahead: ForecastDesk,
    freshness: Callable[[str], Freshness],
    query: str,
    matchers: tuple[Matcher, ...],
) -> SeriesFacts:
    cycle, said, fresh = desk.cycle(query), explainer.explain(query, matchers), freshness(query)
    key = SeriesKey(said["series"])
    selector = selector_of(key)
    limits = _limits(cycle, ahead, key)
    choices = Choices.of(
        cycle,
        [limit["time"] for limit in limits if limit["time"] is not None and not limit["passed"]],
        span=request.args.get("range", ""),
        ahead=request.args.get("ahead", ""),
        now=said["time"],
    )
    asked = {"query": query, "series": selector}
    curve = asked | {"horizon": str(choices.ahead), "step": str(choices.step), "summary": choices.summary}
    if choices.step == cycle.query.step:
        del curve["step"], curve["summary"]
    counted = "rate(" in cycle.query.query
    if not counted:
        curve["per"] = "none"
    shown = desk.samples(query, parse_matchers(selector), choices.span)
    return SeriesFacts(
        query=query,
        expression=cycle.query.query,
        selector=selector,
        labels=key.pairs,
        said=said,
        limits=limits,
        span=str(choices.span),
        ahead=str(choices.ahead),
        spans=tuple(map(str, choices.spans)),
        aheads=tuple(map(str, choices.aheads)),
        shadow=cycle.query.shadow,
        data=_drawn(shown)
        | {"history": asked | {"range": str(choices.span)}, "forecast": curve, "limits": list(map(_drawable, limits))}
        | {"counted": counted, "ahead": int(choices.ahead), "stale": fresh.withdrawn is not None},
        fresh=fresh,
    )


def _limits(cycle: QueryCycle, ahead: ForecastDesk, key: SeriesKey) -> list[dict[str, Any]]:
    if cycle.capacity is None:
        return []
    told = ahead.capacity(cycle.query.name, parse_matchers(selector_of(key)))["series"]
    own = [series["limits"] for series in told if series["labels"] == dict(key.pairs)]
    return [_known(limit) | {"advice": advice_line(limit)} for limit in own[0]] if own else []


def _drawable(limit: dict[str, Any]) -> dict[str, Any]:
    """A limit for the plot: one that is passed has no date to come."""
    return limit | dict.fromkeys(("time", "lower", "upper")) if limit["passed"] else limit


def _known(told: Any) -> Any:
    """NaN as None, as JSON will have it."""
    if isinstance(told, dict):
        return {name: _known(one) for name, one in told.items()}
    return None if isinstance(told, float) and not np.isfinite(told) else told


def _drawn(window: Window) -> dict[str, Any]:
    """Samples for a first picture, before what was expected of them is known."""
    values = np.where(np.isfinite(window.values[0]), window.values[0], np.nan)
    nothing = np.full(window.n_steps, np.nan)
    none = Ribbon(nothing, nothing, nothing)
    columns = chosen_columns(Curves(values, nothing, none, none, none), np.empty(0, dtype=np.intp))
    return {"step": window.step, "times": window.times[columns], "values": values[columns]}


def _html(text: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(text, status=status, content_type="text/html; charset=utf-8")
