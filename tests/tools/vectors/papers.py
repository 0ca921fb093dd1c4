"""Papers and the page for checking, as they lie in a bundle."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from mizheng.verifier.members import PAGE
from mizheng.verifier.trust import Trust
from mizheng.verifier.trusted import Release

from .case import Bundle, Case, Cases
from .setting import Members, Setting

# What it says is nobody's business but the browser's; its digest is what is compared.
_PAGE = b"<!doctype html>\n<title>verify</title>\n"
_PDF = b"%PDF-1.7\n%%EOF\n"
_PAPERS = (("certificate.pdf", "certificate.signature"), ("exhibits.pdf", "exhibits.list"))


def cases() -> list[Case]:
    return [*_pages(), *_papers()]


def enclosing(name: str, data: bytes, found: bytes | None = None) -> Callable[[Setting], Bundle]:
    """The sound bundle with this member; `found`: what stands in its place after the list was signed."""

    def build(s: Setting) -> Members:
        evidence = s.base_evidence(anchors=[], observations=())
        members = s.write(s.scene.first, evidence, extra_members={name: data})
        return members if found is None else {**members, name: found}

    return build


def _publishing(*pages: bytes) -> Callable[[Setting], Trust]:
    releases = tuple(
        Release(f"verify.html {number}", hashlib.sha256(page).hexdigest())
        for number, page in enumerate(pages, 1)
    )
    return lambda s: s.trust(releases=releases)


def _pages() -> list[Case]:
    found, code = Cases("page"), "page.digest"
    published = _publishing(b"another", _PAGE)
    found.passes("published", "a page that the trust file names", enclosing(PAGE, _PAGE), trust=published)
    found.passes(
        "not-published",
        "a page that the trust file does not name: nothing of the evidence rests on it",
        enclosing(PAGE, _PAGE),
        open=(code,),
        trust=_publishing(b"another"),
    )
    found.passes("nothing-published", "the trust file names no page", enclosing(PAGE, _PAGE), open=(code,))
    found.stays_open(
        "without-trust", "nobody says what was published", code, enclosing(PAGE, _PAGE), trust=None
    )
    found.fails(
        "exchanged",
        "a published page in the place of the one that the depositor listed",
        "bundle.members",
        enclosing(PAGE, b"another", _PAGE),
        trust=published,
    )
    found.fails(
        "changed",
        "one byte of the page is another",
        "bundle.members",
        enclosing(PAGE, _PAGE, _PAGE[:-1] + b" "),
        open=(code,),
        trust=published,
    )
    return found.all


def _papers() -> list[Case]:
    """The certificate is the notary's, and no part of what the depositor signed; the exhibit list is."""
    found = Cases("paper")
    for name, code in _PAPERS:
        kind = name.removesuffix(".pdf")
        why = f"enclosed {name}: its pages are for people to read"
        found.passes(f"{kind}-enclosed", why, enclosing(name, _PDF), open=(code,))
    found.fails(
        "exhibits-changed",
        "one byte of the exhibit list is another than the depositor listed",
        "bundle.members",
        enclosing("exhibits.pdf", _PDF, _PDF + b"\n"),
    )
    return found.all
