"""``GET /api/v1/history``, in Prometheus' envelope."""

from __future__ import annotations

from http import HTTPStatus

import orjson
from flask import Blueprint, Response, request

from exporter.duration import Duration
from exporter.explain.explainer import NotKnown, NotYet
from exporter.forecast_api.asked import query_of
from exporter.forecast_api.desk import Busy
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
        return _answer("success", data=data)

    @api.errorhandler(ValueError)
    def bad(error: ValueError) -> Response:
        return _failed("bad_data", error, HTTPStatus.BAD_REQUEST)

    @api.errorhandler(NotKnown)
    def unknown(error: NotKnown) -> Response:
        return _failed("not_found", error, HTTPStatus.NOT_FOUND)

    @api.errorhandler(NotYet)
    @api.errorhandler(Busy)
    def later(error: Exception) -> Response:
        return _failed("unavailable", error, HTTPStatus.SERVICE_UNAVAILABLE)

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


def _failed(kind: str, error: Exception, status: HTTPStatus) -> Response:
    return _answer("error", status, errorType=kind, error=str(error))


def _answer(outcome: str, http: HTTPStatus = HTTPStatus.OK, **content: object) -> Response:
    # orjson writes NaN, which JSON does not know, as null.
    body = orjson.dumps({"status": outcome, **content}, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, status=http, content_type="application/json")
