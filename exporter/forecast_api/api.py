"""``GET /api/v1/forecast`` and ``/api/v1/capacity``, in Prometheus' envelope."""

from __future__ import annotations

from flask import Blueprint, Response, request

from exporter.envelope import answer_problems, answered
from exporter.forecast_api.asked import Asked
from exporter.forecast_api.desk import ForecastDesk
from exporter.lookup import query_of
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
        return answered(desk.forecast(Asked.of(request.args.to_dict())))

    @api.get("/capacity")
    def limits() -> Response:
        matchers = parse_matchers(request.args.get("series", ""))
        return answered(desk.capacity(query_of(request.args), matchers))

    answer_problems(api)
    return api
