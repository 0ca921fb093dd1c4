"""What the last audit of a log saw: pinned key, newest checkpoint, entries checked. Whole or not at all.

The checkpoint was proven to extend every earlier one when it was written here, and the entries before
`audited` were compared with a tree that it extends. So a later audit, also one that was interrupted, goes on
at `audited` whatever the log has grown to since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mizheng.cli.auditing.heads import SignedHead, open_head
from mizheng.cli.errors import DataFault, InputFault, WaitingFault
from mizheng.cli.files import write_private
from mizheng.verifier.canonical import Json, dump, from_hex, other_type, parse, require_fields
from mizheng.verifier.errors import FormatError, KeyFormatError, MizhengError
from mizheng.verifier.logkeys import parse_key_change
from mizheng.verifier.note import NoteVerifier

STATE_TYPE = "mizheng/audit-state/v1"


@dataclass(frozen=True, slots=True)
class ChainPlace:
    """Up to which block a contract's events for one log were read."""

    chain_id: int
    genesis_hash: bytes
    contract: bytes
    log_id: bytes
    next_block: int


@dataclass(frozen=True, slots=True)
class State:
    """One log, as seen by this auditor."""

    head: SignedHead
    audited: int
    """Leading entries that were hashed and compared."""
    unknown: int
    """How many of them are of a format that this software does not know."""
    chains: tuple[ChainPlace, ...] = ()
    key_changes: tuple[bytes, ...] = ()
    """Changes of the log's key that were held against the tree: each is the only one of its old key."""


def default_path(home: Path, address: str) -> Path:
    """Where the state of a log is kept unless --since names a file: one file an address."""
    parts = urlsplit(address)
    plain = address.rstrip("/") if parts.scheme else str(Path(address).resolve())
    name = parts.hostname if parts.scheme and parts.hostname else Path(plain).name
    kept = "".join(char if char.isalnum() or char in "-." else "-" for char in name or "log")[:60]
    return home / "audits" / f"{kept}-{hashlib.sha256(plain.encode()).hexdigest()[:16]}.json"


@contextmanager
def only_audit(path: Path) -> Iterator[None]:
    """Hold the state for one audit; WaitingFault while another one runs with it.

    A file beside it is locked: the state itself is replaced with every save.
    """
    try:
        import fcntl
    except ImportError:
        # A system without such locks: whoever saves last wins.
        yield
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = path.with_name(path.name + ".lock").open("ab")
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error
    with file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WaitingFault(
                "another audit is running with the state {name}",
                "wait for it, or name another file with --since",
                name=str(path),
            ) from error
        yield


def load_state(path: Path, verifiers: tuple[NoteVerifier, ...]) -> State | None:
    """The state, None where there is none yet; its checkpoint must be signed by its pinned key.

    DataFault when it is not a state of ours, or pins a key that `verifiers` (if any) does not hold.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error
    try:
        fields = require_fields(
            parse(data),
            {"type": str, "vkey": str, "checkpoint": str, "audited": int, "unknown": int, "chains": list},
            {"key_changes": list},
        )
        if fields["type"] != STATE_TYPE:
            raise other_type(fields["type"], STATE_TYPE)
        pinned = NoteVerifier.from_vkey(fields["vkey"])
        head = open_head(fields["checkpoint"].encode(), [pinned])
        chains = tuple(_place(item) for item in fields["chains"])
        changes = tuple(_key_change(item) for item in fields.get("key_changes", []))
        if not 0 <= fields["unknown"] <= fields["audited"] <= head.size:
            raise FormatError("more entries checked than the checkpoint has")
    except (KeyFormatError, MizhengError) as error:
        raise DataFault(
            "{name} is not the state of an audit: {reason}",
            "without it the audit starts again from the first entry",
            name=str(path),
            reason=str(error),
        ) from error
    if verifiers and pinned.name not in {verifier.name for verifier in verifiers}:
        raise DataFault(
            "{name} is the state of another log, {origin}",
            "name another file with --since",
            name=str(path),
            origin=pinned.name,
        )
    return State(head, fields["audited"], fields["unknown"], chains, changes)


def save_state(path: Path, state: State) -> None:
    """Put the state in place; after a power cut the old or the new one stands there."""
    chains: list[Json] = [
        {
            "chain_id": place.chain_id,
            "genesis_hash": place.genesis_hash.hex(),
            "contract": place.contract.hex(),
            "log_id": place.log_id.hex(),
            "next_block": place.next_block,
        }
        for place in state.chains
    ]
    value: Json = {
        "type": STATE_TYPE,
        "vkey": state.head.verifier.vkey,
        "checkpoint": state.head.note.decode(),
        "audited": state.audited,
        "unknown": state.unknown,
        "chains": chains,
        # As long as there is none, earlier releases can read it.
        **({"key_changes": [note.decode() for note in state.key_changes]} if state.key_changes else {}),
    }
    write_private(path, dump(value))


def _key_change(value: object) -> bytes:
    if not isinstance(value, str):
        raise FormatError("expected a string")
    note = value.encode()
    parse_key_change(note)
    return note


def _place(value: object) -> ChainPlace:
    fields = require_fields(
        value, {"chain_id": int, "genesis_hash": str, "contract": str, "log_id": str, "next_block": int}
    )
    return ChainPlace(
        fields["chain_id"],
        from_hex(fields["genesis_hash"], 32),
        from_hex(fields["contract"], 20),
        from_hex(fields["log_id"], 32),
        fields["next_block"],
    )
