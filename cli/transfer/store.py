"""Transfers as both sides keep them: home/transfers/, one private file each.

    sent/ID.json          what was sent, with what became of it
    received/ID.json      what was received, with the acceptance that was signed
    withdrawn/ID-KEY.json a withdrawal that somebody signed, with his keyid

ID is the SHA-256 of the signed transfer. What is true if we die stands in `sending` and `receiving`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from mizheng.cli.errors import ConfigurationFault, InputFault, UsageFault
from mizheng.cli.files import write_private
from mizheng.cli.transfer.documents import (
    Transfer,
    Withdrawal,
    compute_id,
    parse_transfer,
    parse_withdrawal,
)
from mizheng.verifier.canonical import dump, from_base64, parse_typed, to_base64
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.signature import PublicKey

_LEAST_PREFIX = 6


@dataclass(frozen=True, slots=True)
class _Kept:
    """What both sides keep of it."""

    document: bytes
    """The signed transfer."""

    @property
    def id(self) -> str:
        return compute_id(self.document)

    @property
    def transfer(self) -> Transfer:
        return parse_transfer(self.document)


@dataclass(frozen=True, slots=True)
class SentTransfer(_Kept):
    """One transfer as its sender keeps it."""

    reply_identity: str = field(repr=False)
    """Opens what comes back through a mailbox: the secret half of `reply_to`."""
    recipient_key: str | None
    """Base64 SPKI of the key that has to sign the acceptance; None where it is not known."""
    paths: tuple[str, ...]
    """Where the files lay, the bundle first: to send them again."""
    file: str | None = None
    """The age file that was written; None while it was not finished, or where it went to a mailbox."""
    size: int = 0
    sha256: str = ""
    """Of the age file."""
    mailbox: str | None = None
    """Name of the mailbox's item."""
    is_left: bool = False
    """Whether the mailbox has all of it."""
    token: str | None = field(default=None, repr=False)
    """Lets its holder fetch the item."""
    custody: bytes | None = None
    """The hand-over as the giver signed it."""
    seal: str | None = None
    """The seal whose chain of custody it continues, where this company keeps that chain."""
    is_recorded: bool = False
    """Whether the hand-over that came back stands in that chain."""
    acceptance: bytes | None = None
    withdrawal: bytes | None = None

    def state(self, now: str) -> str:
        """prepared, sent, accepted, withdrawn or expired; `now` is an instant, and those sort as text."""
        if self.withdrawal is not None:
            return "withdrawn"
        if self.acceptance is not None:
            return "accepted"
        if self.file is None and not self.is_left:
            return "prepared"
        return "expired" if self.transfer.expires_at < now else "sent"


@dataclass(frozen=True, slots=True)
class ReceivedTransfer(_Kept):
    """One transfer as its recipient keeps it."""

    folder: str
    received_at: str
    verdict: str
    is_trial: bool
    sender: str
    """Who the sender is, as far as it was found out."""
    acceptance: bytes | None = None
    mailbox: str | None = None

    def state(self, _now: str) -> str:
        return "received" if self.acceptance is None else "accepted"


Record = TypeVar("Record", SentTransfer, ReceivedTransfer)
_FOLDERS: dict[type, str] = {SentTransfer: "sent", ReceivedTransfer: "received"}
_BYTES = frozenset({"document", "custody", "acceptance", "withdrawal"})
_TEXT = (str, type(None))
_FIELDS: dict[type, dict[str, Any]] = {
    SentTransfer: {
        **dict.fromkeys(("document", "reply_identity", "sha256"), str),
        **dict.fromkeys(("recipient_key", "file", "mailbox", "token", "seal"), _TEXT),
        **dict.fromkeys(("custody", "acceptance", "withdrawal"), _TEXT),
        "paths": list,
        "size": int,
        **dict.fromkeys(("is_left", "is_recorded"), bool),
    },
    ReceivedTransfer: {
        **dict.fromkeys(("document", "folder", "received_at", "verdict", "sender"), str),
        **dict.fromkeys(("acceptance", "mailbox"), _TEXT),
        "is_trial": bool,
    },
}


def save(home: Path, record: Record) -> Record:
    """On the disk when this returns."""
    value: dict[str, Any] = {}
    for item in fields(record):
        content = getattr(record, item.name)
        content = to_base64(content) if isinstance(content, bytes) else content
        value[item.name] = list(content) if isinstance(content, tuple) else content
    kind = _FOLDERS[type(record)]
    write_private(_path(home, kind, record.id), dump({"type": f"mizheng/transfer-{kind}/v1", **value}))
    return record


def change(home: Path, record: Record, **changes: Any) -> Record:
    """Keep what became of it."""
    return save(home, replace(record, **changes))


def load_all(home: Path, kind: type[Record]) -> list[Record]:
    """Oldest first."""
    paths = _path(home, _FOLDERS[kind], "").parent.glob("*.json")
    return sorted((_read(path, kind) for path in paths), key=lambda one: (one.transfer.created_at, one.id))


def load(home: Path, kind: type[Record], identifier: str) -> Record | None:
    path = _path(home, _FOLDERS[kind], identifier)
    return _read(path, kind) if path.exists() else None


def find_sent(home: Path, prefix: str) -> SentTransfer:
    """The one whose identifier begins so; UsageFault or InputFault when it is not one."""
    if len(prefix) < _LEAST_PREFIX:
        raise UsageFault("name a transfer by at least {least} of its digits", least=_LEAST_PREFIX)
    found = [one for one in load_all(home, SentTransfer) if one.id.startswith(prefix.lower())]
    if len(found) != 1:
        raise InputFault(
            "{count} transfers begin with {value}",
            "mizheng transfers lists them",
            count=len(found),
            value=prefix[:64],
        )
    return found[0]


def keep_withdrawal(home: Path, document: bytes) -> Withdrawal:
    """A withdrawal of something sent to this person, whether or not he has it."""
    found = parse_withdrawal(document)
    write_private(_withdrawn(home, found.transfer_sha256, found.public_key), document)
    return found


def load_withdrawal(home: Path, document: bytes) -> Withdrawal | None:
    """That of a transfer, by the key that signed it: nobody else can withdraw it."""
    key = parse_transfer(document).public_key
    path = _withdrawn(home, compute_id(document), key)
    found = parse_withdrawal(path.read_bytes()) if path.exists() else None
    return found if found and found.public_key == key else None


def _withdrawn(home: Path, identifier: str, key: PublicKey) -> Path:
    return _path(home, "withdrawn", f"{identifier}-{key.keyid[:16]}")


def _path(home: Path, kind: str, identifier: str) -> Path:
    return home / "transfers" / kind / f"{identifier}.json"


def _read(path: Path, kind: type[Record]) -> Record:
    name = _FOLDERS[kind]
    try:
        value = parse_typed(path.read_bytes(), f"mizheng/transfer-{name}/v1", _FIELDS[kind])
        value.pop("type")
        for field_name, content in value.items():
            if field_name in _BYTES and content is not None:
                value[field_name] = from_base64(content)
            elif isinstance(content, list):
                value[field_name] = tuple(content)
        record = kind(**value)
        parse_transfer(record.document)
    except MizhengError as error:
        raise ConfigurationFault("{name} is damaged", "bring it back from a copy", name=str(path)) from error
    return record
