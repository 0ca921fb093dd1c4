"""Ed25519 by libsodium where it is installed: it finds a signature good in less than half of OpenSSL's time.

It can only say yes. What it does not find good, OpenSSL judges, so that verdicts are the same with it and
without. Its yes counts because it compares encode([S]B − [k]A) with the bytes of R, as OpenSSL does; were a
release to compare otherwise (with the cofactor, as some libraries do), the second of the signatures below
would be good to it, and it would not be asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

_KEY = bytes.fromhex("eccc1d4710a6728c99d4f0bd28e44a22e0262ec90d6167b72af7d58e5e3fb942")
_MESSAGE = b"mizheng"
_GOOD = bytes.fromhex(
    "0ceb1c47036b9c2e14e8f9f01cdd267a98d070911d755c841e0ee7602235a075"
    "09dd71c68c026fbfac03f259cb76116d05fef32c77e1e8f3ee2d89999b42030e"
)
# R has a part of order 8: [8]([S]B − [k]A) equals [8]R, and [S]B − [k]A does not equal R.
_GOOD_BY_THE_COFACTOR_ALONE = bytes.fromhex(
    "a355cc4509ab79ce56ce33f66c50c1565ba5fbd07f9fd1059698094088f43600"
    "9d2dc44b30315aa331e7cd04dffd88559ece6f9112222319b39c59ab248f2208"
)

Accepts = Callable[[bytes, bytes, bytes], bool]


def accepts(key: bytes, signature: bytes, message: bytes) -> bool:
    """True where libsodium finds the 64 bytes a signature by the key of 32; False says nothing of them."""
    return _find()(key, signature, message)


@cache
def _find() -> Accepts:
    try:
        from nacl.bindings import crypto_sign_open
        from nacl.exceptions import CryptoError
    except ImportError:
        return _never

    def ask(key: bytes, signature: bytes, message: bytes) -> bool:
        try:
            crypto_sign_open(signature + message, key)
        except CryptoError:
            return False
        return True

    return ask if is_like_openssl(ask) else _never


def is_like_openssl(accepts: Accepts) -> bool:
    """Whether it takes a good signature and refuses one that is good by the cofactor alone."""
    return accepts(_KEY, _GOOD, _MESSAGE) and not accepts(_KEY, _GOOD_BY_THE_COFACTOR_ALONE, _MESSAGE)


def _never(_key: bytes, _signature: bytes, _message: bytes) -> bool:
    return False
