"""``GET /api/v1/forecast`` and ``/api/v1/capacity``, in Prometheus' envelope."""

from __future__ import annotations

from http import HTTPStatus

import orjson
from flask import Blueprint, Response, request

from exporter.explain.explainer import NotKnown, NotYet
from exporter.forecast_api.asked import Asked, query_of
from exporter.forecast_api.desk import Busy, ForecastDesk
from series.matcher import parse_matchers


def forecast_api(desk: ForecastDesk) -> Blueprint:
    """Routes below ``/api/v1``.

    =============  =====================================================================================
    GET /forecast  ``query=NAME``, ``series={...}``, ``steps=`` or ``horizon=``, and others of `Asked`
    GET /capacity  ``query=NAME``, ``series={...}``
    =============  =====================================================================================
    """
    api = Blueprint("forecast", __name__, url_prefix="/api/v1")

    @api.get("/forecast")
    def ahead() -> Response:
        return _answer("success", data=desk.forecast(Asked.of(request.args.to_dict())))

    @api.get("/capacity")
    def limits() -> Response:
        matchers = parse_matchers(request.args.get("series", ""))
        return _answer("success", data=desk.capacity(query_of(request.args), matchers))

    _answer_mistakes(api)
    return api


def _answer_mistakes(api: Blueprint) -> None:
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


def _failed(kind: str, error: Exception, status: HTTPStatus) -> Response:
    return _answer("error", status, errorType=kind, error=str(error))


def _answer(outcome: str, http: HTTPStatus = HTTPStatus.OK, **content: object) -> Response:
    # orjson writes NaN, which JSON does not know, as null.
    body = orjson.dumps({"status": outcome, **content}, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, status=http, content_type="application/json")
