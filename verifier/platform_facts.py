"""What whoever runs a notary says of itself: qualifications, and what bears on its neutrality (formats §3).

It is the platform's own word, signed by the issuer. Whether it is true no signature can tell: a fact may name
the paper that shows it, by its SHA-256.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .canonical import from_hex, parse_instant, require_fields
from .enrolment import open_document, sign_document
from .errors import FormatError
from .event import check_text
from .signature import PrivateKey, PublicKey

PLATFORM_PAYLOAD_TYPE = "application/vnd.mizheng.platform.v1+json"
PLATFORM_TYPE = "mizheng/platform/v1"
QUALIFICATIONS = ("filing", "protection", "cryptography")
"""备案, 等级保护, 商用密码应用安全性评估."""
NEUTRALITY = ("nodes", "keys", "shareholding", "administration")
"""Who runs nodes, who holds keys, whose the platform is, who may administer it."""
ABOUT = (*QUALIFICATIONS, *NEUTRALITY, "other")
# A page of a report; a platform with more says it in a paper and names its digest.
MAX_FACTS = 100


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that the platform says of itself."""

    about: str
    """Of ABOUT."""
    text: str
    expires_at: str | None
    """Until when it counts, an instant; None where it has no end."""
    sha256: str | None
    """Of the paper that shows it, hex."""

    def tell(self, now: int | None) -> str:
        """For people; `now`, seconds since 1970, tells what has run out."""
        end = f" (until {self.expires_at})" if self.expires_at else ""
        if self.has_expired(now):
            end = f" (EXPIRED {self.expires_at})"
        paper = f" [SHA-256 {self.sha256}]" if self.sha256 else ""
        return f"{self.about}: {self.text}{end}{paper}"

    def has_expired(self, now: int | None) -> bool:
        return now is not None and self.expires_at is not None and now >= parse_instant(self.expires_at)


@dataclass(frozen=True, slots=True)
class PlatformFacts:
    """What the platform says of itself, as of an instant of its own clock."""

    operator: str
    """The legal name of whoever runs it."""
    stated_at: str
    facts: Sequence[Fact]

    def sign(self, issuer: PrivateKey) -> bytes:
        """The envelope's bytes, member platform.dsse.json; FormatError for what nobody could read."""
        fields = {
            "operator": self.operator,
            "stated_at": self.stated_at,
            "facts": [asdict(fact) for fact in self.facts],
        }
        _read(fields)
        return sign_document(PLATFORM_TYPE, PLATFORM_PAYLOAD_TYPE, fields, issuer)


def parse_platform(data: bytes) -> tuple[PlatformFacts, PublicKey]:
    """The facts and their signer, the signature checked; whether the signer is trusted is not."""
    required = {"operator": str, "stated_at": str, "facts": list}
    fields, signer = open_document(data, PLATFORM_TYPE, PLATFORM_PAYLOAD_TYPE, required)
    return _read(fields), signer


def _read(fields: dict[str, Any]) -> PlatformFacts:
    parse_instant(fields["stated_at"])
    if not 0 < len(fields["facts"]) <= MAX_FACTS:
        raise FormatError("a platform that states nothing of itself, or too much")
    facts = tuple(_read_fact(value) for value in fields["facts"])
    return PlatformFacts(check_text(fields["operator"]), fields["stated_at"], facts)


def _read_fact(value: Any) -> Fact:
    none = type(None)
    fields = {"about": str, "text": str, "expires_at": (str, none), "sha256": (str, none)}
    found = require_fields(value, fields)
    if found["about"] not in ABOUT:
        raise FormatError("a fact about something that no platform states")
    check_text(found["text"])
    if found["expires_at"] is not None:
        parse_instant(found["expires_at"])
    if found["sha256"] is not None:
        from_hex(found["sha256"], 32)
    return Fact(found["about"], found["text"], found["expires_at"], found["sha256"])
