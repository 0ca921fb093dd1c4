"""Headers of members' pages, beside those of all pages (OWASP ASVS 5.0, chapter 3)."""

from __future__ import annotations

from functools import lru_cache

from mizheng.notary.pages.render import BASE_POLICY, dump_policy
from mizheng.notary.people.setup import PeopleSetup

_TWO_YEARS = 63072000


@lru_cache(8)
def _headers(origin: str, providers: tuple[str, ...]) -> dict[str, str]:
    policy = {
        **BASE_POLICY,
        "script-src": "'self'",
        # A form may end at a provider, where the answer to it leads.
        "form-action": " ".join(("'self'", *providers)),
    }
    found = {
        "Content-Security-Policy": dump_policy(policy),
        # Without it browsers would hide from us that a form is ours.
        "Referrer-Policy": "same-origin",
        # publickey-credentials-…: for this page, and for nothing that it might hold.
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), "
        "publickey-credentials-create=(self), publickey-credentials-get=(self)",
    }
    if origin.startswith("https://"):
        found["Strict-Transport-Security"] = f"max-age={_TWO_YEARS}; includeSubDomains"
    return found


def people_headers(setup: PeopleSetup) -> dict[str, str]:
    return _headers(setup.origin, tuple(sorted({item.origin for item in setup.providers.values()})))
