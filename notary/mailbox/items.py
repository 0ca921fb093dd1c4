"""Items: left by a company, fetched by whoever has the token or is the addressee, withdrawn, expired.

Whoever may not see an item is told the same as if there were none: `mailbox-unknown`. So nobody learns what
lies here for others, nor whether an addressee is a company of this notary.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Any

from mizheng.notary.companies.api_keys import Caller
from mizheng.notary.errors import Problem
from mizheng.notary.mailbox.files import PART_BYTES, count_parts
from mizheng.notary.mailbox.setup import MailboxSetup
from mizheng.notary.mailbox.tables import mailbox_items
from mizheng.notary.models import organisations
from mizheng.verifier.canonical import format_instant
from sqlalchemy import Connection, and_, func, insert, or_, select, update

OPEN, KEPT, WITHDRAWN, EXPIRED = "open", "kept", "withdrawn", "expired"
_DAY = 24 * 3600
_CURSOR = re.compile(r"([0-9]{1,12})-([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Leaving:
    """What somebody wants to leave."""

    size: int
    sha256: bytes
    token_sha256: bytes
    days: int
    addressee: str | None


def create_item(connection: Connection, caller: Caller, asked: Leaving, setup: MailboxSetup, now: int) -> Any:
    """A place for it, nothing of it there yet; Problem when it goes beyond a limit."""
    if not 0 < asked.size <= setup.item_bytes or not 0 < asked.days <= setup.days:
        raise Problem(
            "mailbox-limit",
            f"an item has at most {setup.item_bytes} bytes and lies at most {setup.days} days",
        )
    # Two requests of one company at the same moment are counted one after the other.
    own = select(organisations.c.id).where(organisations.c.id == caller.organisation_id).with_for_update()
    connection.execute(own)
    lying = mailbox_items.c.state.in_((OPEN, KEPT))
    columns = (func.count(), func.coalesce(func.sum(mailbox_items.c.size), 0))
    mine = mailbox_items.c.organisation_id == caller.organisation_id
    count, size = connection.execute(select(*columns).where(lying, mine)).one()
    if count >= setup.company_items or size + asked.size > setup.company_bytes:
        raise Problem(
            "mailbox-limit",
            f"a company has at most {setup.company_items} items and {setup.company_bytes} bytes lying here",
        )
    total = connection.execute(select(columns[1]).where(lying)).scalar_one()
    if total + asked.size > setup.total_bytes:
        raise Problem("mailbox-full", retry_after=3600)
    item = secrets.token_hex(16)
    connection.execute(
        insert(mailbox_items).values(
            id=item,
            organisation_id=caller.organisation_id,
            addressee=asked.addressee,
            token_sha256=asked.token_sha256,
            size=asked.size,
            sha256=asked.sha256,
            state=OPEN,
            created_at=now,
            touched_at=now,
            expires_at=now + asked.days * _DAY,
        )
    )
    return find_own(connection, caller, item)


def find_own(connection: Connection, caller: Caller, item: str) -> Any:
    """The row of an item that the caller left; Problem `mailbox-unknown` otherwise."""
    row = _find(connection, item)
    if row is None or row.organisation_id != caller.organisation_id:
        raise Problem("mailbox-unknown")
    return row


def find_for(connection: Connection, caller: Caller | None, token: str | None, item: str) -> Any:
    """The row of an item that lies whole for whoever shows its token, or is its addressee."""
    row = _find(connection, item)
    if row is None or row.state == OPEN or not (_has_token(row, token) or _is_addressee(row, caller)):
        raise Problem("mailbox-unknown")
    return row


def require_there(row: Any, now: int) -> None:
    """Problem `mailbox-withdrawn` or `mailbox-expired` for an item that is there no more."""
    if row.state == WITHDRAWN:
        raise Problem("mailbox-withdrawn")
    if row.state == EXPIRED or row.expires_at < now:
        raise Problem("mailbox-expired")


def touch(connection: Connection, item: str, now: int) -> None:
    """A part of it came."""
    connection.execute(update(mailbox_items).where(mailbox_items.c.id == item).values(touched_at=now))


def finish(connection: Connection, item: str) -> None:
    """All of it is there."""
    changed = mailbox_items.c.id == item, mailbox_items.c.state == OPEN
    connection.execute(update(mailbox_items).where(*changed).values(state=KEPT))


def withdraw(connection: Connection, row: Any, document: bytes) -> None:
    """Its sender takes it back; Problem `mailbox-answered` for another word than was kept."""
    _say_once(connection, row, "withdrawal", document, state=WITHDRAWN)


def accept(connection: Connection, row: Any, document: bytes) -> None:
    """The first word of its recipient stands; Problem `mailbox-answered` for a second one."""
    _say_once(connection, row, "acceptance", document)


def _say_once(connection: Connection, row: Any, column: str, document: bytes, **values: str) -> None:
    """Keep a word that nobody said before. Of two at the same moment the second waits here, and finds it."""
    kept = mailbox_items.c[column]
    place = mailbox_items.c.id == row.id
    query = update(mailbox_items).where(place, kept.is_(None)).values({column: document, **values})
    is_kept = connection.execute(query).rowcount == 1
    if not is_kept and connection.execute(select(kept).where(place)).scalar() != document:
        raise Problem("mailbox-answered")


def list_items(
    connection: Connection, caller: Caller, box: str, after: str | None, limit: int
) -> tuple[list[Any], str | None]:
    """A page of what the caller left (`sent`) or what lies for him (`received`), and where the next is."""
    table = mailbox_items.c
    wanted = (
        table.organisation_id == caller.organisation_id
        if box == "sent"
        else and_(table.addressee == address_of(caller), table.state != OPEN)
    )
    query = select(mailbox_items).where(wanted)
    if after is not None:
        found = _CURSOR.fullmatch(after)
        if found is None:
            raise Problem("cursor-wrong")
        at, item = int(found[1]), found[2]
        query = query.where(or_(table.created_at > at, and_(table.created_at == at, table.id > item)))
    rows = list(connection.execute(query.order_by(table.created_at, table.id).limit(limit + 1)))
    more = rows[limit - 1] if len(rows) > limit else None
    return rows[:limit], f"{more.created_at}-{more.id}" if more is not None else None


def describe(row: Any, now: int) -> dict[str, Any]:
    """The fields of MailboxItem."""
    is_over = row.state == KEPT and row.expires_at < now
    return {
        "id": row.id,
        "state": EXPIRED if is_over else row.state,
        "size": row.size,
        "sha256": row.sha256.hex(),
        "part_bytes": PART_BYTES,
        "parts": count_parts(row.size),
        "created_at": format_instant(row.created_at),
        "expires_at": format_instant(row.expires_at),
        "withdrawn": row.withdrawal is not None,
        "answered": row.acceptance is not None,
    }


def address_of(caller: Caller) -> str:
    return f"{caller.depositor.id_scheme}:{caller.depositor.id}"


def _find(connection: Connection, item: str) -> Any:
    return connection.execute(select(mailbox_items).where(mailbox_items.c.id == item)).one_or_none()


def _has_token(row: Any, token: str | None) -> bool:
    # Hashed before it is compared: how long it takes tells nothing of the token.
    digest = hashlib.sha256(token.encode()).digest() if token is not None else b""
    return hmac.compare_digest(row.token_sha256, digest)


def _is_addressee(row: Any, caller: Caller | None) -> bool:
    return caller is not None and row.addressee is not None and row.addressee == address_of(caller)
