"""The mailbox over HTTP: left by parts, fetched with a token or as the addressee, and told to nobody else."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest
from mizheng.notary.config import load_settings
from mizheng.notary.database import reading, writing
from mizheng.notary.errors import ConfigurationError, Problem
from mizheng.notary.instance import Instance
from mizheng.notary.mailbox import items
from mizheng.notary.mailbox.files import MailboxFiles
from mizheng.notary.mailbox.keeper import ANSWER_SECONDS, HALF_SECONDS, MailboxKeeper
from mizheng.notary.mailbox.setup import MIB, parse_mailbox
from mizheng.notary.mailbox.tables import mailbox_items
from mizheng.verifier import dsse
from mizheng.verifier.canonical import dump
from mizheng.verifier.signature import PrivateKey
from sqlalchemy import Engine, insert, select

from tests.notary.depositor import TestDepositor, problem_of, register
from tests.notary.mailbox.leaving import TOKEN, ask, begin, content, leave
from tests.support.notary import NotaryServer


@pytest.fixture
def other(server: NotaryServer, database: Engine) -> TestDepositor:
    found = register(server, database)
    found.enrol()
    return found


def withdrawal(key: PrivateKey, **changed: str) -> bytes:
    value = {
        "type": "mizheng/withdrawal/v1",
        "public_key": key.public.to_base64(),
        "transfer_sha256": "ab" * 32,
        "withdrawn_at": "2026-11-30T00:00:00Z",
        **changed,
    }
    return dsse.sign(dump(value), "application/vnd.mizheng.withdrawal.v1+json", key)


def folder(server: NotaryServer, item: str) -> Path:
    return server.data_dir / "mailbox" / item


def test_what_is_left_is_fetched_with_the_token_byte_for_byte(depositor: TestDepositor) -> None:
    left = leave(depositor, content(9 * MIB - 7))
    told = left.get().json()
    assert (told["state"], told["size"], told["parts"]) == ("kept", len(left.data), 3)
    assert "have" not in told
    parts = [left.get(f"/parts/{number}") for number in range(3)]
    assert b"".join(part.content for part in parts) == left.data
    assert {part.headers["cache-control"] for part in parts} == {"no-store"}


def test_the_disk_holds_what_was_sent_and_nothing_in_clear_beside(
    depositor: TestDepositor, server: NotaryServer
) -> None:
    left = leave(depositor)
    (path,) = folder(server, left.id).iterdir()
    assert path.read_bytes() == left.data
    assert path.stat().st_mode & 0o077 == 0


def test_parts_in_any_order_and_twice(depositor: TestDepositor) -> None:
    left = begin(depositor, content(5 * MIB))
    for number in (1, 0, 1, 1):
        assert left.put(number).status_code == 204
    assert depositor.client.get(left.path).json()["have"] == [0, 1]
    assert left.complete().json()["state"] == "kept"
    assert left.complete().json()["state"] == "kept"
    assert problem_of(left.put(0)) == "mailbox-complete"


def test_an_upload_that_broke_off_goes_on_where_it_was(depositor: TestDepositor) -> None:
    left = begin(depositor, content(5 * MIB))
    left.put(0)
    assert problem_of(left.complete()) == "mailbox-incomplete"
    assert depositor.client.get(left.path).json()["have"] == [0]
    left.put(1)
    assert left.complete().json()["state"] == "kept"


def test_half_an_upload_is_nothing_to_its_recipient(depositor: TestDepositor) -> None:
    left = begin(depositor, content(5 * MIB))
    left.put(0)
    assert problem_of(left.get()) == "mailbox-unknown"
    assert problem_of(left.get("/parts/0")) == "mailbox-unknown"


def test_half_a_part_leaves_nothing(depositor: TestDepositor, server: NotaryServer) -> None:
    left = begin(depositor, content(100))
    for wrong in (b"", left.data[:-1], left.data + b"x"):
        assert problem_of(left.put(0, wrong)) == "request-malformed"
    assert list(folder(server, left.id).iterdir()) == []
    assert problem_of(left.put(1, b"x")) == "request-malformed"


def test_a_part_larger_than_any_is_refused_by_its_length(depositor: TestDepositor) -> None:
    left = begin(depositor, content(9 * MIB))
    assert problem_of(left.put(0, content(4 * MIB + 1))) == "body-too-large"


def test_other_bytes_than_announced_are_deleted(depositor: TestDepositor) -> None:
    left = begin(depositor, content())
    left.put(0, content(seed=2))
    assert problem_of(left.complete()) == "mailbox-digest-wrong"
    assert depositor.client.get(left.path).json()["have"] == []
    left.put(0)
    assert left.complete().json()["state"] == "kept"


def test_without_the_token_there_is_nothing(depositor: TestDepositor, other: TestDepositor) -> None:
    """For nobody, somebody, and another company: word for word what is said of an item that never was."""
    left = leave(depositor)
    never = f"/v1/mailbox/{'0' * 32}"
    unknown = other.client.get(never).content
    for path in ("", "/parts/0", "/withdrawal"):
        for token in (None, "", TOKEN[:-1], "cd" * 32):
            answer = left.get(path, token)
            assert (answer.status_code, answer.content) == (404, unknown)
        assert other.client.get(left.path + path).content == unknown
    for method, path in (("PUT", "/parts/0"), ("POST", "/complete"), ("GET", "/acceptance")):
        answers = [other.client.request(method, place + path, content=b"x") for place in (left.path, never)]
        assert {answer.content for answer in answers} == {unknown}
    answers = [
        other.client.post(place + "/withdrawal", content=withdrawal(other.key))
        for place in (left.path, never)
    ]
    assert {answer.content for answer in answers} == {unknown}
    assert other.client.post(left.path + "/acceptance", content=b"x").content == unknown
    assert left.get().json()["state"] == "kept"


def test_the_addressee_fetches_with_his_own_key(depositor: TestDepositor, other: TestDepositor) -> None:
    left = leave(depositor, addressee=f"{other.org.id_scheme}:{other.org.id}")
    listed = other.client.get("/v1/mailbox").json()["items"]
    assert [item["id"] for item in listed] == [left.id]
    assert other.client.get(left.path + "/parts/0").content == left.data
    assert depositor.client.get("/v1/mailbox").json()["items"] == []


def test_an_addressee_that_does_not_exist_is_answered_the_same(
    depositor: TestDepositor, other: TestDepositor
) -> None:
    known, unknown = (
        ask(depositor, content(), addressee=name).json()
        for name in (f"{other.org.id_scheme}:{other.org.id}", "CN-USCC:nobody")
    )
    assert {**known, "id": "", "created_at": "", "expires_at": ""} == {
        **unknown,
        "id": "",
        "created_at": "",
        "expires_at": "",
    }


def test_pages_of_a_list(depositor: TestDepositor) -> None:
    left = [leave(depositor, content(seed=number)).id for number in range(3)]
    found, after = [], None
    for _ in range(3):
        page = depositor.client.get(
            "/v1/mailbox", params={"box": "sent", "limit": 1, **({"after": after} if after else {})}
        ).json()
        found += [item["id"] for item in page["items"]]
        after = page["next"]
    assert (sorted(found), after) == (sorted(left), None)
    assert problem_of(depositor.client.get("/v1/mailbox", params={"after": "x"})) == "cursor-wrong"


def test_withdrawn_the_ciphertext_is_gone_and_the_word_stays(
    depositor: TestDepositor, server: NotaryServer
) -> None:
    left = leave(depositor)
    word = withdrawal(depositor.key)
    for _ in range(2):
        assert depositor.client.post(left.path + "/withdrawal", content=word).status_code == 204
    assert not folder(server, left.id).exists()
    assert problem_of(left.get("/parts/0")) == "mailbox-withdrawn"
    assert left.get("/withdrawal").content == word
    another = withdrawal(depositor.key, transfer_sha256="cd" * 32)
    assert problem_of(depositor.client.post(left.path + "/withdrawal", content=another)) == "mailbox-answered"


@pytest.mark.parametrize("defect", ["unsigned", "stranger", "type", "text"])
def test_what_is_no_withdrawal_of_the_company(depositor: TestDepositor, defect: str) -> None:
    left = leave(depositor)
    body = {
        "unsigned": withdrawal(depositor.key).replace(b'"sig":"', b'"sig":"AAAA'),
        "stranger": withdrawal(PrivateKey.generate()),
        "type": withdrawal(depositor.key, type="mizheng/withdrawal/v2"),
        "text": b"{}",
    }[defect]
    answer = depositor.client.post(left.path + "/withdrawal", content=body)
    assert problem_of(answer) == "withdrawal-malformed"
    assert left.get("/parts/0").content == left.data


def test_the_first_answer_stands(depositor: TestDepositor) -> None:
    left = leave(depositor)
    url, headers = depositor.url + left.path + "/acceptance", {"Mizheng-Token": TOKEN}
    assert problem_of(depositor.client.get(left.path + "/acceptance")) == "mailbox-unanswered"
    import httpx

    def answer(body: bytes) -> httpx.Response:
        return httpx.post(url, content=body, headers=headers, trust_env=False)

    assert [answer(b"closed").status_code for _ in range(2)] == [204, 204]
    assert problem_of(answer(b"another")) == "mailbox-answered"
    assert problem_of(answer(b"")) == "request-malformed"
    assert problem_of(answer(b"x" * 70_000)) == "body-too-large"
    assert depositor.client.get(left.path + "/acceptance").content == b"closed"


def test_limits_of_a_company(depositor: TestDepositor, other: TestDepositor) -> None:
    assert problem_of(ask(depositor, content(), size=9 * MIB + 1)) == "mailbox-limit"
    assert problem_of(ask(depositor, content(), size=2**50)) == "mailbox-limit"
    assert problem_of(ask(depositor, content(), days=6)) == "mailbox-limit"
    first = leave(depositor)
    for _ in range(2):
        begin(depositor, content())
    assert problem_of(ask(depositor, content())) == "mailbox-limit"
    begin(other, content())
    # What was taken back makes room.
    depositor.client.post(first.path + "/withdrawal", content=withdrawal(depositor.key))
    begin(depositor, content())


def test_bytes_of_a_company_are_counted_when_they_are_announced(depositor: TestDepositor) -> None:
    for _ in range(2):
        begin(depositor, content(), size=9 * MIB)
    assert problem_of(ask(depositor, content(), size=3 * MIB)) == "mailbox-limit"


@pytest.mark.parametrize(
    "wrong",
    [{"size": 0}, {"size": "1"}, {"sha256": "ab"}, {"token_sha256": TOKEN.upper()}, {"days": 0}, {"more": 1}],
)
def test_what_cannot_be_asked_for(depositor: TestDepositor, wrong: dict[str, object]) -> None:
    assert problem_of(ask(depositor, content(), **wrong)) == "request-malformed"


def test_a_name_that_is_no_item_is_never_a_path(depositor: TestDepositor) -> None:
    for name in ("..", "%2e%2e", "A" * 32, "0" * 31, "0" * 32 + "%2f.."):
        assert depositor.client.get(f"/v1/mailbox/{name}/parts/0").status_code in (404, 422)


# Without HTTP


def keeper(instance: Instance, **table: object) -> MailboxKeeper:
    from dataclasses import replace

    return MailboxKeeper(replace(instance, settings=replace(instance.settings, mailbox=table)))


def row(instance: Instance, item: str, state: str, *, touched: int, expires: int) -> None:
    from mizheng.notary.database import writing
    from mizheng.notary.models import organisations

    with writing(instance.engine) as connection:
        if connection.execute(select(organisations)).first() is None:
            values = {"name": "甲", "id_scheme": "CN-USCC", "identifier": "1", "created_at": 0}
            connection.execute(insert(organisations).values(id=1, **values))
        connection.execute(
            insert(mailbox_items).values(
                id=item,
                organisation_id=1,
                token_sha256=bytes(32),
                size=1,
                sha256=hashlib.sha256(b"x").digest(),
                state=state,
                created_at=0,
                touched_at=touched,
                expires_at=expires,
            )
        )


def test_what_is_over_is_taken_away_and_nothing_else(instance: Instance) -> None:
    now = 10**9
    mailbox = keeper(instance)
    rows = {
        "fresh": ("open", now - 10, now + 10),
        "half": ("open", now - HALF_SECONDS - 1, now + 10),
        "kept": ("kept", 0, now),
        "expired": ("kept", 0, now - 1),
        "old": ("expired", 0, now - ANSWER_SECONDS - 1),
    }
    for item, (state, touched, expires) in rows.items():
        row(instance, item, state, touched=touched, expires=expires)
    for item in (*rows, "nobody"):
        (mailbox.setup.directory / item).mkdir(parents=True)
        (mailbox.setup.directory / item / "000000").write_bytes(b"x")
    for _ in range(2):
        mailbox.clean(now)
        assert sorted(path.name for path in mailbox.setup.directory.iterdir()) == ["fresh", "kept"]
    with instance.engine.connect() as connection:
        found = {each.id: each.state for each in connection.execute(select(mailbox_items))}
    assert found == {"fresh": "open", "kept": "kept", "expired": "expired"}


def test_a_full_disk_is_told_and_the_database_keeps_its_room(tmp_path: Path) -> None:
    files = MailboxFiles(parse_mailbox({"reserve_mib": 2**40}, tmp_path))
    with pytest.raises(Problem) as full:
        files.require_room(1)
    assert (full.value.code, full.value.status) == ("mailbox-full", 507)


def test_the_store_as_a_whole_is_limited(instance: Instance) -> None:
    from mizheng.notary.companies.api_keys import Caller
    from mizheng.notary.database import writing
    from mizheng.notary.mailbox.items import Leaving, create_item
    from mizheng.verifier.statement import Depositor

    row(instance, "a", "kept", touched=0, expires=2**40)
    caller = Caller(1, 1, Depositor("甲", "CN-USCC", "1"))
    asked = Leaving(MIB, bytes(32), bytes(32), 1, None)
    with writing(instance.engine) as connection, pytest.raises(Problem) as full:
        create_item(connection, caller, asked, keeper(instance, total_mib=1).setup, int(time.time()))
    assert full.value.code == "mailbox-full"


@pytest.mark.parametrize(
    "table", [{"mib": 1}, {"days": "5"}, {"item_mib": -1}, {"enabled": 1}, {"directory": 1}]
)
def test_settings_that_cannot_be(table: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"\[mailbox\]"):
        parse_mailbox(table, tmp_path)


def test_settings_of_the_file_reach_the_mailbox(tmp_path: Path) -> None:
    (tmp_path / "notary.toml").write_text('[mailbox]\ndirectory = "/srv/m"\ndays = 7\n')
    settings = load_settings({"MIZHENG_DATA_DIR": str(tmp_path)})
    found = parse_mailbox(settings.mailbox, tmp_path)
    assert (found.directory, found.days, found.is_enabled) == (Path("/srv/m"), 7, True)


def test_of_two_answers_at_once_the_first_one_stands(depositor: TestDepositor, database: Engine) -> None:
    """Both looked before either had answered."""
    left = leave(depositor)
    query = select(mailbox_items).where(mailbox_items.c.id == left.id)
    with reading(database) as connection:
        seen = connection.execute(query).one()
    with writing(database) as connection:
        items.accept(connection, seen, b"first")
        items.accept(connection, seen, b"first")
        with pytest.raises(Problem) as caught:
            items.accept(connection, seen, b"second")
    assert caught.value.code == "mailbox-answered"
    with reading(database) as connection:
        assert connection.execute(query).one().acceptance == b"first"


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04" + b"../" * 40, b"%PDF-1.7\n/OpenAction /JS", b"<script>x</script>"]
)
def test_a_zip_or_a_pdf_is_bytes(depositor: TestDepositor, server: NotaryServer, data: bytes) -> None:
    """Nobody here looks into what is left: it comes back as it came, as nothing that a browser would open."""
    left = leave(depositor, data)
    found = left.get("/parts/0")
    assert (found.content, found.headers["content-type"]) == (data, "application/octet-stream")
    assert found.headers["x-content-type-options"] == "nosniff"
    assert [path.name for path in folder(server, left.id).iterdir()] == ["000000"]
