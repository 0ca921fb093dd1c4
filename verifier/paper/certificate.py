"""The certificate 存证证书: the facts of one deposit, as the notary knows them, and no more.

The notary knows no file, no name and no content, so the certificate speaks of a statement and of the
commitment in it. It is a document in two languages, whatever the language of who asks for it. The
proof members go with it as attachments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..canonical import parse_instant
from .clock import both_times
from .names import breakable, visible
from .typesetting import qr_code, typeset


@dataclass(frozen=True, slots=True)
class Authentication:
    """How the depositor's key was tied to the depositor."""

    method: str
    """What the issuer did, in his own words, from the enrolment."""
    authenticated_at: str
    """RFC 3339 UTC, from the enrolment."""
    issuer: str
    """Name of the issuer, as the notary's trust export calls it."""


@dataclass(frozen=True, slots=True)
class ProvenInstant:
    """An instant and what it is taken from."""

    at: int
    """Seconds since 1970."""
    by: str
    """Such as `block 17 of example chain`, or `time-stamp token of Example TSA`: shown as it stands."""


@dataclass(frozen=True, slots=True)
class AnchorFacts:
    """Where a checkpoint that covers the deposit stands on a chain."""

    chain_name: str
    chain_kind: str
    """Of formats §7; `trial` makes the whole certificate one for trying."""
    chain_id: int
    genesis_hash: str
    """Hex, as all hashes and addresses here, with or without 0x as it is to be printed."""
    contract: str
    log_id: str
    transaction_hash: str | None
    """For look-up only: nothing proves it."""
    height: int
    block_hash: str
    block_at: int
    """The block's own time, seconds since 1970."""
    tree_size: int
    finality: str
    """The rule by which the block counts as final, and by whose view."""
    observers: tuple[str, ...] = ()
    """Who signed that this block belongs to the chain; empty is printed as none."""


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """An RFC 3161 token over a checkpoint that covers the deposit."""

    authority: str
    latest_at: int
    """genTime plus accuracy, seconds since 1970."""
    serial: str = ""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """All that a certificate says. Text is set as it stands, never as markup."""

    number: str
    """The certificate's number with its check characters, grouped as people read it."""
    lookup_code: str
    """The code that opens the certificate's page; printed, and never in the QR code."""
    holder: str
    """The depositor's legal name, from the statement."""
    holder_id_scheme: str
    """Such as CN-USCC."""
    holder_id: str
    operator: str | None
    """经办人, from the statement; None is printed as not named."""
    authentication: Authentication | None
    """None: the name is the depositor's own claim, and the certificate says so."""
    holder_keyid: str
    """Hex keyid of the key that signed the statement."""
    commitment: str
    """Hex, 32 bytes."""
    envelope_sha256: str
    """Hex, 32 bytes."""
    leaf_index: int
    """The entry's place in the log, counted from 0."""
    log_origin: str
    checkpoint: str
    """The text of the checkpoint that the facts below rest on: origin, size, root."""
    checkpoint_keyid: str
    """Hex key id (4 bytes) of the log key that signed it."""
    witnesses: tuple[str, ...]
    """Who cosigned it; empty is printed as none."""
    claimed_at: int
    """The depositor's own clock, seconds since 1970: a claim."""
    not_before: ProvenInstant | None
    """The block that the statement names, from the statement."""
    not_after: ProvenInstant | None
    """The earliest of canonical blocks and valid tokens."""
    anchors: tuple[AnchorFacts, ...]
    tokens: tuple[TokenFacts, ...]
    issuer: str
    """The notary's name."""
    issuer_keyid: str
    """Hex SHA-256 of the SubjectPublicKeyInfo of the key that signs the PDF; empty while unsigned."""
    issued_at: int
    """Seconds since 1970; also the PDF's date."""
    attachments: Mapping[str, bytes] = field(default_factory=dict)
    """Proof members by their name in a bundle (formats §8)."""

    @property
    def is_trial(self) -> bool:
        return any(anchor.chain_kind == "trial" for anchor in self.anchors)


def qr_text(number: str, envelope_sha256: str) -> str:
    """What the QR code holds: the number, a space, the envelope's digest; nothing else."""
    return f"{number} {envelope_sha256}"


def make_certificate(facts: CertificateFacts) -> bytes:
    """The unsigned PDF; PaperError when the extra `pdf` is not installed."""
    return typeset("certificate", _data(facts), facts.issued_at)


def attachment_name(member: str) -> str:
    """A member's name as an attachment: one that every PDF reader can save."""
    return member.replace("/", "-")


def _data(facts: CertificateFacts) -> dict[str, Any]:
    authentication = facts.authentication
    return {
        **_shown(
            facts, "number", "lookup_code", "holder_keyid", "commitment", "envelope_sha256", "leaf_index"
        ),
        **_shown(facts, "log_origin", "checkpoint_keyid", "issuer", "issuer_keyid", "holder_id_scheme"),
        "trial": facts.is_trial,
        # The document's own: what it is about, for programs.
        "keywords": [facts.envelope_sha256, visible(facts.number)],
        "qr": qr_code(qr_text(facts.number, facts.envelope_sha256)),
        "holder": breakable(facts.holder),
        "holder_id": breakable(facts.holder_id),
        "operator": None if facts.operator is None else breakable(facts.operator),
        "authentication": authentication
        and {
            "word": authentication.method,
            "method": breakable(authentication.method),
            "issuer": breakable(authentication.issuer),
            "at": both_times(parse_instant(authentication.authenticated_at)),
        },
        "checkpoint": [breakable(line) for line in facts.checkpoint.splitlines()],
        "witnesses": [breakable(name) for name in facts.witnesses],
        "claimed_at": both_times(facts.claimed_at),
        "not_before": _instant(facts.not_before),
        "not_after": _instant(facts.not_after),
        "anchors": [
            {key: _value(value) for key, value in asdict(anchor).items()}
            | {"block_at": both_times(anchor.block_at)}
            for anchor in facts.anchors
        ],
        "tokens": [
            {
                "authority": breakable(token.authority),
                "serial": visible(token.serial),
                "latest_at": both_times(token.latest_at),
            }
            for token in facts.tokens
        ],
        "issued_at": both_times(facts.issued_at),
        "attachments": [
            {
                "name": attachment_name(name),
                "sha256": hashlib.sha256(data).hexdigest(),
                # JSON has no bytes.
                "data": list(data),
            }
            for name, data in sorted(facts.attachments.items())
        ],
    }


def _shown(facts: CertificateFacts, *names: str) -> dict[str, str]:
    return {name: breakable(getattr(facts, name)) for name in names}


def _value(value: object) -> Any:
    if isinstance(value, tuple):
        return [breakable(item) for item in value]
    return None if value is None else breakable(value)


def _instant(instant: ProvenInstant | None) -> dict[str, Any] | None:
    return None if instant is None else {"at": both_times(instant.at), "by": breakable(instant.by)}
