"""A key in a hardware security module, through PKCS #11 (OASIS, version 2.40).

The module signs a digest with CKM_ECDSA and says r and s. Two things that Ethereum wants it does not know:
the low s of EIP-2 (of the two values that both check, the smaller one), and which of two public keys the
signature recovers to. Both are worked out here, from the public key.

A module that was restarted has forgotten its session: one failed signature opens a new one, a second is an
error that anchoring waits for. The PIN is in this process's memory alone and in no message of ours.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from mizheng.notary.chain.signers.interface import ORDER, SignerError, address_of
from mizheng.notary.errors import ConfigurationError

# DER of the object identifier 1.3.132.0.10 (SEC 2 §A.2.1): what CKA_EC_PARAMS says of a key on secp256k1.
_SECP256K1 = bytes.fromhex("06052b8104000a")
# An uncompressed point stands in the DER OCTET STRING that the standard asks for; some modules leave it out.
_POINT_HEAD = bytes.fromhex("0441")


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where the key is."""

    module: str
    """Path of the module's PKCS #11 library."""
    token: str
    """The token's label."""
    key: str
    """The label of the key pair."""
    pin: str = field(repr=False)


class Pkcs11Signer:
    """A secp256k1 key that never leaves its module."""

    def __init__(self, place: KeyPlace) -> None:
        """Open the module; ConfigurationError if the key cannot be found in it with what `place` says."""
        self._place = place
        self._lock = threading.Lock()
        self._session: Any = None
        self._key: Any = None
        pkcs11 = _library()
        try:
            public = self._open()
        except pkcs11.exceptions.PKCS11Error as error:
            self._close()
            raise ConfigurationError(
                "the publisher's key cannot be reached in token {token} ({kind})",
                hint="check [signer] in notary.toml, the PIN, and that the module is running",
                token=place.token,
                kind=type(error).__name__,
            ) from None
        self._public = public
        self.address: bytes = address_of(public)

    def __repr__(self) -> str:
        return f"Pkcs11Signer({self.address.hex()})"

    def sign_digest(self, digest: bytes) -> tuple[int, int, int]:
        pkcs11 = _library()
        with self._lock:
            try:
                signature = self._sign(digest)
            except pkcs11.exceptions.PKCS11Error:
                # The session may have ended with the module's restart. Once more, with a new one.
                try:
                    self._close()
                    if self._open() != self._public:
                        raise SignerError("another key stands in the token under the publisher's label")
                    signature = self._sign(digest)
                except pkcs11.exceptions.PKCS11Error as error:
                    raise SignerError(
                        "the security module does not sign ({kind})", kind=type(error).__name__
                    ) from None
        return _as_ethereum(signature, digest, self._public)

    def close(self) -> None:
        with self._lock:
            self._close()

    # Below: the lock is held, or nobody else has the object yet

    def _sign(self, digest: bytes) -> bytes:
        return bytes(self._key.sign(digest, mechanism=_library().Mechanism.ECDSA))

    def _open(self) -> bytes:
        """Log in and find the key pair; the public key, 64 bytes."""
        pkcs11, place = _library(), self._place
        token = pkcs11.lib(place.module).get_token(token_label=place.token)
        try:
            self._session = token.open(user_pin=place.pin)
        except pkcs11.exceptions.UserAlreadyLoggedIn:
            # A login counts for the whole process (§6.7.4): another session of ours has made it.
            self._session = token.open()
        wanted = {"label": place.key, "key_type": pkcs11.KeyType.EC}
        self._key = self._session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, **wanted)
        public = self._session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, **wanted)
        if bytes(public[pkcs11.Attribute.EC_PARAMS]) != _SECP256K1:
            raise ConfigurationError("the key {key} is not on the curve secp256k1", key=place.key)
        return _point(bytes(public[pkcs11.Attribute.EC_POINT]))

    def _close(self) -> None:
        session, self._session, self._key = self._session, None, None
        if session is not None:
            try:
                session.close()
            except _library().exceptions.PKCS11Error:
                # It has ended already; that is why it is closed.
                return


def _library() -> Any:
    try:
        import pkcs11
    except ImportError:
        raise ConfigurationError(
            "a key in a security module needs the package python-pkcs11",
            hint="pip install 'mizheng[hsm]'",
        ) from None
    return pkcs11


def _point(attribute: bytes) -> bytes:
    point = attribute.removeprefix(_POINT_HEAD) if len(attribute) == 67 else attribute
    if len(point) != 65 or point[0] != 4:
        raise ConfigurationError("the security module does not give the public key as an uncompressed point")
    return point[1:]


def _as_ethereum(signature: bytes, digest: bytes, public: bytes) -> tuple[int, int, int]:
    """Low s, and the recovery id: of the two, the one that gives the public key back."""
    from eth_keys.datatypes import Signature
    from eth_keys.exceptions import BadSignature

    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    s = min(s, ORDER - s)
    for recovery in (0, 1):
        try:
            found = Signature(vrs=(recovery, r, s)).recover_public_key_from_msg_hash(digest)
        except BadSignature:
            continue
        if found.to_bytes() == public:
            return r, s, recovery
    # Never sent: a transaction with it would come from some other account.
    raise SignerError("what the security module signed does not check against its public key")
