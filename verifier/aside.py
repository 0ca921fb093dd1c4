"""The other process of `ahead`: reads signatures, and writes a byte for each that says whether it is good.

python -m mizheng.verifier.aside
"""

from __future__ import annotations

import sys
from functools import lru_cache

from .ahead import Signed, read_row
from .errors import MizhengError
from .signature import PublicKey

_key_of = lru_cache(1024)(PublicKey)


def main() -> None:
    """Until its input ends. The first byte says that it is there."""
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    answer = b"\x01"
    while True:
        answers.write(answer)
        answers.flush()
        row = read_row(questions)
        if row is None:
            return
        answer = bytes(map(is_good, row))


def is_good(signed: Signed) -> bool:
    """By the very code that would check it in the process that asks."""
    key, signature, message = signed
    try:
        _key_of(key).verify(signature, message)
    except MizhengError:
        return False
    return True


if __name__ == "__main__":
    main()
