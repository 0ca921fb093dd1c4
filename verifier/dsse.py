"""DSSE envelopes (secure-systems-lab/dsse v1.0): canonical JSON {payload, payloadType, signatures}.

Exactly as many signatures as the type demands, each `keyid` that of the key that checks, the
algorithm always the key's and never a field.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .ahead import Signed
from .canonical import dump, from_base64, other_type, parse_object, require_fields, to_base64
from .errors import FormatError, SignatureError
from .signature import PrivateKey, PublicKey, require_keyid

# A statement is about one kilobyte; platform facts with long names may take some tens.
MAX_ENVELOPE_BYTES = 64 * 1024

_SIGNATURE = re.compile(r'\{"keyid":"([0-9a-f]{64})","sig":"([A-Za-z0-9+/=]*)"\}')
# A sound envelope: what this matches is canonical (`plain` says why), and needs no parsing.
_ENVELOPE = re.compile(
    r'\{"payload":"([A-Za-z0-9+/=]*)","payloadType":"([!#-\[\]-~]*)",'
    rf'"signatures":\[({_SIGNATURE.pattern}(?:,{_SIGNATURE.pattern})*)\]\}}'
)


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
        for key, (keyid, signature) in zip(keys, self.signatures, strict=True):
            if keyid != key.keyid:
                raise SignatureError("the signature names another key than the one that should sign")
            key.verify(signature, self.message)
        return self.payload

    @property
    def message(self) -> bytes:
        """What each of them signed."""
        return pre_authentication_encoding(self.payload_type, self.payload)

    def signed(self, *keys: PublicKey) -> Iterator[Signed]:
        """The signatures that `verify` checks, if each of `keys` made one."""
        for key, (_keyid, signature) in zip(keys, self.signatures, strict=False):
            yield key.spki, signature, self.message


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
    payload, found_type, items = _read(data, max_bytes)
    if found_type != payload_type:
        raise other_type(found_type, payload_type)
    if len(items) not in counts:
        raise FormatError("expected {count} signatures", count=" / ".join(map(str, counts)))
    pairs = tuple(_read_signature(item) for item in items)
    return Envelope(from_base64(payload), payload_type, pairs, hashlib.sha256(data).hexdigest())


def _read(data: bytes, max_bytes: int) -> tuple[str, str, list[Any]]:
    """Payload and type as written, and the signatures: pairs of strings, or JSON not looked at yet."""
    if len(data) <= max_bytes and data.isascii():
        match = _ENVELOPE.fullmatch(data.decode("ascii"))
        if match:
            return match[1], match[2], _SIGNATURE.findall(match[3])
    fields = parse_object(data, {"payload": str, "payloadType": str, "signatures": list}, max_bytes=max_bytes)
    return fields["payload"], fields["payloadType"], fields["signatures"]


def _read_signature(item: Any) -> tuple[str, bytes]:
    if not isinstance(item, tuple):
        require_fields(item, {"keyid": str, "sig": str})
        item = require_keyid(item["keyid"]), item["sig"]
    keyid, signature = item
    return keyid, from_base64(signature)
