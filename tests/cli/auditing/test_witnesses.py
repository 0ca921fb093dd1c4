"""Cosignatures on the audited checkpoint: counted for the trust file's policy, never silently missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from mizheng.cli.auditing.faults import UndecidedFault
from mizheng.verifier.cosignature import WitnessSigner
from mizheng.verifier.note import NoteVerifier
from mizheng.verifier.policy import parse_policy
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.trust import Trust, TrustedLog, dump_trust

from tests.cli.auditing.conftest import Auditor
from tests.cli.runner import Mizheng
from tests.support.staticlog import StaticLog

WITNESSES = [WitnessSigner(f"witness.example/{number}", PrivateKey.generate()) for number in range(3)]
POLICY = parse_policy(
    "".join(f"witness {name} {item.witness.vkey}\n" for name, item in zip("ABC", WITNESSES, strict=True))
    + "group two 2 A B C\nquorum two\n"
)


@pytest.fixture
def trust(log: StaticLog) -> Trust:
    trusted = TrustedLog(NoteVerifier.from_vkey(log.vkey), 0, None)
    times = "2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
    return Trust("a court", *times, (trusted,), (), (), 1, (), witness_policy=POLICY)


def cosign(log: StaticLog, *numbers: int) -> None:
    note = (log.folder / "checkpoint").read_bytes()
    text = note.partition(b"\n\n")[0] + b"\n"
    log.write(
        "checkpoint", note + b"".join(WITNESSES[number].cosign(text, 1_700_000_000) for number in numbers)
    )


def test_a_quorum_is_named(log: StaticLog, trust: Trust, auditor: Auditor) -> None:
    cosign(log, 0, 2)
    audit = auditor(log.folder, trust=trust)
    assert (audit.cosigned, audit.is_quorum_met) == ({"A", "C"}, True)


def test_where_no_witness_is_asked_for_none_is_reported(
    log: StaticLog, trust: Trust, auditor: Auditor
) -> None:
    cosign(log, 0)
    audit = auditor(log.folder, trust=replace(trust, witness_policy=None))
    assert (audit.cosigned, audit.is_quorum_met) == (None, None)


def test_too_few_are_a_warning(log: StaticLog, trust: Trust, bare: Mizheng, tmp_path: Path) -> None:
    cosign(log, 1)
    path = tmp_path / "trust.toml"
    path.write_bytes(dump_trust(trust))
    result = bare("audit", str(log.folder), "--trust", path).ok()
    assert "witnesses: B\n" in result.out
    assert result.err == "warning: too few witnesses cosigned this checkpoint for the trust file's quorum\n"
    value = bare("audit", str(log.folder), "--trust", path, "--json").ok().json
    assert (value["witnesses"], value["quorum_met"]) == (["B"], False)


def test_a_broken_cosignature_decides_nothing(log: StaticLog, trust: Trust, auditor: Auditor) -> None:
    cosign(log, 0, 1)
    note = (log.folder / "checkpoint").read_bytes()
    other = WITNESSES[0].cosign(b"another text\n", 1_700_000_000)
    log.write("checkpoint", note.replace(note.splitlines(keepends=True)[5], other))
    with pytest.raises(UndecidedFault, match="does not check"):
        auditor(log.folder, trust=trust)
