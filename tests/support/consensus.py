"""What the Python verifier says of evidence of validator seals, in a form in which two verifiers compare.

{"outcome": "PASS" | "FAIL" | "NOT_CHECKED", "message": message id, "values": {...}}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mizheng.verifier.consensus.proofs import PROOFS, Roots
from mizheng.verifier.consensus.validators import parse_validators
from mizheng.verifier.errors import MizhengError, NotBelievedError, VersionError

SEALS = next(proof for proof in PROOFS if proof.group == "seals")


def answer(data: bytes, validators: Sequence[Any]) -> dict[str, Any]:
    """What is to be said of this evidence under these rows of a trust file."""
    try:
        found = SEALS.read(data).judge(Roots(parse_validators(validators)))
    except MizhengError as error:
        is_open = isinstance(error, (NotBelievedError, VersionError))
        return {
            "outcome": "NOT_CHECKED" if is_open else "FAIL",
            "message": error.message,
            "values": {
                key: value if isinstance(value, int) else str(value) for key, value in error.values.items()
            },
        }
    return {
        "outcome": "PASS",
        "message": "block {number}, sealed by {by}; {needed} are needed",
        "values": {
            "number": found.number,
            "by": found.who,
            "needed": found.needed,
            "hash": found.hash.hex(),
        },
    }
