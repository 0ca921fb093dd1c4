"""Who is shown what: by a certificate's number, by a digest, by an anchor's transaction.

| without the code | by its number | by a digest |
| --- | --- | --- |
| withheld | as if there were none | as if there were none |
| masked, which is how each is issued | masked | as if there were none |
| published | whole | whole |

With the code all of them are whole, both ways. A digest alone opens no more than what is published: the
digest of an envelope stands in the public log, whose readers could otherwise ask for every deposit.
A transaction leads to its anchor, never to what is anchored by it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

from mizheng.notary.certificates.kept import (
    MASKED,
    PUBLISHED,
    Kept,
    find_by_digest,
    find_by_number,
)
from mizheng.notary.chain.tables import anchors, final_reversals
from mizheng.verifier.certificate_number import hash_code
from sqlalchemy import Connection, Row, or_, select

# Where there is no certificate the same work is done with these.
_NO_NUMBER, _NO_CODE, _NO_DIGEST = "0" * 20, "0" * 12, bytes(32)
_STARS = "＊＊＊"
_SHOWN_STATES = ("mined", "final")
# Built once: to put a statement together takes longer than to run this one.
_TAKEN_BACK = (
    select(final_reversals.c.block_hash)
    .select_from(final_reversals.join(anchors, final_reversals.c.anchor_id == anchors.c.id))
    # That somebody has looked brings the block back to nobody; that the anchor is final in it again does.
    .where(
        or_(
            anchors.c.state != "final",
            anchors.c.block_hash.is_(None),
            anchors.c.block_hash != final_reversals.c.block_hash,
        )
    )
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate that may be shown."""

    kept: Kept
    is_whole: bool
    """Everything: its facts, the PDF and the proof. Else no more than `masked_facts`."""
    is_opened: bool
    """By its code, and not because it is published."""


def show_by_number(connection: Connection, number: str, code: str | None) -> Shown | None:
    """What somebody with this number, and perhaps this code, may see. None for one that does not exist and
    for one that is withheld: both take the same steps.
    """
    kept = find_by_number(connection, number)
    is_opened = _fits(kept, code)
    if kept is None:
        return None
    if is_opened or kept.visibility == PUBLISHED:
        return Shown(kept, True, is_opened)
    return Shown(kept, False, False) if kept.visibility == MASKED else None


def show_by_digest(connection: Connection, digest: bytes, code: str | None) -> Shown | None:
    """The oldest certificate of this envelope, commitment or PDF that may be seen whole."""
    shown = None
    # Several deposits may have one commitment: the code says which is meant.
    for kept in (*find_by_digest(connection, digest), None):
        is_opened = _fits(kept, code)
        if kept is not None and shown is None and (is_opened or kept.visibility == PUBLISHED):
            shown = Shown(kept, True, is_opened)
    return shown


def masked_facts(kept: Kept) -> dict[str, Any]:
    """What is shown to somebody who has only the number: that it exists, of whom only the first character."""
    facts = kept.read_facts()
    return {
        "number": facts["number"],
        "holder": mask_name(facts["holder"]),
        "issued_at": facts["issued_at"],
        "issuer": facts["issuer"],
        "is_trial": facts["is_trial"],
    }


def mask_name(name: str) -> str:
    """Its first character; how long it is is not shown."""
    return name[:1] + _STARS


def find_anchor(connection: Connection, transaction_hash: bytes) -> Row[Any] | None:
    """The row of `anchors` that this transaction brought into a block."""
    columns = [column for column in anchors.c if column.name not in ("evidence", "evidence_final")]
    return connection.execute(
        select(*columns).where(
            anchors.c.transaction_hash == transaction_hash, anchors.c.state.in_(_SHOWN_STATES)
        )
    ).one_or_none()


def is_reversed(connection: Connection, kept: Kept) -> bool:
    """Whether the chain took back a block that this certificate rests on, and has not brought it back."""
    taken_back = {block.hex() for block in connection.execute(_TAKEN_BACK).scalars()}
    return bool(taken_back) and any(
        anchor["block_hash"] in taken_back for anchor in kept.read_facts()["anchors"]
    )


def _fits(kept: Kept | None, code: str | None) -> bool:
    number = (kept.number if kept else None) or _NO_NUMBER
    expected = (kept.code_sha256 if kept else None) or _NO_DIGEST
    is_same = hmac.compare_digest(hash_code(number, code or _NO_CODE), expected)
    return is_same and kept is not None and code is not None
