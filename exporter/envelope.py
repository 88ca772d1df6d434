"""Prometheus' envelope around an answer: what is asked for, or why it cannot be said."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

import orjson
from flask import Blueprint, Response

from exporter.lookup import Busy, NotKnown, NotYet


def answered(data: object, status: HTTPStatus = HTTPStatus.OK, *, warnings: Sequence[str] = ()) -> Response:
    """What was asked for, and what somebody should know of it; NaN, which JSON does not know, is null."""
    told = {"warnings": list(warnings)} if warnings else {}
    return _json({"status": "success", "data": data} | told, status)


def failed(kind: str, problem: object, status: HTTPStatus) -> Response:
    """Why there is no answer: `kind` for a program, `problem` for people."""
    return _json({"status": "error", "errorType": kind, "error": str(problem)}, status)


def answer_problems(api: Blueprint) -> None:
    """Make answers of what those who look things up raise."""

    @api.errorhandler(ValueError)
    def bad(error: ValueError) -> Response:
        return failed("bad_data", error, HTTPStatus.BAD_REQUEST)

    @api.errorhandler(NotKnown)
    def unknown(error: NotKnown) -> Response:
        return failed("not_found", error, HTTPStatus.NOT_FOUND)

    @api.errorhandler(NotYet)
    @api.errorhandler(Busy)
    def later(error: Exception) -> Response:
        return failed("unavailable", error, HTTPStatus.SERVICE_UNAVAILABLE)


def _json(content: dict[str, object], status: HTTPStatus) -> Response:
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, status=status, content_type="application/json")
