"""Witness quorums in bundles: met, not met, broken, not asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from mizheng.verifier.checkpoint import parse_tlog_proof
from mizheng.verifier.cosignature import WitnessSigner
from mizheng.verifier.errors import FormatError
from mizheng.verifier.note import parse_note
from mizheng.verifier.policy import parse_policy
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.trust import dump_trust, parse_trust

from tests.support.world import Company, World, failed, judge, statuses

AT = 1_700_000_000


class Scene:
    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        company = self.world.enrol(Company())
        deposit = self.world.deposit(company)
        self.members = self.world.bundle(deposit, [self.world.anchor()])
        self.witnesses = [WitnessSigner(f"w{n}.example", PrivateKey.generate()) for n in range(3)]

    def policy(self, quorum: str = "two") -> str:
        lines = [f"witness W{n} {item.witness.vkey}" for n, item in enumerate(self.witnesses)]
        return "\n".join([*lines, "group two 2 W0 W1 W2", f"quorum {quorum}", ""])

    def cosigned(self, *lines: bytes) -> dict[str, bytes]:
        """The bundle with further lines under its one checkpoint, in the enrolment's proof too."""
        return {
            name: data + b"".join(lines) if name.endswith(".tlog-proof") else data
            for name, data in self.members.items()
        }

    def line(self, number: int) -> bytes:
        name = next(name for name in self.members if name.startswith("heads/"))
        text = parse_note(parse_tlog_proof(self.members[name]).note).text
        return self.witnesses[number].cosign(text, AT)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("witnesses"))


def trust(scene: Scene, quorum: str = "two", **more: object) -> object:
    return scene.world.trust(witness_policy=parse_policy(scene.policy(quorum)), **more)


def test_quorum_met(scene: Scene) -> None:
    report = judge(scene.cosigned(scene.line(0), scene.line(2)), trust(scene, require=("witness.quorum",)))
    assert statuses(report, "witness.quorum") == ["PASS"]
    assert report.verdict == "valid"


def test_quorum_not_met_is_not_passed(scene: Scene) -> None:
    report = judge(scene.cosigned(scene.line(0)), trust(scene, require=("witness.quorum",)))
    assert statuses(report, "witness.quorum") == ["NOT_CHECKED"]
    assert report.verdict == "undetermined"
    assert report.missing == ("witness.quorum",)


def test_one_witness_twice_counts_once(scene: Scene) -> None:
    report = judge(scene.cosigned(scene.line(0), scene.line(0)), trust(scene))
    assert statuses(report, "witness.quorum") == ["NOT_CHECKED"]


def test_a_broken_cosignature_of_a_known_witness_fails(scene: Scene) -> None:
    other = scene.witnesses[1].cosign(b"another\n1\ntext\n", AT)
    report = judge(scene.cosigned(scene.line(0), scene.line(2), other), trust(scene))
    assert failed(report) == {"witness.quorum"}


def test_an_unknown_witness_is_passed_over(scene: Scene) -> None:
    stranger = WitnessSigner("w0.example", PrivateKey.generate()).cosign(b"text\n", AT)
    report = judge(scene.cosigned(stranger, scene.line(0), scene.line(1)), trust(scene))
    assert statuses(report, "witness.quorum") == ["PASS"]


def test_cosignatures_without_a_policy_are_not_checked(scene: Scene) -> None:
    report = judge(scene.cosigned(scene.line(0)), scene.world.trust())
    assert statuses(report, "witness.quorum") == ["NOT_CHECKED"]
    assert report.verdict == "valid"


def test_a_policy_that_asks_for_nobody_passes_nothing(scene: Scene) -> None:
    report = judge(scene.cosigned(scene.line(0)), trust(scene, "none"))
    assert statuses(report, "witness.quorum") == ["NOT_PROVIDED"]


def test_the_policy_survives_the_trust_file(scene: Scene) -> None:
    given = trust(scene)
    again = parse_trust(dump_trust(given))  # type: ignore[arg-type]
    assert again.witness_policy and again.witness_policy.text == scene.policy()


def test_a_log_is_not_its_own_witness(scene: Scene) -> None:
    own = WitnessSigner("w9.example", scene.world.log_key).witness
    policy = parse_policy(f"witness A {own.vkey}\nquorum A\n")
    with pytest.raises(FormatError, match="log's own key"):
        scene.world.trust(witness_policy=policy)
