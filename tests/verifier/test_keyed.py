"""The quick HMAC is that of the standard library."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mizheng.verifier.keyed import KeyedHash


@given(st.binary(max_size=64), st.binary(max_size=200), st.lists(st.binary(max_size=200), max_size=3))
def test_it_is_hmac_sha_256(key: bytes, beginning: bytes, messages: list[bytes]) -> None:
    keyed = KeyedHash(key, beginning)
    for message in messages:
        assert keyed.digest(message) == hmac.digest(key, beginning + message, "sha256")


def test_a_key_that_would_be_hashed_first_is_refused() -> None:
    with pytest.raises(ValueError, match="64"):
        KeyedHash(bytes(65), b"")
