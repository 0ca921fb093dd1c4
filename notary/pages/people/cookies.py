"""The two cookies: the session's, and that of a login under way.

`__Host-` (RFC 6265bis §4.1.3.2): only this host, only over TLS, for all paths; a neighbour on another
subdomain cannot set one. Lax: a link from elsewhere leads to a page, a form from elsewhere carries nothing.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

SESSION_COOKIE = "__Host-mizheng"
STEP_COOKIE = "__Host-mizheng-step"
# A token has 43 characters.
_MAX_LENGTH = 64


def read_cookie(request: Request, name: str) -> str | None:
    """The cookie's value, unless it cannot be one of ours."""
    value = request.cookies.get(name)
    return value if value and len(value) <= _MAX_LENGTH and value.isascii() else None


def remember(answer: Response, name: str, token: str) -> None:
    """For as long as the browser is open: how long it counts, the notary knows."""
    answer.set_cookie(name, token, secure=True, httponly=True, samesite="lax", path="/")


def forget(answer: Response, name: str) -> None:
    answer.delete_cookie(name, secure=True, httponly=True, samesite="lax", path="/")
