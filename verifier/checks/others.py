"""The page that may be enclosed."""

from __future__ import annotations

from ..members import PAGE
from ..words import N_
from .context import Context


def check_page(context: Context) -> None:
    """The enclosed page is one that the trust file names as published: a convenience, never evidence."""
    findings = context.findings
    if not context.bundle.has(PAGE):
        findings.not_provided("page.digest")
        return
    digest = findings.attempt("page.digest", PAGE, lambda: context.bundle.sha256(PAGE))
    if digest is None:
        return
    if context.trust is None:
        findings.not_checked("page.digest", PAGE, N_("no trust file was given"))
        return
    release = next((item for item in context.trust.releases if item.sha256 == digest), None)
    if release is None:
        message = N_("the trust file does not name this page as published")
        findings.not_checked("page.digest", PAGE, message, sha256=digest)
    else:
        findings.passed("page.digest", PAGE, N_("published as {name}"), name=release.name, sha256=digest)
