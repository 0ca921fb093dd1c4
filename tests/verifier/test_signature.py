"""Keys and signatures: where libraries disagree, a point or a number made for the case decides."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from mizheng.verifier import sodium
from mizheng.verifier.errors import FormatError, KeyFormatError, SignatureError
from mizheng.verifier.signature import PrivateKey, PublicKey, require_keyid

from tests.support import ed25519
from tests.support.signatures import (
    NOT_STRICT,
    P256_ORDER,
    compressed_spki,
    der_sequence,
    not_strict,
    small_order_encodings,
)

MESSAGE = b"a message"

# RFC 8032 §7.1, tests 1 to 3: public key, message, signature.
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
        "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da0"
        "85ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac1"
        "8ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


def ed_key(raw: bytes) -> PublicKey:
    return PublicKey(ed25519.spki(raw))


def refused(key: PublicKey, sig: bytes, message: bytes = MESSAGE) -> bool:
    try:
        key.verify(sig, message)
    except SignatureError:
        return True
    return False


@pytest.fixture(autouse=True, params=["libsodium first", "OpenSSL alone"])
def _libraries(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is good and what is not hangs on no library."""
    if request.param == "OpenSSL alone":
        monkeypatch.setattr(sodium, "accepts", lambda *_: False)


# Ed25519


@pytest.mark.parametrize(("key", "message", "sig"), RFC_8032)
def test_vectors_of_rfc_8032(key: str, message: str, sig: str) -> None:
    public, data, signature = ed_key(bytes.fromhex(key)), bytes.fromhex(message), bytes.fromhex(sig)
    public.verify(signature, data)
    assert refused(public, signature, data + b"x")
    for place in range(64):
        assert refused(
            public, signature[:place] + bytes([signature[place] ^ 1]) + signature[place + 1 :], data
        )
    assert ed25519.is_byte_equal(bytes.fromhex(key), signature, data)


@pytest.fixture(scope="module")
def secret() -> int:
    return int.from_bytes(hashlib.sha512(b"secret").digest(), "little") % ed25519.L


@pytest.fixture(scope="module")
def public(secret: int) -> bytes:
    return ed25519.encode(ed25519.multiply(secret, ed25519.BASE))


def honest(secret: int, public: bytes, message: bytes = MESSAGE, nonce: int = 12345) -> bytes:
    r = ed25519.encode(ed25519.multiply(nonce, ed25519.BASE))
    return ed25519.signature(r, nonce, secret, public, message)


def test_signatures_made_by_hand_are_good(secret: int, public: bytes) -> None:
    ed_key(public).verify(honest(secret, public), MESSAGE)


def test_s_not_below_the_group_order(secret: int, public: bytes) -> None:
    sig = honest(secret, public)
    s = int.from_bytes(sig[32:], "little")
    for multiple in range(1, 15):
        larger = s + multiple * ed25519.L
        assert refused(ed_key(public), sig[:32] + larger.to_bytes(32, "little"))
    assert refused(ed_key(public), sig[:32] + ed25519.L.to_bytes(32, "little"))


@pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 128])
def test_another_length(secret: int, public: bytes, length: int) -> None:
    sig = honest(secret, public)
    assert refused(ed_key(public), (sig + sig)[:length])


def test_there_are_fourteen_encodings_of_small_order() -> None:
    assert len(set(ed25519.torsion())) == 8
    assert len(small_order_encodings()) == 14


@pytest.mark.parametrize("raw", small_order_encodings(), ids=lambda raw: raw.hex())
def test_a_key_of_small_order(raw: bytes) -> None:
    with pytest.raises(KeyFormatError):
        ed_key(raw)


@pytest.mark.parametrize("y", range(19))
@pytest.mark.parametrize("sign", [0, 1])
def test_a_key_that_is_not_canonically_encoded(y: int, sign: int) -> None:
    with pytest.raises(KeyFormatError):
        ed_key((ed25519.P + y | sign << 255).to_bytes(32, "little"))


def test_a_key_of_mixed_order_is_decided_by_the_equation_on_bytes(secret: int, public: bytes) -> None:
    """[S]B − [k]A' differs from R by [k]T: good where k is a multiple of T's order, refused elsewhere."""
    for torsion, order in zip(ed25519.torsion()[1:], (8, 4, 8, 2, 8, 4, 8), strict=True):
        mixed = ed25519.encode(ed25519.add(ed25519.decode(public), torsion))
        key = ed_key(mixed)
        outcomes = set()
        for number in range(40):
            message = b"%d" % number
            sig = honest(secret, mixed, message)
            expected = ed25519.challenge(sig[:32], mixed, message) % order == 0
            assert refused(key, sig, message) is not expected
            outcomes.add(expected)
            if number < 2:
                assert ed25519.is_byte_equal(mixed, sig, message) is expected
        assert outcomes == {True, False}


def test_r_of_mixed_order_is_refused(secret: int, public: bytes) -> None:
    """A verifier that multiplies by the cofactor would take it."""
    for torsion in ed25519.torsion()[1:]:
        r = ed25519.encode(ed25519.add(ed25519.multiply(7, ed25519.BASE), torsion))
        sig = ed25519.signature(r, 7, secret, public, MESSAGE)
        assert not ed25519.is_byte_equal(public, sig, MESSAGE)
        assert refused(ed_key(public), sig)


def test_r_is_compared_as_bytes(secret: int, public: bytes) -> None:
    """The neutral point as R checks in its canonical form, and in none of its others."""
    canonical = ed25519.encode(ed25519.IDENTITY)
    ed_key(public).verify(ed25519.signature(canonical, 0, secret, public, MESSAGE), MESSAGE)
    for raw in small_order_encodings():
        if raw != canonical:
            assert refused(ed_key(public), ed25519.signature(raw, 0, secret, public, MESSAGE))


# ECDSA


@pytest.fixture(scope="module")
def p256() -> PrivateKey:
    return PrivateKey.generate("p256")


def test_what_is_signed_has_low_s(p256: PrivateKey) -> None:
    for number in range(20):
        sig = p256.sign(b"%d" % number)
        p256.public.verify(sig, b"%d" % number)
        assert decode_dss_signature(sig)[1] <= P256_ORDER // 2


def test_high_s_is_refused(p256: PrivateKey) -> None:
    """It checks in every library: a second signature that the key's holder never made."""
    r, s = decode_dss_signature(p256.sign(MESSAGE))
    assert refused(p256.public, encode_dss_signature(r, P256_ORDER - s))


@pytest.mark.parametrize("case", NOT_STRICT)
def test_a_signature_that_is_not_strict_der(p256: PrivateKey, case: str) -> None:
    r, s = decode_dss_signature(p256.sign(MESSAGE))
    sig = not_strict(case, r, s)
    assert sig != p256.sign(MESSAGE)
    assert refused(p256.public, sig)


# Keys


def spki(key: object, **form: object) -> bytes:
    return key.public_bytes(  # type: ignore[attr-defined,no-any-return]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def test_keys_in_another_spelling_of_der(public: bytes) -> None:
    """One key has one keyid: another spelling would be another name for it."""
    honest = ed25519.spki(public)
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    wrong = [
        honest + b"\0",
        honest[:-1],
        b"\x30\x81\x2a" + honest[2:],
        der_sequence(bytes.fromhex("3007" + "06032b6570" + "0500") + b"\x03\x21\x00" + public),
        honest.replace(b"\x03\x21\x00", b"\x03\x21\x01"),
        compressed_spki(key),
        b"",
        b"\0" * 44,
        public,
    ]
    PublicKey(spki(key))
    for data in wrong:
        with pytest.raises(KeyFormatError):
            PublicKey(data)


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()).public_key(),
        ec.generate_private_key(ec.SECP256K1()).public_key(),
        rsa.generate_private_key(65537, 2048).public_key(),
        x25519.X25519PrivateKey.generate().public_key(),
    ],
    ids=["P-384", "secp256k1", "RSA", "X25519"],
)
def test_a_key_of_another_algorithm(key: object) -> None:
    with pytest.raises(KeyFormatError):
        PublicKey(spki(key))


def test_a_point_that_is_not_on_the_curve(p256: PrivateKey) -> None:
    data = bytearray(p256.public.spki)
    data[-1] ^= 1
    with pytest.raises(KeyFormatError):
        PublicKey(bytes(data))


@pytest.mark.parametrize("algorithm", ["ed25519", "p256"])
def test_a_private_key_survives_its_file(algorithm: str) -> None:
    key = PrivateKey.generate(algorithm)  # type: ignore[arg-type]
    assert key.public.algorithm == algorithm
    for password in (None, "口令".encode()):
        again = PrivateKey.from_pem(key.to_pem(password), password)
        assert again.public == key.public
        again.public.verify(key.sign(MESSAGE), MESSAGE)
    for password in (None, b"wrong"):
        with pytest.raises(KeyFormatError):
            PrivateKey.from_pem(key.to_pem(b"right"), password)


@pytest.mark.parametrize(
    "pem", [b"", b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", b"\0" * 50]
)
def test_a_private_key_that_cannot_be_read(pem: bytes) -> None:
    with pytest.raises(KeyFormatError):
        PrivateKey.from_pem(pem)


def test_private_keys_of_other_algorithms_are_refused() -> None:
    for key in (ec.generate_private_key(ec.SECP384R1()), x25519.X25519PrivateKey.generate()):
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with pytest.raises(KeyFormatError):
            PrivateKey.from_pem(pem)


def test_a_private_key_does_not_show_itself() -> None:
    key = PrivateKey.generate()
    assert "PrivateKey object" in repr(key)


def test_the_keyid_is_that_of_the_der(public: bytes) -> None:
    key = ed_key(public)
    assert key.keyid == hashlib.sha256(ed25519.spki(public)).hexdigest()
    assert key.raw == public
    assert PublicKey.from_base64(key.to_base64()) == key
    assert require_keyid(key.keyid) == key.keyid
    for text in (key.keyid.upper(), key.keyid[:-2], "", None, 1):
        with pytest.raises(FormatError):
            require_keyid(text)


def test_only_ed25519_keys_have_raw_bytes(p256: PrivateKey) -> None:
    with pytest.raises(KeyFormatError):
        _ = p256.public.raw
