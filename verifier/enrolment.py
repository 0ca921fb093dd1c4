"""Who signed: enrolments, revocations and key status, signed by an issuer (formats §3).

Each document names its signer's key, so that a broken signature is always told apart from the
signature of an issuer that the trust file does not know.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from . import dsse
from .canonical import dump, parse_instant, parse_typed
from .errors import FormatError
from .signature import PrivateKey, PublicKey, require_keyid
from .statement import Depositor, parse_depositor

ENROLMENT_PAYLOAD_TYPE = "application/vnd.mizheng.enrolment.v1+json"
REVOCATION_PAYLOAD_TYPE = "application/vnd.mizheng.revocation.v1+json"
KEY_STATUS_PAYLOAD_TYPE = "application/vnd.mizheng.key-status.v1+json"
ENROLMENT_TYPE = "mizheng/enrolment/v1"
REVOCATION_TYPE = "mizheng/revocation/v1"
KEY_STATUS_TYPE = "mizheng/key-status/v1"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An issuer says: this key is this depositor's, authenticated so, then. A log entry."""

    public_key: PublicKey
    depositor: Depositor
    method: str
    authenticated_at: str
    replaces: str | None
    """keyid of the key this one follows: rotation, loss, a renamed or merged company."""

    def sign(self, issuer: PrivateKey) -> bytes:
        """The envelope's bytes."""
        return sign_document(
            ENROLMENT_TYPE,
            ENROLMENT_PAYLOAD_TYPE,
            {
                "public_key": self.public_key.to_base64(),
                "depositor": self.depositor.to_json(),
                "method": self.method,
                "authenticated_at": self.authenticated_at,
                "replaces": self.replaces,
            },
            issuer,
        )


@dataclass(frozen=True, slots=True)
class Revocation:
    """An issuer says: nothing this key signs from this entry's index on counts. A log entry."""

    keyid: str
    reason: str
    revoked_at: str

    def sign(self, issuer: PrivateKey) -> bytes:
        """The envelope's bytes."""
        fields = {"keyid": self.keyid, "reason": self.reason, "revoked_at": self.revoked_at}
        return sign_document(REVOCATION_TYPE, REVOCATION_PAYLOAD_TYPE, fields, issuer)


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """An issuer says: in the log's first `as_of_size` entries, this key was revoked here or not at all."""

    keyid: str
    revoked_index: int | None
    as_of_size: int

    def sign(self, issuer: PrivateKey) -> bytes:
        """The envelope's bytes."""
        fields = {
            "keyid": self.keyid,
            "revoked_index": self.revoked_index,
            "as_of_size": self.as_of_size,
        }
        return sign_document(KEY_STATUS_TYPE, KEY_STATUS_PAYLOAD_TYPE, fields, issuer)


def enrolment_request(depositor: Depositor, keyid: str) -> bytes:
    """What a new key, and in a rotation the old one too, signs to be enrolled: this key for this company."""
    company = hashlib.sha256(f"{depositor.id_scheme}:{depositor.id}".encode()).hexdigest()
    return f"mizheng/enrol/v1\n{company}\n{keyid}".encode()


def parse_enrolment(data: bytes) -> tuple[Enrolment, PublicKey]:
    """The enrolment and its signer, the signature checked; whether the signer is trusted is not."""
    fields, signer = open_document(
        data,
        ENROLMENT_TYPE,
        ENROLMENT_PAYLOAD_TYPE,
        {
            "public_key": str,
            "depositor": dict,
            "method": str,
            "authenticated_at": str,
            "replaces": (str, type(None)),
        },
    )
    parse_instant(fields["authenticated_at"])
    if fields["replaces"] is not None:
        require_keyid(fields["replaces"])
    enrolment = Enrolment(
        PublicKey.from_base64(fields["public_key"]),
        parse_depositor(fields["depositor"]),
        fields["method"],
        fields["authenticated_at"],
        fields["replaces"],
    )
    return enrolment, signer


def parse_revocation(data: bytes) -> tuple[Revocation, PublicKey]:
    """The revocation and its signer, the signature checked."""
    required = {"keyid": str, "reason": str, "revoked_at": str}
    fields, signer = open_document(data, REVOCATION_TYPE, REVOCATION_PAYLOAD_TYPE, required)
    parse_instant(fields["revoked_at"])
    return Revocation(require_keyid(fields["keyid"]), fields["reason"], fields["revoked_at"]), signer


def parse_key_status(data: bytes) -> tuple[KeyStatus, PublicKey]:
    """The key status and its signer, the signature checked."""
    required = {"keyid": str, "revoked_index": (int, type(None)), "as_of_size": int}
    fields, signer = open_document(data, KEY_STATUS_TYPE, KEY_STATUS_PAYLOAD_TYPE, required)
    revoked, size = fields["revoked_index"], fields["as_of_size"]
    if size < 0 or (revoked is not None and not 0 <= revoked < size):
        raise FormatError("a key status whose revocation lies outside the log it speaks of")
    return KeyStatus(require_keyid(fields["keyid"]), revoked, size), signer


def sign_document(kind: str, payload_type: str, fields: dict[str, Any], signer: PrivateKey) -> bytes:
    """A document of this type that names its signer, in its envelope."""
    payload = dump({**fields, "type": kind, "signer": signer.public.to_base64()})
    return dsse.sign(payload, payload_type, signer)


def open_document(
    data: bytes, kind: str, payload_type: str, required: dict[str, Any]
) -> tuple[dict[str, Any], PublicKey]:
    """Its fields and its signer, the signature checked; whether the signer is trusted is not."""
    envelope = dsse.parse(data, payload_type)
    fields = parse_typed(envelope.payload, kind, {**required, "signer": str})
    signer = PublicKey.from_base64(fields["signer"])
    envelope.verify(signer)
    return fields, signer
