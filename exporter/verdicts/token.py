"""Proof that a form came from a page of ours."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from flask import Request, Response

_COOKIE = "forethought_form"


class FormToken:
    """A random cookie, and a signature of it in the form: another site can have its visitor send neither.

    Parameters
    ----------
    secret : bytes
        Known to this process alone. After a restart a page that was open must be loaded again.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of(self, request: Request) -> tuple[str, str]:
        """The cookie to set and the token to put into the form."""
        cookie = request.cookies.get(_COOKIE) or secrets.token_urlsafe(16)
        return cookie, self._signed(cookie)

    def keep(self, response: Response, cookie: str, *, secure: bool) -> None:
        """Set the cookie. Lax: a link in a message may lead to the page, but no form elsewhere may use it."""
        response.set_cookie(_COOKIE, cookie, httponly=True, samesite="Lax", secure=secure)

    def holds(self, request: Request) -> bool:
        """True where the form's token belongs to the cookie."""
        cookie, token = request.cookies.get(_COOKIE, ""), request.form.get("token", "")
        return bool(cookie) and hmac.compare_digest(token.encode(), self._signed(cookie).encode())

    def _signed(self, cookie: str) -> str:
        return hmac.new(self._secret, cookie.encode(), hashlib.sha256).hexdigest()
