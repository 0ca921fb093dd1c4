"""What comes back: an acceptance for what was sent, a withdrawal of what was or may be received."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mizheng.cli.errors import DataFault, PermissionFault
from mizheng.cli.transfer import people, store
from mizheng.cli.transfer.documents import Withdrawal, parse_acceptance, parse_withdrawal
from mizheng.cli.transfer.handing import check_finished
from mizheng.cli.transfer.store import ReceivedTransfer, SentTransfer
from mizheng.verifier.errors import FormatError, MizhengError


def import_document(home: Path, data: bytes) -> SentTransfer | Withdrawal:
    """Keep an acceptance or a withdrawal; DataFault for anything else or a wrong signature."""
    try:
        parse_withdrawal(data)
    except FormatError:
        return import_acceptance(home, data)
    except MizhengError as error:
        raise _useless(error) from error
    return store.keep_withdrawal(home, data)


def import_acceptance(home: Path, data: bytes) -> SentTransfer:
    """Keep the acceptance of a transfer of ours; PermissionFault when it is not the recipient who signed."""
    try:
        acceptance = parse_acceptance(data)
    except MizhengError as error:
        raise _useless(error) from error
    record = store.load(home, SentTransfer, acceptance.transfer_sha256)
    if record is None:
        raise DataFault("this accepts a transfer that was not sent from here", "import it where it was sent")
    if record.acceptance is not None:
        return record
    # That of his card then, or of a later one that was confirmed since.
    expected = {record.recipient_key, _key_of_today(home, record)} - {None}
    if not expected:
        raise PermissionFault(
            "the key that signs for {name} is not known here",
            "ask him for his card: mizheng recipients add {name} CARD, then confirm it",
            name=record.transfer.recipient,
        )
    if acceptance.public_key.to_base64() not in expected:
        raise PermissionFault(
            "this acceptance is signed by another key than that of {name}",
            "ask him whether he signed it; nothing was recorded",
            name=record.transfer.recipient,
        )
    if people.is_revoked(home, acceptance.public_key):
        raise PermissionFault(
            "this acceptance is signed by a key of {name} that was revoked here",
            "add and confirm his new card, then send it again: mizheng send --again {id}",
            name=record.transfer.recipient,
            id=record.id[:16],
        )
    check_finished(record, acceptance.custody)
    return store.change(home, record, acceptance=data)


def describe(record: SentTransfer | ReceivedTransfer, now: str) -> dict[str, Any]:
    """One transfer for a program."""
    transfer = record.transfer
    is_sent = isinstance(record, SentTransfer)
    acceptance = parse_acceptance(record.acceptance) if record.acceptance else None
    return {
        "direction": "sent" if is_sent else "received",
        "id": record.id,
        "sender": transfer.sender,
        "recipient": transfer.recipient,
        "matter": transfer.matter,
        "purpose": transfer.purpose,
        "files": [item.name for item in transfer.files],
        "created_at": transfer.created_at,
        "expires_at": transfer.expires_at,
        "replaces": transfer.replaces,
        "state": record.state(now),
        "accepted_at": acceptance.accepted_at if acceptance else None,
        "verdict": acceptance.verdict if acceptance else None,
        "is_trial": acceptance.is_trial if acceptance else None,
        "handed_over": bool(acceptance and acceptance.custody),
        "file": record.file if isinstance(record, SentTransfer) else record.folder,
        "mailbox": record.mailbox,
    }


def _key_of_today(home: Path, record: SentTransfer) -> str | None:
    known = people.load(home, record.transfer.recipient)
    return known.confirmed.public_key if known and known.confirmed else None


def _useless(error: MizhengError) -> DataFault:
    return DataFault(
        "this is neither an acceptance nor a withdrawal that can be believed: {reason}",
        "ask whoever signed it for it again",
        reason=str(error),
    )
