"""A chain that takes back a final block: what is then said of a certificate that rests on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from mizheng.notary.certificates.answers import describe_to_anybody
from mizheng.notary.certificates.kept import Kept
from mizheng.notary.certificates.lookup import is_reversed, show_by_number
from mizheng.notary.chain.tables import anchors, final_reversals
from mizheng.notary.companies.enrolments import METHOD_WORDS, Method
from mizheng.notary.pages.render import render
from mizheng.verifier.certificate_number import parse_code, parse_number
from mizheng.verifier.words import translator
from sqlalchemy import Connection, Engine, insert, update

from tests.support.certificates import Issued


@contextmanager
def undone(database: Engine) -> Iterator[Connection]:
    """What is written here nobody else sees: the server goes on anchoring."""
    with database.connect() as connection:
        yield connection
        connection.rollback()


def find(connection: Connection, issued: Issued) -> Kept:
    shown = show_by_number(connection, parse_number(issued.number), parse_code(issued.code))
    assert shown is not None
    return shown.kept


def take_back(connection: Connection, kept: Kept, *, acknowledged: bool) -> int:
    """Its anchor's block is gone; the anchor's row."""
    (anchor,) = kept.read_facts()["anchors"]
    row = connection.execute(
        anchors.select().where(anchors.c.block_hash == bytes.fromhex(anchor["block_hash"]))
    ).one()
    values = {"anchor_id": row.id, "chain": row.chain, "tree_size": row.tree_size, "evidence": b"{}"}
    block = {"block_number": row.block_number, "block_hash": row.block_hash, "noticed_at": 1}
    looked = {"acknowledged_at": 2 if acknowledged else None}
    connection.execute(insert(final_reversals).values({**values, **block, **looked}))
    return int(row.id)


# What the anchor's row says now, and whether the certificate's block is still gone.
NOW: list[tuple[dict[str, object], bool]] = [
    ({"state": "sent", "block_hash": None}, True),
    ({"state": "mined"}, True),
    ({"state": "final", "block_hash": b"\x01" * 32}, True),
    ({"state": "final"}, False),
]


def test_it_is_said_until_the_block_is_back(issued: Issued, database: Engine) -> None:
    """That the operator has looked makes no paper true whose block is gone."""
    for acknowledged in (False, True):
        for now, reversed_ in NOW:
            with undone(database) as connection:
                kept = find(connection, issued)
                assert not is_reversed(connection, kept)
                row = take_back(connection, kept, acknowledged=acknowledged)
                connection.execute(update(anchors).where(anchors.c.id == row).values(now))
                assert is_reversed(connection, kept) is reversed_, (acknowledged, now)


def test_it_is_said_in_words(issued: Issued, database: Engine, anybody: httpx.Client) -> None:
    # Masked it is called neither.
    assert anybody.get(f"/v1/certificates/{issued.number}").json()["state"] is None
    with undone(database) as connection:
        shown = show_by_number(connection, parse_number(issued.number), parse_code(issued.code))
    assert shown is not None
    assert describe_to_anybody(shown, is_reversed=True)["state"] == "reversed"
    for taken_back in (False, True):
        page = render("zh_CN", "certificate.html", page_values(shown.kept, taken_back), path="/")
        assert ("已被链撤回" in page) is taken_back
        assert ("最终确认" in page) is not taken_back
    # Neither is how the company was authenticated a code of ours.
    assert set(METHOD_WORDS) == {method.value for method in Method}
    for prefix, language in (("", "zh_CN"), ("/en", "en")):
        page = anybody.post(f"{prefix}/certificates/{issued.number}", data={"code": issued.code}).text
        assert translator(language)(METHOD_WORDS["api-key"]) in page
        assert "api-key" not in page


def page_values(kept: Kept, taken_back: bool) -> dict[str, object]:
    return {
        "facts": kept.read_facts(),
        "authenticated_how": "",
        "authenticated_at": 0,
        "is_reversed": taken_back,
        "is_signed": True,
        "is_published": False,
        "pdf_sha256": "",
        "code": "",
        "action": "",
        "site": "",
        "origin": "",
        "can_log_in": False,
    }
