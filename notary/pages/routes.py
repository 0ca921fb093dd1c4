"""The clerk's pages. Plain Starlette: nothing here belongs into the API's document.

A code travels in the body of a POST, never in a URL: URLs stay in histories and in proxies' logs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from fastapi.concurrency import run_in_threadpool
from mizheng.notary.certificates.answers import describe_anchor
from mizheng.notary.certificates.downloads import parse_hex32, send_pdf, send_proof
from mizheng.notary.certificates.kept import PUBLISHED
from mizheng.notary.certificates.lookup import (
    Shown,
    find_anchor,
    is_reversed,
    masked_facts,
    show_by_digest,
    show_by_number,
)
from mizheng.notary.companies.enrolments import METHOD_WORDS
from mizheng.notary.database import reading
from mizheng.notary.errors import Problem
from mizheng.notary.pages.forms import read_form
from mizheng.notary.pages.render import (
    LANGUAGES,
    PREFIXES,
    static_answer,
    static_url,
)
from mizheng.notary.pages.visit import Visit
from mizheng.notary.service import Service
from mizheng.verifier.canonical import parse_instant
from mizheng.verifier.certificate_number import parse_number, show_grouped
from mizheng.verifier.errors import FormatError
from mizheng.verifier.words import N_
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

_UNKNOWN = N_("No certificate is shown for this")
_UNKNOWN_TEXT = N_(
    "Either there is none, or its depositor does not show it without the code that is printed on it."
)
Answer = Callable[[Visit], Response]


def show_home(visit: Visit) -> Response:
    return visit.show("home.html", place="home", asked="", error="", hint="")


def find(visit: Visit) -> Response:
    """To the page of what was typed; what it is shows by its form."""
    asked = visit.form.get("q", "").strip()
    digest = parse_hex32(asked)
    if digest is not None:
        with reading(visit.service.engine) as connection:
            is_anchor = find_anchor(connection, digest) is not None
        kind = "anchors" if is_anchor else "digests"
        return RedirectResponse(f"{visit.prefix}/{kind}/{digest.hex()}", 303)
    # The QR code holds the number and a digest behind it.
    try:
        number = parse_number(asked.split()[0] if len(asked) > 64 else asked)
    except (FormatError, IndexError) as error:
        message, hint = (error.message, error.hint) if isinstance(error, FormatError) else ("", "")
        said = {"error": visit.say(message), "hint": visit.say(hint)}
        return visit.show("home.html", 422, place="home", asked=asked[:200], **said)
    return RedirectResponse(f"{visit.prefix}/certificates/{show_grouped(number)}", 303)


def show_certificate(visit: Visit) -> Response:
    """By its number: masked, whole, or the page for what does not exist and what is withheld."""
    try:
        number = parse_number(visit.places["number"])
    except FormatError as error:
        asked, said = visit.places["number"][:60], (error.message, error.hint)
        return visit.show(
            "home.html", 422, place="home", asked=asked, error=visit.say(said[0]), hint=visit.say(said[1])
        )
    code, wrong = _read_code(visit)
    with reading(visit.service.engine) as connection:
        shown = show_by_number(connection, number, code)
        taken_back = shown is not None and shown.is_whole and is_reversed(connection, shown.kept)
    action = f"{visit.prefix}/certificates/{show_grouped(number)}"
    if shown is None:
        return _unknown(visit, show_grouped(number), action, wrong)
    if not shown.is_whole:
        kept = shown.kept
        return visit.show_once_made(
            "masked.html",
            (kept.leaf_index, kept.pdf_sha256, wrong),
            lambda: {"facts": masked_facts(kept), "action": action, "wrong": wrong},
        )
    return _whole(visit, shown, code, taken_back)


def show_digest(visit: Visit) -> Response:
    """By a digest: whole, or the page for what does not exist."""
    digest = parse_hex32(visit.places["digest"])
    code, wrong = _read_code(visit)
    if digest is None:
        return _unknown(visit, "", "", "")
    with reading(visit.service.engine) as connection:
        shown = show_by_digest(connection, digest, code)
        taken_back = shown is not None and is_reversed(connection, shown.kept)
    if shown is None:
        return _unknown(visit, digest.hex(), f"{visit.prefix}/digests/{digest.hex()}", wrong)
    return _whole(visit, shown, code, taken_back)


def show_anchor(visit: Visit) -> Response:
    digest = parse_hex32(visit.places["hash"])
    row = None
    if digest is not None:
        with reading(visit.service.engine) as connection:
            row = find_anchor(connection, digest)
    if row is None:
        title, text = visit.say(N_("No anchor stands in this transaction")), visit.say(N_("Not of this log."))
        return visit.show("missing.html", 404, title=title, text=text, asked="", action="", wrong="")
    return visit.show("anchor.html", anchor=describe_anchor(row))


def show_check(visit: Visit) -> Response:
    trust = visit.service.pages.trust
    return visit.show(
        "check.html",
        place="check",
        check_style=static_url("check.css"),
        check_script=static_url("check.js"),
        # As text in an element: in a TOML string this escape is the character.
        trust=trust.decode().replace("<", "\\u003c") if trust else "",
        trust_sha256=hashlib.sha256(trust).hexdigest() if trust else "",
    )


def give_pdf(visit: Visit) -> Response:
    return _download(visit, send_pdf)


def give_proof(visit: Visit) -> Response:
    return _download(visit, send_proof)


def _download(visit: Visit, send: Callable[[Service, Shown], Response]) -> Response:
    try:
        number = parse_number(visit.places["number"])
        code, _ = _read_code(visit)
        with reading(visit.service.engine) as connection:
            shown = show_by_number(connection, number, code)
        if shown is not None and shown.is_whole:
            return send(visit.service, shown)
    except FormatError:
        return _unknown(visit, "", "", "")
    # Masked and withheld alike: there is no file.
    return _unknown(visit, show_grouped(number), f"{visit.prefix}/certificates/{show_grouped(number)}", "")


def _whole(visit: Visit, shown: Shown, code: str | None, taken_back: bool) -> Response:
    kept = shown.kept
    typed = show_grouped(code) if shown.is_opened and code else ""

    def make() -> dict[str, Any]:
        facts = kept.read_facts()
        authentication = facts["authentication"]
        return {
            "facts": facts,
            "authenticated_how": _words_of(visit, authentication["method"]) if authentication else "",
            "authenticated_at": parse_instant(authentication["authenticated_at"]) if authentication else None,
            "is_reversed": taken_back,
            "is_signed": kept.signer is not None,
            "is_published": kept.visibility == PUBLISHED,
            "pdf_sha256": kept.pdf_sha256.hex() if kept.pdf_sha256 else "",
            "code": typed,
            "action": f"{visit.prefix}/certificates/{facts['number']}",
        }

    if typed:
        return visit.show("certificate.html", **make())
    return visit.show_once_made("certificate.html", (kept.leaf_index, kept.pdf_sha256, taken_back), make)


def _words_of(visit: Visit, method: str) -> str:
    """This program's own ways in words; what another wrote stands as it is."""
    words = METHOD_WORDS.get(method)
    return method if words is None else visit.say(words)


def _unknown(visit: Visit, asked: str, action: str, wrong: str) -> Response:
    said = {"title": visit.say(_UNKNOWN), "text": visit.say(_UNKNOWN_TEXT)}
    return visit.show("missing.html", 404, **said, asked=asked, action=action, wrong=wrong)


def _read_code(visit: Visit) -> tuple[str | None, str]:
    """The code, and what is to be said about it where it does not open anything."""
    try:
        code = visit.code
    except FormatError as error:
        return None, visit.say(error.message)
    return code, visit.say(N_("The code does not open this.")) if code else ""


CERTIFICATE_PATTERN = "/certificates/{number}"
CERTIFICATE_PATH = re.compile(r"(?P<english>/en)?/certificates/(?P<number>[^/]+)")


def _page(answer: Answer, language: str) -> Callable[[Request], Any]:
    async def respond(request: Request) -> Response:
        return await _respond(request.app.state.service, request, answer, language, request.path_params)

    return respond


async def answer_certificate(service: Service, request: Request) -> Response:
    """What the route of CERTIFICATE_PATTERN answers a GET of CERTIFICATE_PATH, in either language."""
    found = CERTIFICATE_PATH.fullmatch(request.scope["path"])
    assert found is not None  # noqa: S101 - whoever calls this has looked
    language = "en" if found["english"] else "zh_CN"
    return await _respond(service, request, show_certificate, language, {"number": found["number"]})


async def _respond(
    service: Service, request: Request, answer: Answer, language: str, places: Mapping[str, str]
) -> Response:
    path = request.scope["path"].removeprefix(PREFIXES[language]) or "/"
    visit = Visit(service, language, path, dict(places), {})
    # Before anything is read.
    try:
        service.visitors.let_in(request.client.host if request.client else None, request.headers)
    except Problem as problem:
        title = visit.say(N_("Too many requests"))
        text = visit.say(N_("Too many requests came from your address. Wait a minute and try again."))
        busy = visit.show("missing.html", 429, title=title, text=text, asked="", action="", wrong="")
        busy.headers["Retry-After"] = str(problem.retry_after)
        return busy
    return await run_in_threadpool(answer, replace(visit, form=await read_form(request)))


async def _static(request: Request) -> Response:
    found = static_answer(request.path_params["name"])
    if found is None or request.url.path != static_url(request.path_params["name"]):
        raise Problem("not-found")
    return found


_PAGES: tuple[tuple[str, Answer, tuple[str, ...]], ...] = (
    ("/", show_home, ("GET",)),
    ("/find", find, ("POST",)),
    (CERTIFICATE_PATTERN, show_certificate, ("GET", "POST")),
    ("/certificates/{number}/certificate.pdf", give_pdf, ("GET", "POST")),
    ("/certificates/{number}/proof.zip", give_proof, ("GET", "POST")),
    ("/digests/{digest}", show_digest, ("GET", "POST")),
    ("/anchors/{hash}", show_anchor, ("GET",)),
    ("/check", show_check, ("GET",)),
)

page_routes = [
    Route(
        (PREFIXES[language] + path).removesuffix("/") or "/", _page(answer, language), methods=list(methods)
    )
    for language in LANGUAGES
    for path, answer, methods in _PAGES
] + [Route("/static/{digest}/{name}", _static, methods=["GET"])]
