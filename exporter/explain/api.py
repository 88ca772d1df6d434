"""``GET /api/v1/explain``, in Prometheus' envelope."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request

from exporter.explain.explainer import Explainer, NotKnown, NotYet
from exporter.moments import read_moment
from series.matcher import parse_matchers


def explain_api(explainer: Explainer) -> Blueprint:
    """One route below ``/api/v1``.

    ============  ======================================================================================
    GET /explain  ``query=NAME``, ``series={...}`` as published, and ``time=`` (default: last judged step)
    ============  ======================================================================================
    """
    api = Blueprint("explain", __name__, url_prefix="/api/v1")

    @api.get("/explain")
    def why() -> Response:
        if not (query := request.args.get("query", "")):
            raise ValueError("query must be the name of a query. Got nothing.")
        matchers = parse_matchers(request.args.get("series", ""))
        data = explainer.explain(query, matchers, _time(request.args.get("time")))
        return jsonify({"status": "success", "data": data})

    @api.errorhandler(ValueError)
    def bad(error: ValueError) -> Response:
        return _failed("bad_data", error, HTTPStatus.BAD_REQUEST)

    @api.errorhandler(NotKnown)
    def unknown(error: NotKnown) -> Response:
        return _failed("not_found", error, HTTPStatus.NOT_FOUND)

    @api.errorhandler(NotYet)
    def not_yet(error: NotYet) -> Response:
        return _failed("unavailable", error, HTTPStatus.SERVICE_UNAVAILABLE)

    return api


def _time(text: str | None) -> float | None:
    if not text:
        return None
    try:
        return read_moment(text)
    except ValueError as error:
        raise ValueError(f"time {error}") from error


def _failed(kind: str, error: Exception, status: HTTPStatus) -> Response:
    response = jsonify({"status": "error", "errorType": kind, "error": str(error)})
    response.status_code = status
    return response
