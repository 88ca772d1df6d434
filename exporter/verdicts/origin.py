"""Is a request from a page of ours?"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Request


def from_another_site(request: Request) -> bool:
    """Tell a request that a browser sends for a page of another site; programs other than browsers say nothing.

    ``Origin`` is ``null`` where a page sends no referrer, as ours do: that says neither.
    """
    if site := request.headers.get("Sec-Fetch-Site"):
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin", "null")
    return origin != "null" and urlsplit(origin).netloc != request.host
