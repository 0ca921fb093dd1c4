"""DSSE envelopes: exactly the signatures that the type demands, over the encoding of the standard."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mizheng.verifier import dsse
from mizheng.verifier.canonical import dump, from_base64, parse, to_base64
from mizheng.verifier.dsse import MAX_ENVELOPE_BYTES, pre_authentication_encoding, sign
from mizheng.verifier.dsse import parse as parse_envelope
from mizheng.verifier.errors import FormatError, LimitError, SignatureError, VersionError
from mizheng.verifier.signature import PrivateKey

from tests.support.scale import scaled

TYPE = "application/vnd.mizheng.statement.v1+json"
KEY, OTHER = PrivateKey.generate(), PrivateKey.generate("p256")
TWICE_SIGNED = sign(b"payload", TYPE, KEY, OTHER)


def test_the_encoding_of_the_standard() -> None:
    """The example of the DSSE protocol document."""
    assert (
        pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pre_authentication_encoding("", b"") == b"DSSEv1 0  0 "
    assert pre_authentication_encoding("密", b"\0") == "DSSEv1 3 密 1 \0".encode()


@pytest.mark.parametrize("key", [KEY, OTHER], ids=["ed25519", "p256"])
def test_an_envelope_is_read_back(key: PrivateKey) -> None:
    data = sign(b"payload", TYPE, key)
    envelope = parse_envelope(data, TYPE)
    assert envelope.verify(key.public) == b"payload" == envelope.payload
    assert envelope.sha256 == hashlib.sha256(data).hexdigest()
    ((keyid, signature),) = envelope.signatures
    assert keyid == key.public.keyid
    key.public.verify(signature, pre_authentication_encoding(TYPE, b"payload"))


def test_two_signatures_where_two_are_due() -> None:
    data = sign(b"payload", TYPE, KEY, OTHER)
    envelope = parse_envelope(data, TYPE, signatures=2)
    assert envelope.verify(KEY.public, OTHER.public) == b"payload"
    for keys in ((OTHER.public, KEY.public), (KEY.public,), (KEY.public, KEY.public), ()):
        with pytest.raises(SignatureError):
            envelope.verify(*keys)
    for count in (1, 3):
        with pytest.raises(FormatError):
            parse_envelope(data, TYPE, signatures=count)


def test_a_keyid_is_that_of_the_key_that_checks() -> None:
    """A good signature under another key's name is refused: one envelope, one way to be right."""
    value = parse(sign(b"payload", TYPE, KEY))
    assert isinstance(value, dict)
    value["signatures"][0]["keyid"] = OTHER.public.keyid
    envelope = parse_envelope(dump(value), TYPE)
    for key in (KEY, OTHER):
        with pytest.raises(SignatureError):
            envelope.verify(key.public)


def test_type_and_payload_are_both_signed() -> None:
    value = parse(sign(b"payload", TYPE, KEY))
    assert isinstance(value, dict)
    other_payload = {**value, "payload": to_base64(b"Payload")}
    other_type = {**value, "payloadType": "application/json"}
    with pytest.raises(SignatureError):
        parse_envelope(dump(other_payload), TYPE).verify(KEY.public)
    with pytest.raises(SignatureError):
        parse_envelope(dump(other_type), "application/json").verify(KEY.public)


@pytest.mark.parametrize(
    ("found", "error"),
    [
        ("application/vnd.mizheng.statement.v2+json", VersionError),
        ("application/vnd.mizheng.statement.v10+json", VersionError),
        ("application/vnd.mizheng.statement.v0+json", FormatError),
        ("application/vnd.mizheng.statement.v01+json", FormatError),
        ("application/vnd.mizheng.statement.v1", FormatError),
        ("application/vndXmizheng.statement.v2+json", FormatError),
        ("application/vnd.mizheng.bundle.v1+json", FormatError),
        ("Application/vnd.mizheng.statement.v1+json", FormatError),
        ("", FormatError),
    ],
)
def test_an_envelope_of_another_type(found: str, error: type[FormatError]) -> None:
    with pytest.raises(error) as caught:
        parse_envelope(sign(b"{}", found, KEY), TYPE)
    assert type(caught.value) is error


def changed(**fields: object) -> bytes:
    value = parse(sign(b"payload", TYPE, KEY))
    assert isinstance(value, dict)
    return dump({**value, **fields})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        sign(b"payload", TYPE, KEY) + b"\n",
        changed(alg="ed25519"),
        changed(signatures=[]),
        changed(signatures={}),
        changed(signatures=[{}]),
        changed(signatures=[{"keyid": KEY.public.keyid}]),
        changed(signatures=[{"keyid": KEY.public.keyid, "sig": 1}]),
        changed(signatures=[{"keyid": "", "sig": ""}]),
        changed(signatures=[{"keyid": KEY.public.keyid.upper(), "sig": ""}]),
        changed(signatures=[{"keyid": KEY.public.keyid, "sig": "", "cert": ""}]),
        changed(signatures=[None]),
        changed(payload=None),
        changed(payload="cGF5bG9hZA"),
        changed(payload="cGF5bG9hZB=="),
        changed(payloadType=None),
    ],
)
def test_what_is_no_envelope(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_envelope(data, TYPE)


def test_limits_on_both_sides() -> None:
    size = len(sign(b"", TYPE, KEY))
    payload = bytes((MAX_ENVELOPE_BYTES - size) // 4 * 3)
    assert parse_envelope(sign(payload, TYPE, KEY), TYPE).verify(KEY.public) == payload
    larger = sign(payload + bytes(3), TYPE, KEY)
    with pytest.raises(LimitError):
        parse_envelope(larger, TYPE)
    assert parse_envelope(larger, TYPE, max_bytes=2 * MAX_ENVELOPE_BYTES).payload == payload + bytes(3)


def test_envelopes_have_one_spelling() -> None:
    data = sign(b"payload", TYPE, KEY)
    value = parse(data)
    assert isinstance(value, dict)
    assert dump(value) == data
    assert from_base64(value["payload"]) == b"payload"


@settings(max_examples=scaled(100, 5000), deadline=None)
@given(st.integers(0, 700), st.binary(max_size=2), st.integers(0, 2))
def test_the_short_way_reads_what_the_long_way_reads(place: int, put: bytes, taken: int) -> None:
    """The same envelope, or the same error, of whatever changed bytes."""
    place %= len(TWICE_SIGNED)
    data = TWICE_SIGNED[:place] + put + TWICE_SIGNED[place + taken :]
    found = []
    for pattern in (dsse._ENVELOPE, re.compile("(?!)")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dsse, "_ENVELOPE", pattern)
            try:
                found.append(parse_envelope(data, TYPE, signatures=(1, 2)))
            except FormatError as error:
                found.append((type(error), str(error)))
    assert found[0] == found[1]


def test_a_sound_envelope_is_read_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dsse, "parse_object", None)
    assert parse_envelope(TWICE_SIGNED, TYPE, signatures=2).payload == b"payload"
