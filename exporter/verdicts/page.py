"""The page behind a link in an alert: three buttons."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request
from pydantic import ValidationError

from detectors.feedback import effect
from detectors.verdict import About, Opinion, Verdict
from exporter.pages.environment import render
from exporter.pages.text import Labels
from exporter.verdicts.desk import NotKnown, VerdictDesk
from exporter.verdicts.errors import VerdictStoreError
from exporter.verdicts.origin import from_another_site
from exporter.verdicts.requests import NewVerdict, said
from exporter.verdicts.token import FormToken
from series.matcher import parse_matchers, written

_LASTS = (("1d", "a day"), ("7d", "a week"), ("30d", "30 days"), ("90d", "90 days"), ("365d", "a year"))
_WHENS = (
    ("weekday", "on this day of the week, at this time"),
    ("daily", "every day at this time"),
    ("always", "at any time"),
)
_START = {"who": "", "note": "", "lasts": "30d", "when": "weekday"}


@dataclass(frozen=True)
class _Subject:
    """What is to be judged, as the page shows it."""

    query: str
    matchers: Labels
    selector: str
    summary: str = ""
    score: float | None = None
    begun: float | None = None
    ended: float | None = None


@dataclass(frozen=True)
class _Row:
    """A verdict, as the page shows it."""

    id: str
    opinion: str
    scope: str
    effect: str
    note: str
    who: str
    created: float
    fades: float
    expires: float

    @classmethod
    def of(cls, verdict: Verdict) -> _Row:
        return cls(
            verdict.id,
            verdict.opinion.value,
            verdict.scope,
            effect(verdict),
            verdict.note,
            verdict.who,
            verdict.created,
            (verdict.created + verdict.expires) / 2,
            verdict.expires,
        )


def verdict_page(desk: VerdictDesk, secret: bytes | None = None) -> Blueprint:
    """``/verdict?alert=FINGERPRINT``, or ``?query=NAME&matchers={...}``, or ``?query=NAME&series=LABEL``.

    `series` is the label of that name of our alerts; with `about=peers` it is the one that compares peers. Without any
    of them the page lists what is in force. A look at it changes nothing, so that a mail program may follow the link.
    """
    page, token = Blueprint("verdict_page", __name__), FormToken(secret or secrets.token_bytes(32))

    @page.get("/verdict")
    def shown() -> Response:
        return _shown(desk, token, _START)

    @page.post("/verdict")
    def sent() -> Response:
        form = {name: request.form.get(name, default) for name, default in _START.items()}
        if from_another_site(request) or not token.holds(request):
            return _shown(desk, token, form, "This page was open for too long. Choose again.", HTTPStatus.FORBIDDEN)
        try:
            done = _take_back(desk) if "remove" in request.form else _give(desk, form)
        except ValidationError as error:
            return _shown(desk, token, form, said(error, NewVerdict), HTTPStatus.BAD_REQUEST)
        except (ValueError, NotKnown) as error:
            return _shown(desk, token, form, str(error), HTTPStatus.BAD_REQUEST)
        except VerdictStoreError as error:
            return _shown(desk, token, form, str(error), HTTPStatus.SERVICE_UNAVAILABLE)
        return _back(done)

    @page.errorhandler(VerdictStoreError)
    def not_readable(error: VerdictStoreError) -> Response:
        return Response(f"{error}\n", HTTPStatus.SERVICE_UNAVAILABLE, content_type="text/plain; charset=utf-8")

    @page.after_request
    def alone(response: Response) -> Response:
        # No other site may show the page in a frame and have its buttons pressed there.
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Content-Security-Policy"] = "frame-ancestors 'none'"
        response.headers["Cache-Control"] = "no-store"
        return response

    return page


def _give(desk: VerdictDesk, form: Mapping[str, str]) -> str:
    opinion = request.form.get("verdict", "")
    query, matchers = _scope(desk)
    alert = _alert_name()
    asked = {"verdict": opinion, "note": form["note"], "who": form["who"], "lasts": form["lasts"]}
    named = {"alert": alert} if alert else {"query": query, "matchers": matchers, "about": _about()}
    when = {"when": form["when"]} if opinion == Opinion.EXPECTED else {}
    return desk.give(NewVerdict.model_validate(asked | named | when)).verdict.id


def _take_back(desk: VerdictDesk) -> str:
    desk.take_back(request.form["remove"], request.form.get("who", "")[:200])
    return ""


def _back(done: str) -> Response:
    """To the same page by GET, so that loading it again gives no second verdict."""
    kept = {name: value for name, value in request.args.items() if name != "done"} | ({"done": done} if done else {})
    return cast(Response, redirect(f"verdict?{urlencode(kept)}" if kept else "verdict", HTTPStatus.SEE_OTHER))


def _shown(
    desk: VerdictDesk,
    token: FormToken,
    form: Mapping[str, str],
    mistake: str = "",
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    problem, subject = "", None
    try:
        subject = _subject(desk)
    except (NotKnown, ValueError) as error:
        problem, status = str(error), HTTPStatus.NOT_FOUND
    now, query = desk.clock(), subject.query if subject else ""
    in_force = [kept.verdict for kept in desk.store.in_force(now)]
    cookie, signed = token.of(request)
    html = render(
        "verdict.html",
        styles=("base.css", "verdict.css"),
        scripts=("time.js",),
        forms=True,
        subject=subject,
        problem=problem,
        mistake=mistake,
        form=form,
        token=signed,
        lasts=_LASTS,
        whens=_WHENS,
        given=next((_Row.of(verdict) for verdict in in_force if verdict.id == request.args.get("done")), None),
        verdicts=_rows(in_force, query),
    )
    response = Response(html, status, content_type="text/html; charset=utf-8")
    token.keep(response, cookie, secure=request.is_secure)
    return response


def _rows(verdicts: Sequence[Verdict], query: str) -> list[_Row]:
    """The newest first; those of a query where one is named."""
    return [_Row.of(verdict) for verdict in reversed(verdicts) if not query or verdict.query in ("", query)]


def _subject(desk: VerdictDesk) -> _Subject | None:
    if name := _alert_name():
        alert = desk.alert(name)
        pairs = tuple((each.label, each.value) for each in alert.matchers)
        return _Subject(
            alert.query, pairs, written(tuple(alert.matchers)), alert.summary, alert.score, alert.begun, alert.ended
        )
    query, matchers = _scope(desk)
    if not query and not matchers:
        return None
    pairs = tuple((each.label, each.operator.removeprefix("=") + each.value) for each in parse_matchers(matchers))
    about = "One of several like series differs from the others." if _about() == "peers" else ""
    return _Subject(query, pairs, matchers, about)


def _alert_name() -> str:
    return request.args.get("alert", "")[:64]


def _about() -> str:
    """Which alarm is meant: a link of an alert means its own."""
    return request.args.get("about", About.PAST.value if "series" in request.args else "")


def _scope(desk: VerdictDesk) -> tuple[str, str]:
    """Query and matchers of the address."""
    query = request.args.get("query", "")[:100]
    if series := request.args.get("series", ""):
        return query, desk.scope_of_series(query, series)
    return query, request.args.get("matchers", "")
