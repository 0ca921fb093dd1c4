"""Terms, holds, deletion and its record."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from mizheng.cli.errors import InputFault, PermissionFault, UnavailableFault, UsageFault
from mizheng.cli.keeping import retention
from mizheng.cli.keeping.deletion import Deletions, parse_deletion
from mizheng.cli.keys.sealing import open_seal
from mizheng.cli.sealfile.read import Seal
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.event import verify_recorded

from tests.cli.keeping.homes import Kept, make
from tests.cli.runner import Mizheng

PUMP = ["drawings/pump.dwg"]


@pytest.fixture
def kept(mizheng: Mizheng) -> Kept:
    kept = make(mizheng)
    kept.keep("one", "two")
    return kept


def deletions(kept: Kept) -> Deletions:
    with Seal(kept.seal) as seal:
        return Deletions(kept.seal, open_seal(seal, kept.mizheng.home).manifest_key)


def test_a_term_refuses_deletion_and_is_never_shortened(kept: Kept) -> None:
    retention.retain(kept.session, kept.seal, "2099-12-31")
    with pytest.raises(PermissionFault, match="2099-12-31"):
        retention.delete(kept.session, kept.seal, PUMP, "no room")
    with pytest.raises(PermissionFault, match="not shortened"):
        retention.retain(kept.session, kept.seal, "2026-01-01")
    retention.retain(kept.session, kept.seal, "2100-01-01")
    assert kept.record().until == "2100-01-01T00:00:00Z"
    assert kept.check().copies == 6
    assert deletions(kept).kept == []


def test_a_term_that_has_ended_refuses_nothing(kept: Kept) -> None:
    retention.retain(kept.session, kept.seal, "2026-01-01")
    assert retention.delete(kept.session, kept.seal, PUMP, "the term has ended").originals == 1


def test_a_hold_refuses_deletion_until_it_is_released(kept: Kept) -> None:
    for name in ("case 1", "case 2"):
        retention.hold(kept.session, kept.seal, name)
    retention.release(kept.session, kept.seal, "case 1", "settled")
    with pytest.raises(PermissionFault, match="case 2"):
        retention.delete(kept.session, kept.seal, PUMP, "no room")
    with pytest.raises(InputFault):
        retention.release(kept.session, kept.seal, "case 1", "again")
    retention.release(kept.session, kept.seal, "case 2", "judged")
    assert retention.delete(kept.session, kept.seal, PUMP, "no room").originals == 1


def test_a_deletion_leaves_a_signed_record_and_no_copy(kept: Kept) -> None:
    gone = [kept.ciphertexts(store)[1] for store in ("one", "two")]
    digest = hashlib.sha256(gone[0].read_bytes()).hexdigest()
    names = kept.mizheng("keep", "--list", "--json").ok().json["seals"][0]["originals"]
    (victim,) = [item for item in names if item["ciphertext_sha256"] == digest]
    retention.delete(kept.session, kept.seal, [victim["name"]], "the owner asked for it")
    assert not any(path.exists() for path in gone)
    (item,) = deletions(kept).kept
    told = item.deletion
    assert (told.ciphertexts, told.reason, len(told.records)) == ((digest,), "the owner asked for it", 1)
    assert told.public_key == kept.session.active_key.public
    assert kept.check().copies == 4
    assert kept.retrieve().not_kept == 1
    # What was signed cannot say something else.
    with pytest.raises(MizhengError):
        parse_deletion(item.document.replace(b'payload":"ey', b'payload":"eY'))
    with pytest.raises(InputFault):
        retention.delete(kept.session, kept.seal, [victim["name"]], "once more")


def test_a_store_that_is_away_is_gone_on_with_under_the_same_record(kept: Kept) -> None:
    store = Path(kept.store("two"))
    away = store.rename(kept.folder / "away")
    with pytest.raises(UnavailableFault):
        retention.delete(kept.session, kept.seal, PUMP, "no room")
    away.rename(store)
    assert len(deletions(kept).kept) == 1
    retention.delete(kept.session, kept.seal, PUMP, "no room")
    (item,) = deletions(kept).kept
    assert item.is_finished
    assert len(list(store.glob("*/*.age"))) == 2


def test_the_command_and_the_log(final: Mizheng) -> None:
    """Of a company that a notary knows: the deletion is an entry of its log."""
    final("keep", "drawings.seal").ok()
    assert final("retention", "drawings.seal", "--hold", "案号").code == 0
    refused = final("retention", "drawings.seal", "--delete", "drawings/pump.dwg", "--reason", "no room")
    assert (refused.code, "案号" in refused.err) == (77, True)
    final("retention", "drawings.seal", "--release", "案号", "--reason", "settled").ok()
    done = final(
        "retention", "drawings.seal", "--delete", "drawings/pump.dwg", "--reason", "x", "--json"
    ).ok()
    assert (done.json["deleted"], done.json["kept"]) == (1, 1)
    (item,) = deletions(Kept(final)).kept
    assert item.answer is not None
    assert item.event is not None
    verify_recorded(item.document, item.event, str(item.answer["tlog_proof"]).encode())
    assert final("retention", "drawings.seal", "--until", "soon").code == 64
    assert final("retention", "drawings.seal", "--reason", "x").code == 64


@pytest.mark.parametrize("text", ["", " ", "a\nb"])
def test_reasons_that_cannot_stand(kept: Kept, text: str) -> None:
    with pytest.raises(UsageFault):
        retention.delete(kept.session, kept.seal, PUMP, text)
