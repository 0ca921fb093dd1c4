"""DSSE envelopes (secure-systems-lab/dsse v1.0): canonical JSON {payload, payloadType, signatures}.

Exactly as many signatures as the type demands, each `keyid` that of the key that checks, the
algorithm always the key's and never a field.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from .canonical import dump, from_base64, other_type, parse_object, require_fields, to_base64
from .errors import FormatError, SignatureError
from .signature import PrivateKey, PublicKey, require_keyid

# A statement is about one kilobyte; platform facts with long names may take some tens.
MAX_ENVELOPE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Envelope:
    """A parsed envelope whose signatures are not yet checked."""

    payload: bytes
    payload_type: str
    signatures: tuple[tuple[str, bytes], ...]
    """(keyid, signature bytes) in the order written."""
    sha256: str
    """Hex SHA-256 of the envelope's bytes: what the log entry names."""

    def verify(self, *keys: PublicKey) -> bytes:
        """Return the payload if signature i is keys[i]'s, for all of them; SignatureError otherwise."""
        if len(keys) != len(self.signatures):
            raise SignatureError("expected {count} signatures", count=len(keys))
        message = pre_authentication_encoding(self.payload_type, self.payload)
        for key, (keyid, signature) in zip(keys, self.signatures, strict=True):
            if keyid != key.keyid:
                raise SignatureError("the signature names another key than the one that should sign")
            key.verify(signature, message)
        return self.payload


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: `DSSEv1 SP len(type) SP type SP len(body) SP body`."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, payload_type: str, *keys: PrivateKey) -> bytes:
    """Return the canonical bytes of an envelope signed by each of `keys`, in order."""
    message = pre_authentication_encoding(payload_type, payload)
    signatures = [{"keyid": key.public.keyid, "sig": to_base64(key.sign(message))} for key in keys]
    return dump({"payload": to_base64(payload), "payloadType": payload_type, "signatures": signatures})


def parse(
    data: bytes,
    payload_type: str,
    *,
    signatures: int | tuple[int, ...] = 1,
    max_bytes: int = MAX_ENVELOPE_BYTES,
) -> Envelope:
    """Parse an envelope of this type with exactly this many signatures; FormatError otherwise.

    Several numbers: the payload says which of them is due, and `Envelope.verify` asks for that one.
    """
    counts = (signatures,) if isinstance(signatures, int) else signatures
    fields = parse_object(data, {"payload": str, "payloadType": str, "signatures": list}, max_bytes=max_bytes)
    if fields["payloadType"] != payload_type:
        raise other_type(fields["payloadType"], payload_type)
    if len(fields["signatures"]) not in counts:
        raise FormatError("expected {count} signatures", count=" / ".join(map(str, counts)))
    pairs = []
    for item in fields["signatures"]:
        require_fields(item, {"keyid": str, "sig": str})
        pairs.append((require_keyid(item["keyid"]), from_base64(item["sig"])))
    return Envelope(
        from_base64(fields["payload"]), payload_type, tuple(pairs), hashlib.sha256(data).hexdigest()
    )
