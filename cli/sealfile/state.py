"""Where a seal stands: `sealed`, then `deposit`, then the notary's `evidence`; one line of the file each
time.

A state line carries the SHA-256 of its state's canonical JSON. It is not encrypted: what it says, the notary
has as well, so that a deposit can be followed without opening the seal.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from mizheng.cli.sealfile.box import WrappedKey, parse_wrapped_key
from mizheng.verifier.canonical import dump, parse, require_fields
from mizheng.verifier.errors import FormatError

STATE_START = b'{"sha256":'
# Evidence with several anchors on busy chains takes a few MiB.
MAX_STATE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Sealed:
    """What sealing computed; hex strings as in the statement."""

    body_sha256: str
    """Over everything in the file before the first state."""
    body_size: int
    commitment: str
    contents: list[int]
    """Number, offset and length of the segment that says where the others are."""
    public_key: str
    root_hash: str
    tree_size: int


@dataclass(frozen=True, slots=True)
class Deposit:
    """An envelope that was, or is about to be, sent."""

    envelope: str
    id: str
    notary: str
    answer: dict[str, Any] | None
    """{leaf_index, received_at, tlog_proof}, checked; null until then."""


@dataclass(frozen=True, slots=True)
class State:
    """`keys`: the seal's key again, for recipients added after sealing."""

    sealed: Sealed
    deposit: Deposit | None = None
    evidence: dict[str, Any] | None = None
    keys: tuple[WrappedKey, ...] = ()

    def with_deposit(self, deposit: Deposit) -> State:
        return replace(self, deposit=deposit)

    def dump(self) -> bytes:
        """The line with its LF."""
        value: dict[str, Any] = {
            "sealed": _fields(self.sealed),
            "deposit": _fields(self.deposit) if self.deposit else None,
            "evidence": self.evidence,
            "keys": [key.fields() for key in self.keys],
        }
        digest = hashlib.sha256(dump(value)).hexdigest()
        return dump({"sha256": digest, "state": value}) + b"\n"


def parse_state(line: bytes) -> State:
    """A state from its line without LF; FormatError when it is not exactly what `dump` writes."""
    fields = require_fields(parse(line, max_bytes=MAX_STATE_BYTES), {"sha256": str, "state": dict})
    value = require_fields(
        fields["state"],
        {"sealed": dict, "deposit": (dict, type(None)), "evidence": (dict, type(None)), "keys": list},
    )
    if hashlib.sha256(dump(value)).hexdigest() != fields["sha256"]:
        raise FormatError("a state whose digest does not match")
    try:
        sealed = Sealed(**value["sealed"])
        deposit = Deposit(**value["deposit"]) if value["deposit"] is not None else None
    except TypeError as error:
        raise FormatError("a state with other fields than this version knows") from error
    if len(sealed.contents) != 3:
        raise FormatError("a state with other fields than this version knows")
    return State(sealed, deposit, value["evidence"], tuple(map(parse_wrapped_key, value["keys"])))


def _fields(value: Sealed | Deposit) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}
