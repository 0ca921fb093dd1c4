"""libsodium beside OpenSSL: it is asked first, it can only say yes, and only while it compares bytes."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from mizheng.verifier import sodium
from mizheng.verifier.errors import SignatureError
from mizheng.verifier.signature import PrivateKey

from tests.support import ed25519

KEY, MESSAGE = sodium._KEY, sodium._MESSAGE
GOOD, OTHER = sodium._GOOD, sodium._GOOD_BY_THE_COFACTOR_ALONE


@pytest.fixture
def _found_anew() -> Iterator[None]:
    sodium._find.cache_clear()
    yield
    sodium._find.cache_clear()


def equation(signature: bytes, factor: int) -> bool:
    """[factor][S]B = [factor]R + [factor][k]A"""
    r, key = ed25519.decode(signature[:32]), ed25519.decode(KEY)
    s = int.from_bytes(signature[32:], "little")
    k = ed25519.challenge(signature[:32], KEY, MESSAGE)
    left = ed25519.multiply(factor * s, ed25519.BASE)
    return left == ed25519.add(ed25519.multiply(factor, r), ed25519.multiply(factor * k, key))


def test_the_two_signatures_that_it_is_tried_with() -> None:
    assert equation(GOOD, 1)
    assert not equation(OTHER, 1)
    assert equation(OTHER, 8)


def test_it_is_installed_here_and_compares_bytes() -> None:
    assert sodium.accepts(KEY, GOOD, MESSAGE)
    assert not sodium.accepts(KEY, OTHER, MESSAGE)
    assert not sodium.accepts(KEY, GOOD, MESSAGE + b"x")
    assert sodium._find() is not sodium._never


def test_a_library_that_multiplies_by_the_cofactor_is_not_asked() -> None:
    assert sodium.is_like_openssl(lambda key, signature, message: signature == GOOD)
    assert not sodium.is_like_openssl(lambda key, signature, message: signature in (GOOD, OTHER))
    assert not sodium.is_like_openssl(lambda key, signature, message: False)


@pytest.mark.usefixtures("_found_anew")
def test_without_it_openssl_says_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nacl.bindings", None)
    assert not sodium.accepts(KEY, GOOD, MESSAGE)
    key = PrivateKey.generate()
    key.public.verify(key.sign(MESSAGE), MESSAGE)
    with pytest.raises(SignatureError):
        key.public.verify(key.sign(MESSAGE), MESSAGE + b"x")
