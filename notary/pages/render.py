"""Pages from templates: the words of the catalogue, times for a Chinese court, headers that let nothing in.

Everything that stands in a page is escaped by Jinja; nothing of a page comes from elsewhere. No public page
sets a cookie, and of those only the page that checks bundles has a script; members' pages are in `people/`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from mizheng.verifier.page import page_parts
from mizheng.verifier.paper.clock import both_times
from mizheng.verifier.words import translator
from starlette.responses import HTMLResponse, Response

_HERE = Path(__file__).parent
LANGUAGES = ("zh_CN", "en")
# Chinese first: it has no prefix.
PREFIXES = {"zh_CN": "", "en": "/en"}

BASE_POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
# WebAssembly computes digests there, in workers of the same script; it may connect to nothing.
_CHECK_POLICY = {
    **BASE_POLICY,
    "script-src": "'self' 'wasm-unsafe-eval'",
    "worker-src": "'self'",
    "img-src": "'self' data:",
}
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex",
}


def render(language: str, template: str, values: Mapping[str, Any], *, path: str) -> str:
    """A page in a language of LANGUAGES; `path` without the language's prefix, for the switch."""
    other = LANGUAGES[1 - LANGUAGES.index(language)]
    shared = {
        "language": language,
        "prefix": PREFIXES[language],
        "home": PREFIXES[language] or "/",
        "other_language": PREFIXES[other] + path if path != "/" else PREFIXES[other] or "/",
        "style": static_url("style.css"),
        "icon": static_url("icon.svg"),
        "place": "",
    }
    body: str = _template(language, template).render({**shared, **values})
    return body


def answer_page(template: str, body: str | bytes, status: int = 200) -> Response:
    """What `render` made of this template, with the headers that it needs."""
    return HTMLResponse(body, status, _CHECK_PAGE_HEADERS if template == "check.html" else _PAGE_HEADERS)


def dump_policy(policy: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in policy.items())


_PAGE_HEADERS = {**_HEADERS, "Content-Security-Policy": dump_policy(BASE_POLICY)}
_CHECK_PAGE_HEADERS = {**_HEADERS, "Content-Security-Policy": dump_policy(_CHECK_POLICY)}


@cache
def static_files() -> Mapping[str, tuple[bytes, str]]:
    """Name to content and media type. The script and the style of verify.html are served as files of their
    own, so that the page needs to allow nothing inline.
    """
    parts = page_parts()
    return {
        "style.css": ((_HERE / "static" / "style.css").read_bytes(), "text/css; charset=utf-8"),
        "icon.svg": ((_HERE / "static" / "icon.svg").read_bytes(), "image/svg+xml"),
        "people.js": ((_HERE / "static" / "people.js").read_bytes(), "text/javascript; charset=utf-8"),
        "check.css": (parts.style.encode(), "text/css; charset=utf-8"),
        "check.js": (parts.script.encode(), "text/javascript; charset=utf-8"),
    }


@cache
def static_url(name: str) -> str:
    """Its address, which names its content and may be kept for ever."""
    return f"/static/{hashlib.sha256(static_files()[name][0]).hexdigest()[:16]}/{name}"


def static_answer(name: str) -> Response | None:
    """A file of a page, or None."""
    found = static_files().get(name)
    if found is None:
        return None
    data, media_type = found
    headers = {
        **_HEADERS,
        "Cache-Control": "public, max-age=31536000, immutable",
        # A worker is under its own script's policy, not under that of the page.
        "Content-Security-Policy": dump_policy({"default-src": "'none'", "script-src": "'wasm-unsafe-eval'"}),
    }
    return Response(data, headers=headers, media_type=media_type)


@cache
def _template(language: str, name: str) -> Any:
    return _environment(language).get_template(name)


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # They are part of the program: nobody changes them while it runs.
        auto_reload=False,
    )
    environment.globals["_"] = translator(language)
    environment.globals["times"] = both_times
    return environment
