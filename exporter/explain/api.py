"""``GET /api/v1/explain``, in Prometheus' envelope."""

from __future__ import annotations

from flask import Blueprint, Response, request

from exporter.envelope import answer_problems, answered
from exporter.explain.explainer import Explainer
from exporter.lookup import query_of
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
        matchers = parse_matchers(request.args.get("series", ""))
        data = explainer.explain(query_of(request.args), matchers, _time(request.args.get("time")))
        return answered(data)

    answer_problems(api)
    return api


def _time(text: str | None) -> float | None:
    if not text:
        return None
    try:
        return read_moment(text)
    except ValueError as error:
        raise ValueError(f"time {error}") from error
