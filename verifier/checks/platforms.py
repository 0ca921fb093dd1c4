"""What the platform says of itself: whether its issuer, who enrolled the depositor's key, signed it."""

from __future__ import annotations

from ..dsse import MAX_ENVELOPE_BYTES
from ..members import PLATFORM
from ..platform_facts import PlatformFacts, parse_platform
from ..words import N_
from .context import Context

_CODE = "platform.facts"


def check_platform(context: Context) -> None:
    """Signed by an issuer whom the reader knows, of the very platform that this deposit lies with."""
    findings = context.findings
    if not context.bundle.has(PLATFORM):
        findings.not_provided(_CODE)
        return
    found = findings.attempt(
        _CODE, PLATFORM, lambda: parse_platform(context.bundle.read(PLATFORM, MAX_ENVELOPE_BYTES))
    )
    if found is None:
        return
    stated, signer = found
    issuer = context.trust.issuer(signer) if context.trust else None
    if issuer is None:
        findings.not_checked(_CODE, PLATFORM, N_("the issuer is not in a trust file"))
    elif context.issuer is None or context.issuer.name != issuer.name:
        message = N_("the platform that speaks of itself is not the one that enrolled the key")
        findings.not_checked(_CODE, PLATFORM, message)
    else:
        findings.passed(
            _CODE,
            PLATFORM,
            N_("by the own word of {operator}, {stated_at}: {words}"),
            operator=stated.operator,
            stated_at=stated.stated_at,
            words="; ".join(fact.tell(context.now) for fact in stated.facts),
            about=_list_subjects(stated, context.now, has_expired=False),
            ended=_list_subjects(stated, context.now, has_expired=True),
        )


def _list_subjects(stated: PlatformFacts, now: int | None, *, has_expired: bool) -> str:
    """About what there are facts that still count, or that have run out; each once."""
    facts = (fact for fact in stated.facts if fact.has_expired(now) is has_expired)
    return ", ".join(dict.fromkeys(fact.about for fact in facts))
