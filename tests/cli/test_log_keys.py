"""Following the log's key from the pinned one: what leads to another key, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from mizheng.cli.config import Config, Organisation, load_config, save_config
from mizheng.cli.depositing.client import NotaryClient
from mizheng.cli.depositing.logkeys import (
    UnknownLogKeyFault,
    believing,
    fetch_log_keys,
    follow_log_key,
    open_head,
)
from mizheng.cli.errors import ConfigurationFault, RefusedFault, SoftwareFault
from mizheng.cli.keys.signing import create_key, load_entry, save_entry
from mizheng.cli.session import Session
from mizheng.verifier.canonical import dump, parse
from mizheng.verifier.errors import ProofError
from mizheng.verifier.logkeys import LOST, STOLEN, LogKeys
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.signature import PrivateKey

from tests.support.keychanges import ChangingLog


class Answers:
    """As much of a notary as is asked."""

    def __init__(self, answer: bytes | Exception) -> None:
        self.answer = answer

    def log_keys(self) -> bytes:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def client_of(answer: bytes | Exception) -> NotaryClient:
    return cast(NotaryClient, Answers(answer))


def pinned_to(log: ChangingLog, number: int = 0) -> Organisation:
    signer = log.signers[number]
    return Organisation("a company", "CN-USCC", "91350100M000100Y43", log.origin, signer.vkey, "issuer")


@pytest.fixture
def log() -> ChangingLog:
    """Five entries, the key changed at three of them."""
    log = ChangingLog().grow(3)
    log.change()
    return log.grow(1)


def test_a_scheduled_change_is_followed(
    log: ChangingLog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.change()
    found = follow_log_key(tmp_path, pinned_to(log), client_of(log.keys.dump()))
    assert found.log_vkey == log.signers[2].vkey
    spans = [(item.verifier.vkey, item.first_size, item.last_size) for item in found.logs]
    old, middle, new = (signer.vkey for signer in log.signers)
    assert spans == [(old, 0, 3), (middle, 4, 5), (new, 6, None)]
    assert capsys.readouterr().err.count("\n") == 1, "one line"
    # Asked again there is nothing to say.
    assert follow_log_key(tmp_path, found, client_of(log.keys.dump())) == found
    assert capsys.readouterr().err == ""
    save_config(tmp_path, Config(organisation=found))
    assert load_config(tmp_path).organisation == found


def test_heads_are_believed_by_key_and_size(log: ChangingLog, tmp_path: Path) -> None:
    old, new = log.signers
    pinned = pinned_to(log)
    with pytest.raises(UnknownLogKeyFault):
        open_head(pinned, log.head(new))
    followed = follow_log_key(tmp_path, pinned, client_of(log.keys.dump()))
    assert open_head(followed, log.head(new)).size == 5
    # The old key signing on, or a notary that was rolled back to it.
    with pytest.raises(ProofError, match="not trusted for tree size 5"):
        open_head(followed, log.head(old))
    log.leaves = log.leaves[:3]
    assert open_head(followed, log.head(old)).size == 3
    with pytest.raises(ProofError, match="not trusted for tree size 3"):
        open_head(followed, log.head(new))


def edited(log: ChangingLog, edit: Callable[[list[object]], object]) -> bytes:
    value = parse(log.keys.dump())
    assert isinstance(value, dict)
    assert isinstance(value["changes"], list)
    edit(value["changes"])
    return dump(value)


def skipped_step(log: ChangingLog) -> bytes:
    log.change()
    return edited(log, lambda changes: changes.pop(0))


def a_step_in_between(log: ChangingLog) -> bytes:
    log.grow(1).change()
    log.grow(1).change()
    return edited(log, lambda changes: changes.pop(1))


def of_another_log(_log: ChangingLog) -> bytes:
    other = ChangingLog("log.example/2").grow(3)
    other.change()
    return other.keys.dump()


def of_a_stranger(log: ChangingLog) -> bytes:
    other = ChangingLog(log.origin).grow(3)
    other.change()
    return other.keys.dump()


def forged_signature(log: ChangingLog) -> bytes:
    return log.keys.dump().replace(b"last 3", b"last 2")


def nonsense(_log: ChangingLog) -> bytes:
    return b'{"keys": []}'


def present_key_alone(log: ChangingLog) -> bytes:
    return LogKeys(log.signer.verifier, ()).dump()


@pytest.mark.parametrize(
    "forge",
    [
        skipped_step,
        a_step_in_between,
        of_another_log,
        of_a_stranger,
        forged_signature,
        nonsense,
        present_key_alone,
    ],
    ids=lambda forge: forge.__name__,
)
def test_what_does_not_lead_from_the_pinned_key(
    log: ChangingLog, tmp_path: Path, forge: Callable[[ChangingLog], bytes]
) -> None:
    pinned = pinned_to(log)
    follow_log_key(tmp_path, pinned, client_of(log.keys.dump()))
    with pytest.raises(ConfigurationFault) as caught:
        follow_log_key(tmp_path, pinned, client_of(forge(log)))
    assert "mizheng init --trust FILE" in caught.value.hint


@pytest.mark.parametrize(("reason", "word"), [(STOLEN, "stolen"), (LOST, "lost")])
def test_nobody_follows_a_stolen_or_lost_key(
    log: ChangingLog, tmp_path: Path, reason: str, word: str
) -> None:
    log.change(reason)
    for number in (0, 1):
        with pytest.raises(ConfigurationFault, match=f"key was {word}") as caught:
            follow_log_key(tmp_path, pinned_to(log, number), client_of(log.keys.dump()))
        assert "mizheng init --trust FILE" in caught.value.hint
    # Whoever has the new key already, from a trust file, learns what came before.
    found = follow_log_key(tmp_path, pinned_to(log, 2), client_of(log.keys.dump()))
    assert len(found.logs) == 3


def test_rolled_back(log: ChangingLog, tmp_path: Path) -> None:
    """The notary shows its old key again, as if nothing had happened."""
    followed = follow_log_key(tmp_path, pinned_to(log), client_of(log.keys.dump()))
    with pytest.raises(ConfigurationFault, match="nothing leads"):
        follow_log_key(tmp_path, followed, client_of(LogKeys(log.signers[0].verifier, ()).dump()))


def test_another_history_than_before(log: ChangingLog, tmp_path: Path) -> None:
    followed = follow_log_key(tmp_path, pinned_to(log), client_of(log.keys.dump()))
    # What a trust file ended earlier stays ended.
    shorter = replace(followed, log_keys=followed.log_keys.replace("0-3 ", "0-1 "))
    assert follow_log_key(tmp_path, shorter, client_of(log.keys.dump())).logs[0].last_size == 1
    for wrong in ("0-4 ", "1-3 "):
        told = replace(followed, log_keys=followed.log_keys.replace("0-3 ", wrong))
        with pytest.raises(ConfigurationFault, match="another history"):
            follow_log_key(tmp_path, told, client_of(log.keys.dump()))
    stranger = ChangingLog(log.origin).signer.vkey
    told = replace(followed, log_keys=followed.log_keys.replace(log.signers[0].vkey, stranger))
    with pytest.raises(ConfigurationFault, match="another history"):
        follow_log_key(tmp_path, told, client_of(log.keys.dump()))


def test_a_kept_answer_that_contradicts(log: ChangingLog, tmp_path: Path) -> None:
    """The old key enrolled us in a head of five entries, and now says that it ended at three."""
    entry, _key = create_key(tmp_path, "file", "2026-11-23T02:00:00Z", None)
    for signer, is_good in ((log.signers[1], True), (log.signers[0], False)):
        proof = log.proof(1, signer).decode()
        kept = {"enrolment": "AA==", "leaf_index": 1, "tlog_proof": proof}
        save_entry(tmp_path, load_entry(tmp_path, entry.public.keyid).enrolled(kept))
        if is_good:
            follow_log_key(tmp_path, pinned_to(log), client_of(log.keys.dump()))
        else:
            with pytest.raises(ConfigurationFault, match="contradicts what was signed before"):
                follow_log_key(tmp_path, pinned_to(log), client_of(log.keys.dump()))


def test_pinned_only_when_it_signs_what_is_answered(log: ChangingLog, tmp_path: Path) -> None:
    session = Session(tmp_path, Config(organisation=pinned_to(log)))
    client = client_of(log.keys.dump())
    stranger = NoteSigner(log.origin, PrivateKey.generate())
    with pytest.raises(SoftwareFault, match="does not prove what it should"):
        believing(session, client, lambda organisation: open_head(organisation, log.head(stranger)))
    assert load_config(tmp_path).organisation is None, "nothing was kept"
    found = believing(session, client, lambda organisation: open_head(organisation, log.head()))
    assert found.size == 5
    kept = load_config(tmp_path).organisation
    assert kept is not None
    assert kept.log_vkey == log.signer.vkey
    # For the next seal of the same run nothing is asked, nor said, again.
    silent = client_of(AssertionError("it was asked again"))
    assert believing(session, silent, lambda organisation: open_head(organisation, log.head())).size == 5


def test_a_notary_of_an_earlier_release(log: ChangingLog) -> None:
    refused = RefusedFault("nothing is here")
    assert fetch_log_keys(pinned_to(log), client_of(refused)) is None
