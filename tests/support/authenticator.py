"""A passkey authenticator in software: what a phone or a security key does, after the WebAuthn standard.

One credential each; ES256, attestation `none`. Its answers are those that `people.js` puts into a form.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

# WebAuthn §6.1: user present, user verified, attested credential data.
_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """`origin` is what the browser that holds it would say."""

    origin: str
    verifies: bool = True
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    number: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    handle: bytes = b""
    count: int = 0

    def create(self, options: str) -> str:
        asked = json.loads(options)
        self.handle = _bytes(asked["user"]["id"])
        client = self._client_data("webauthn.create", asked["challenge"])
        numbers = self.key.public_key().public_numbers()
        # RFC 9053 §7.1.1: kty EC2, alg ES256, crv P-256, x, y.
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.number).to_bytes(2, "big") + self.number + cbor2.dumps(public)
        data = self._authenticator_data(asked["rp"]["id"], _ATTESTED) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._pack({"attestationObject": _text(attestation), "clientDataJSON": _text(client)})

    def get(self, options: str, **changed: Any) -> str:
        asked = json.loads(options)
        client = self._client_data("webauthn.get", asked["challenge"])
        self.count += 1
        data = self._authenticator_data(asked["rpId"], 0)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "authenticatorData": _text(data),
            "clientDataJSON": _text(client),
            "signature": _text(signature),
            "userHandle": _text(self.handle),
        }
        return self._pack({**response, **changed})

    def _client_data(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _authenticator_data(self, host: str, flags: int) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.verifies else 0)
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _pack(self, response: dict[str, Any]) -> str:
        number = _text(self.number)
        return json.dumps({"id": number, "rawId": number, "type": "public-key", "response": response})
