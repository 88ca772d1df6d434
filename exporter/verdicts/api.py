"""Verdicts and alerts over HTTP, in Prometheus' envelope."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, TypeVar

from flask import Blueprint, Response, request
from pydantic import BaseModel, ValidationError

from exporter.envelope import answered, failed
from exporter.verdicts.desk import NotKnown, VerdictDesk
from exporter.verdicts.errors import VerdictStoreError
from exporter.verdicts.origin import from_another_site
from exporter.verdicts.records import Alert, Kept
from exporter.verdicts.requests import NewVerdict, Webhook, said
from series.matcher import written

# A notification of a thousand alerts has about a megabyte.
MOST_BYTES = 16_000_000
_Model = TypeVar("_Model", bound=BaseModel)
_SIDES = {0: "both", 1: "above", -1: "below"}


def verdict_api(desk: VerdictDesk) -> Blueprint:
    """Routes below ``/api/v1``.

    ==========================  ==============================================================
    GET /verdicts               all, the newest first; ``query=NAME``, ``active=true`` or ``false`` narrow
    POST /verdicts              give one
    GET, DELETE /verdicts/ID    look at one; take it back (``who=NAME``)
    GET /alerts                 alerts that were told of, the last first
    POST /alerts                where Alertmanager's webhook sends notifications
    ==========================  ==============================================================
    """
    api = Blueprint("verdicts", __name__, url_prefix="/api/v1")

    @api.before_request
    def only_from_here() -> Response | None:
        if request.method != "GET" and from_another_site(request):
            return failed("forbidden", "must not be sent by a page of another site.", HTTPStatus.FORBIDDEN)
        return None

    _verdict_routes(api, desk)
    _alert_routes(api, desk)
    _answer_mistakes(api)
    return api


def _verdict_routes(api: Blueprint, desk: VerdictDesk) -> None:
    @api.get("/verdicts")
    def listed() -> Response:
        if unknown := sorted(set(request.args) - {"query", "active"}):
            raise _BadRequest(f"parameters must be query or active. Got {unknown[0]!r:.50}.")
        if (active := request.args.get("active")) not in (None, "true", "false"):
            raise _BadRequest(f"active must be true or false. Got {active!r:.50}.")
        kept = desk.listed(request.args.get("query"), None if active is None else active == "true")
        return answered([verdict_json(each, desk.clock()) for each in kept])

    @api.post("/verdicts")
    def given() -> Response:
        kept = desk.give(_body(NewVerdict))
        return answered(verdict_json(kept, desk.clock()), HTTPStatus.CREATED, warnings=desk.warnings(kept))

    @api.get("/verdicts/<identity>")
    def one(identity: str) -> Response:
        if (kept := desk.store.get(identity)) is None:
            raise NotKnown(f"there is no verdict {identity!r:.80}.")
        return answered(verdict_json(kept, desk.clock()))

    @api.delete("/verdicts/<identity>")
    def taken_back(identity: str) -> Response:
        kept = desk.take_back(identity, request.args.get("who", "")[:200])
        return answered(verdict_json(kept, desk.clock()))


def _alert_routes(api: Blueprint, desk: VerdictDesk) -> None:
    @api.get("/alerts")
    def told() -> Response:
        return answered([alert_json(alert) for alert in desk.store.alerts()])

    @api.post("/alerts")
    def heard() -> Response:
        return answered({"recorded": desk.hear(_body(Webhook).alerts)})


def verdict_json(kept: Kept, now: float) -> dict[str, Any]:
    """A verdict for a program."""
    verdict = kept.verdict
    return {
        "id": verdict.id,
        "verdict": verdict.opinion.value,
        "query": verdict.query,
        "matchers": written(verdict.matchers),
        "score": verdict.score,
        "side": _SIDES[verdict.side],
        "when": str(verdict.when) if verdict.when else None,
        "about": verdict.about.value or None,
        "alarm": verdict.alarm and {"begun": verdict.alarm.begun, "votes": dict(verdict.alarm.votes)},
        "created": verdict.created,
        "expires": verdict.expires,
        "note": verdict.note,
        "who": verdict.who,
        "alert": kept.alert or None,
        "active": kept.in_force(now),
        "revoked": kept.revoked,
        "revokedBy": kept.revoked_by or None,
    }


def alert_json(alert: Alert) -> dict[str, Any]:
    """An alert for a program."""
    return {
        "fingerprint": alert.fingerprint,
        "query": alert.query,
        "matchers": written(alert.matchers),
        "labels": dict(alert.labels),
        "summary": alert.summary,
        "score": alert.score,
        "side": _SIDES[alert.side],
        "begun": alert.begun,
        "ended": alert.ended,
    }


class _BadRequest(Exception):
    """The message says what must be."""


def _body(model: type[_Model]) -> _Model:
    # A form of another site cannot send this type without being asked for first.
    if request.mimetype != "application/json":
        raise _BadRequest(f"the body must be application/json. Got {request.mimetype or 'nothing'!r:.80}.")
    if (request.content_length or 0) > MOST_BYTES:
        raise _BadRequest(f"the body must be at most {MOST_BYTES} bytes. Got {request.content_length}.")
    try:
        return model.model_validate_json(request.stream.read(MOST_BYTES))
    except ValidationError as error:
        raise _BadRequest(said(error, model)) from error


def _answer_mistakes(api: Blueprint) -> None:
    @api.errorhandler(_BadRequest)
    @api.errorhandler(ValueError)
    def bad(error: Exception) -> Response:
        return failed("bad_data", error, HTTPStatus.BAD_REQUEST)

    @api.errorhandler(NotKnown)
    def unknown(error: NotKnown) -> Response:
        return failed("not_found", error, HTTPStatus.NOT_FOUND)

    @api.errorhandler(VerdictStoreError)
    def not_kept(error: VerdictStoreError) -> Response:
        return failed("unavailable", error, HTTPStatus.SERVICE_UNAVAILABLE)
