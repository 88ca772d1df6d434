"""``GET /api/v1/history``, in Prometheus' envelope."""

from __future__ import annotations

from flask import Blueprint, Response, request

from exporter.duration import Duration
from exporter.envelope import answer_problems, answered
from exporter.lookup import query_of
from exporter.series_page.desk import DEFAULT_RANGE, SeriesDesk
from series.matcher import parse_matchers


def history_api(desk: SeriesDesk) -> Blueprint:
    """One route below ``/api/v1``.

    ============  ==========================================================================
    GET /history  ``query=NAME``, ``series={...}`` as published, ``range=`` (default: 2d)
    ============  ==========================================================================
    """
    api = Blueprint("history", __name__, url_prefix="/api/v1")

    @api.get("/history")
    def past() -> Response:
        if unknown := sorted(set(request.args) - {"query", "series", "range"}):
            raise ValueError(f"parameters must be query, series or range. Got {unknown[0]!r:.50}.")
        matchers = parse_matchers(request.args.get("series", ""))
        data = desk.history(query_of(request.args), matchers, read_range(request.args.get("range", "")))
        return answered(data)

    answer_problems(api)
    return api


def read_range(text: str) -> Duration:
    """How far back is asked for; raises ValueError for what is no time above 0."""
    if not text:
        return DEFAULT_RANGE
    try:
        span = Duration.parse(text)
    except ValueError as error:
        raise ValueError(f"range {error}") from error
    if not span:
        raise ValueError("range must be above 0s.")
    return span
