"""The audit log: what is written into it, how it is checked, and what a forger of it runs into."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mizheng.notary.auditing.checking import AuditError, AuditFinding, check_audit_log
from mizheng.notary.auditing.exporting import export_lines, read_digests
from mizheng.notary.auditing.heads import HeadRecorder
from mizheng.notary.auditing.keeper import parse_audit
from mizheng.notary.auditing.recording import record
from mizheng.notary.auditing.rows import NOTHING, AuditRow
from mizheng.notary.auditing.tables import audit_heads, audit_log
from mizheng.notary.companies.organisations import add_organisation, new_api_key, set_disabled
from mizheng.notary.database import create_engine, reading, writing
from mizheng.notary.errors import ConfigurationError, OperatorError
from mizheng.notary.instance import Instance
from mizheng.notary.log.head import load_head
from mizheng.notary.migrations import upgrade
from mizheng.notary.models import entries
from mizheng.verifier.canonical import dump, from_base64, parse_object
from mizheng.verifier.event import verify_recorded
from sqlalchemy import Connection, delete, select, update

from tests.support.notary import NotaryServer, make_uscc

NAME = "某某机密科技有限公司"


@pytest.fixture
def acted(instance: Instance) -> Instance:
    """A notary at which eight acts were done, five of them on record."""
    add_organisation(instance.engine, NAME, "CN-USCC", make_uscc(1))
    set_disabled(instance.engine, "1", disabled=True)
    set_disabled(instance.engine, "1", disabled=False)
    with writing(instance.engine) as connection:
        record(connection, "chain.acknowledge-alarms", "notary", detail={"count": 0})
    HeadRecorder(instance, 0).step()
    new_api_key(instance.engine, "1", keep_others=False)
    with writing(instance.engine) as connection:
        record(connection, "backup.make", "notary")
    return instance


def check(instance: Instance, earlier: list[bytes] | None = None) -> AuditFinding:
    with reading(instance.engine) as connection:
        return check_audit_log(connection, earlier or [])


def export(instance: Instance) -> bytes:
    with reading(instance.engine) as connection:
        return b"".join(export_lines(connection))


def broken_row(instance: Instance, earlier: list[bytes] | None = None) -> int:
    with pytest.raises(AuditError) as error:
        check(instance, earlier)
    return error.value.row


def test_acts_in_their_order(acted: Instance) -> None:
    with reading(acted.engine) as connection:
        rows = connection.execute(select(audit_log).order_by(audit_log.c.number)).all()
    assert [(row.actor, row.action, row.subject) for row in rows] == [
        ("operator", "organisation.add", "organisation:1"),
        ("operator", "api-key.make", "api-key:1"),
        ("operator", "organisation.disable", "organisation:1"),
        ("operator", "organisation.enable", "organisation:1"),
        ("operator", "chain.acknowledge-alarms", "notary"),
        ("operator", "api-key.disable", "api-key:1"),
        ("operator", "api-key.make", "api-key:2"),
        ("operator", "backup.make", "notary"),
    ]
    found = check(acted)
    assert (found.rows, found.recorded, found.final) == (8, 5, 0)
    assert found.last_sha256 == rows[-1].row_sha256


def test_no_name_and_no_key_in_it(acted: Instance) -> None:
    data = export(acted)
    assert NAME not in data.decode() and make_uscc(1).encode() not in data
    assert b"mzk_" not in data


def test_an_act_that_fails_leaves_no_row(instance: Instance) -> None:
    add_organisation(instance.engine, NAME, "CN-USCC", make_uscc(1))
    before = check(instance).rows
    with pytest.raises(OperatorError):
        add_organisation(instance.engine, NAME, "CN-USCC", make_uscc(1))
    assert check(instance).rows == before


def test_the_digest_of_a_row_is_as_the_specification_says() -> None:
    row = AuditRow(1, 0, "operator", "backup.make", "notary", {}, NOTHING)
    text = (
        '{"action":"backup.make","actor":"operator","at":"1970-01-01T00:00:00Z","detail":{},"number":1,'
        f'"previous":"{"0" * 64}","subject":"notary","type":"mizheng/audit-row/v1"}}'
    )
    assert row.sha256 == hashlib.sha256(text.encode()).digest()


def test_the_head_is_on_record_as_any_event(acted: Instance) -> None:
    """Checked from the export alone: rows, document, event, proof."""
    lines = export(acted).splitlines()
    record_line = parse_object(lines[-1], {"type": str, "document": str, "event": str, "tlog_proof": str})
    document = from_base64(record_line["document"])
    proof = verify_recorded(document, from_base64(record_line["event"]), record_line["tlog_proof"].encode())
    assert proof.index == 0
    said = json.loads(document)
    assert said["rows"] == 5
    assert said["row_sha256"] == hashlib.sha256(lines[4]).hexdigest()


def test_nothing_new_is_not_recorded_again(acted: Instance) -> None:
    assert HeadRecorder(acted, 0).record() == 1
    assert HeadRecorder(acted, 0).record() is None
    with reading(acted.engine) as connection:
        assert load_head(connection).tree_size == 2


def test_a_row_waits_no_longer_than_the_interval(instance: Instance) -> None:
    add_organisation(instance.engine, NAME, "CN-USCC", make_uscc(1))
    HeadRecorder(instance, 3600).step()
    assert check(instance).recorded == 0
    HeadRecorder(instance, 0).step()
    assert check(instance).recorded == 2


# Forgers: who can write to the database


def rechain(connection: Connection, start: int) -> None:
    """Compute all links anew from a row on, as who knows how they are made would."""
    rows = connection.execute(
        select(audit_log).where(audit_log.c.number >= start - 1).order_by(audit_log.c.number)
    ).all()
    previous = rows[0].row_sha256 if start > 1 else NOTHING
    for row in rows[1:] if start > 1 else rows:
        made = AuditRow(
            row.number, row.at, row.actor, row.action, row.subject, json.loads(row.detail), previous
        )
        connection.execute(
            update(audit_log)
            .where(audit_log.c.number == row.number)
            .values(previous=previous, row_sha256=made.sha256)
        )
        previous = made.sha256


FIELDS: list[tuple[str, object]] = [
    ("at", 1),
    ("actor", "member:other"),
    ("action", "organisation.enable"),
    ("subject", "organisation:2"),
    ("detail", dump({"count": 1}).decode()),
    ("detail", "nonsense"),
    ("row_sha256", bytes(32)),
]


@pytest.mark.parametrize(("field", "value"), FIELDS)
def test_a_changed_field_is_named_by_its_row(acted: Instance, field: str, value: object) -> None:
    with writing(acted.engine) as connection:
        connection.execute(update(audit_log).where(audit_log.c.number == 3).values({field: value}))
    assert broken_row(acted) == 3


def test_a_row_that_was_taken_out(acted: Instance) -> None:
    with writing(acted.engine) as connection:
        connection.execute(delete(audit_log).where(audit_log.c.number == 4))
    assert broken_row(acted) == 4


def test_a_link_to_another_row(acted: Instance) -> None:
    with writing(acted.engine) as connection:
        connection.execute(update(audit_log).where(audit_log.c.number == 7).values(previous=bytes(32)))
    assert broken_row(acted) == 7


def test_a_chain_that_was_written_anew_contradicts_the_log(acted: Instance) -> None:
    with writing(acted.engine) as connection:
        connection.execute(update(audit_log).where(audit_log.c.number == 2).values(subject="api-key:9"))
        rechain(connection, 2)
    assert broken_row(acted) == 1


def test_an_export_names_the_row_exactly(acted: Instance) -> None:
    earlier = read_digests(export(acted))
    assert check(acted, earlier).rows == 8
    with writing(acted.engine) as connection:
        # Behind what is on record: the log cannot tell.
        connection.execute(update(audit_log).where(audit_log.c.number == 7).values(subject="api-key:9"))
        rechain(connection, 7)
    assert check(acted).rows == 8
    assert broken_row(acted, earlier) == 7


def test_the_end_was_cut_off(acted: Instance) -> None:
    earlier = read_digests(export(acted))
    with writing(acted.engine) as connection:
        connection.execute(delete(audit_log).where(audit_log.c.number == 8))
    assert broken_row(acted, earlier) == 8


def test_an_end_that_is_on_record_was_cut_off(acted: Instance) -> None:
    HeadRecorder(acted, 0).record()
    with acted.engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.execute(delete(audit_log).where(audit_log.c.number == 8))
        connection.execute(update(audit_heads).where(audit_heads.c.rows == 8).values(rows=7))
    assert broken_row(acted) == 8


def forge_head(connection: Connection) -> None:
    connection.execute(update(audit_heads).values(event=audit_heads.c.document))


def drop_head(connection: Connection) -> None:
    connection.execute(delete(audit_heads))


def other_place(connection: Connection) -> None:
    connection.execute(update(entries).values(kind="audit-head"))
    connection.execute(update(audit_heads).values(leaf_index=1))


@pytest.mark.parametrize("forge", [forge_head, drop_head, other_place])
def test_records_that_were_tampered_with(acted: Instance, forge: Callable[[Connection], None]) -> None:
    HeadRecorder(acted, 0).record()
    with writing(acted.engine) as connection:
        connection.execute(delete(audit_heads).where(audit_heads.c.number == 2))
        forge(connection)
    assert broken_row(acted) <= 6


def test_lines_of_an_export_that_do_not_follow(acted: Instance) -> None:
    lines = export(acted).splitlines(keepends=True)
    with pytest.raises(OperatorError, match="does not follow"):
        read_digests(b"".join(lines[1:]))
    with pytest.raises(OperatorError, match="malformed"):
        read_digests(lines[0].replace(b":", b": "))


# Several at a time, and the command line


def test_acts_at_the_same_moment_follow_each_other(database_url: str) -> None:
    """Also on PostgreSQL, where their transactions run side by side."""
    engine = create_engine(database_url)
    upgrade(engine)

    def act(number: int) -> None:
        with writing(engine) as connection:
            record(connection, "test", f"organisation:{number}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(act, range(40)))
    with reading(engine) as connection:
        numbers = list(connection.execute(select(audit_log.c.number).order_by(audit_log.c.number)).scalars())
        rows = connection.execute(select(audit_log).order_by(audit_log.c.number)).all()
    assert numbers == list(range(1, 41))
    assert [row.previous for row in rows[1:]] == [row.row_sha256 for row in rows[:-1]]
    engine.dispose()


def test_settings_that_cannot_be() -> None:
    assert parse_audit({}) == 3600
    for table in ({"interval": 9}, {"interval": "1"}, {"every": 60}):
        with pytest.raises(ConfigurationError, match="interval"):
            parse_audit(table)


def test_the_commands(tmp_path: Path) -> None:
    server = NotaryServer(tmp_path / "data")
    server.add_org()
    out = tmp_path / "audit.jsonl"
    server.run("audit-log", "record")
    server.run("audit-log", "export", "-o", str(out))
    assert "already" in server.run("audit-log", "export", "-o", str(out), check=False).stderr
    said = server.run("audit-log", "verify", "--against", str(out)).stdout
    assert "in order: 2 rows; 2 of them on record" in said
    engine = create_engine(f"sqlite:///{tmp_path}/data/mizheng.db")
    with writing(engine) as connection:
        connection.execute(update(audit_log).where(audit_log.c.number == 1).values(actor="nobody"))
    engine.dispose()
    failed = server.run("audit-log", "verify", check=False)
    assert failed.returncode == 1
    assert "row 1 of the audit log was changed" in failed.stderr
