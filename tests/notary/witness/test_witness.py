"""What a witness answers: each status of C2SP tlog-witness, and what stays in its file."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.witness import misbehaviour as kept
from mizheng.notary.witness.misbehaviour import FORKED, UNPROVEN, Misbehaviour
from mizheng.notary.witness.run import open_witness
from mizheng.notary.witness.state import WitnessState
from mizheng.notary.witness.witness import Answer, Witness
from mizheng.verifier.cosignature import WitnessSigner
from mizheng.verifier.note import NoteSigner, join_note, parse_note
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.witnessing import AddCheckpoint, take_cosignature

from tests.notary.witness.servers import MemoryLog
from tests.support.scale import scaled

AT = 1_800_000_000
SIZE = "text/x.tlog.size"


class Scene:
    """One log and one witness in this process."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.folder = folder
        self.log = MemoryLog()
        self.signer = WitnessSigner("witness.example/w", PrivateKey.generate())
        self.state = WitnessState(folder / "witness.db")
        self.cases = Misbehaviour(folder / "cases")
        self.witness = Witness(
            self.signer, [self.log.signer.verifier], self.state, self.cases, clock=lambda: AT
        )

    def ask(self, request: AddCheckpoint | bytes) -> Answer:
        return self.witness.add_checkpoint(request if isinstance(request, bytes) else request.dump())

    def cosign(self, old: int, size: int, log: MemoryLog | None = None) -> None:
        request = (log or self.log).request(old, size)
        answer = self.ask(request)
        assert answer.status == 200, answer
        text = parse_note(request.note).text
        line, time = take_cosignature(answer.body, text, self.signer.witness)
        assert (line, time) == (answer.body, AT)

    def refuse(self, request: AddCheckpoint | bytes, status: int, size: int | None = None) -> None:
        answer = self.ask(request)
        assert answer.status == status, answer
        if size is not None:
            assert (answer.body, answer.media_type) == (b"%d\n" % size, SIZE)

    def seen(self) -> int:
        with self.state.changing():
            return self.state.load(self.log.signer.verifier.name).tree_size

    def evidence(self) -> list[dict[str, object]]:
        return [
            json.loads(path.read_text("utf-8")) for path in sorted((self.folder / "cases").glob("*.json"))
        ]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.state.close()


def test_heads_that_extend_each_other_are_cosigned(scene: Scene) -> None:
    for old, size in ((0, 1), (1, 2), (2, 7), (7, 8), (8, 8), (8, 300)):
        scene.cosign(old, size)
    assert scene.seen() == 300


def test_the_empty_log_is_cosigned(scene: Scene) -> None:
    scene.cosign(0, 0)
    scene.cosign(0, 5)


def test_another_old_size_is_told_the_right_one(scene: Scene) -> None:
    scene.refuse(scene.log.request(3, 7), 409, 0)
    scene.cosign(0, 7)
    scene.refuse(scene.log.request(0, 9), 409, 7)
    scene.refuse(scene.log.request(5, 9), 409, 7)
    # Smaller than what was cosigned: never again.
    scene.refuse(scene.log.request(0, 5), 409, 7)
    assert scene.seen() == 7
    assert scene.evidence() == []


def test_an_old_size_larger_than_the_checkpoint(scene: Scene) -> None:
    scene.refuse(AddCheckpoint(8, (), scene.log.note(7)), 400)


def test_a_log_that_is_not_watched(scene: Scene) -> None:
    scene.refuse(MemoryLog("log.example/2").request(0, 3), 404)


def test_a_checkpoint_that_the_log_did_not_sign(scene: Scene) -> None:
    scene.refuse(MemoryLog().request(0, 3), 403)
    text = scene.log.head(3).text()
    wrong = NoteSigner(scene.log.signer.verifier.name, scene.log.key).sign(text + b"x\n")
    scene.refuse(AddCheckpoint(0, (), join_note(text, [wrong])), 403)
    # A cosignature by this witness itself is no signature of the log.
    scene.refuse(AddCheckpoint(0, (), join_note(text, [scene.signer.cosign(text, AT)])), 403)
    assert scene.seen() == 0


def test_signatures_of_others_are_passed_over(scene: Scene) -> None:
    text = scene.log.head(3).text()
    others = [MemoryLog().signer.sign(text), WitnessSigner("x", PrivateKey.generate()).cosign(text, AT)]
    answer = scene.ask(
        AddCheckpoint(0, (), join_note(text, [others[0], scene.log.signer.sign(text), others[1]]))
    )
    assert answer.status == 200


def test_extension_lines_are_cosigned_with_the_rest(scene: Scene) -> None:
    text = scene.log.head(3).text() + b"an extension\n"
    answer = scene.ask(AddCheckpoint(0, (), join_note(text, [scene.log.signer.sign(text)])))
    assert take_cosignature(answer.body, text, scene.signer.witness)[1] == AT


@pytest.mark.parametrize("change", ["none", "longer", "shorter", "other"])
def test_a_proof_that_does_not_hold(scene: Scene, change: str) -> None:
    scene.cosign(0, 5)
    request = scene.log.request(5, 9)
    proof = {
        "none": (),
        "longer": (*request.proof, bytes(32)),
        "shorter": request.proof[:-1],
        "other": (*request.proof[:-1], bytes(32)),
    }[change]
    scene.refuse(AddCheckpoint(5, proof, request.note), 422)
    assert scene.seen() == 5
    (case,) = scene.evidence()
    assert case["kind"] == UNPROVEN
    scene.cosign(5, 9)


def test_a_proof_where_none_belongs(scene: Scene) -> None:
    scene.refuse(AddCheckpoint(0, (bytes(32),), scene.log.note(3)), 422)
    scene.cosign(0, 3)
    scene.refuse(AddCheckpoint(3, (bytes(32),), scene.log.note(3)), 422)


def test_a_fork_is_refused_and_written_down(scene: Scene) -> None:
    scene.cosign(0, 8)
    fork = scene.log.fork(5)
    fork.grow(12)
    scene.refuse(fork.request(8, 8), 409, 8)
    scene.refuse(fork.request(8, 12), 422)
    scene.refuse(fork.request(5, 12), 409, 8)
    assert scene.seen() == 8
    forked, unproven = sorted(scene.evidence(), key=lambda case: str(case["kind"]), reverse=True)
    assert (forked["kind"], unproven["kind"]) == (FORKED, UNPROVEN)
    # Two checkpoints of one size, both by the log: that convicts it without this witness.
    assert forked["cosigned_checkpoint"] == scene.log.note(8).decode()
    assert forked["refused_checkpoint"] == fork.note(8).decode()
    assert forked["origin"] == "log.example/1"
    # Whatever old size it comes with.
    scene.refuse(fork.request(0, 8), 409, 8)
    assert len(scene.evidence()) == 2
    scene.cosign(8, 9)


def test_a_fork_is_written_down_once_whoever_else_signs_it(scene: Scene) -> None:
    scene.cosign(0, 8)
    note = scene.log.fork(5).note(8)
    for _ in range(3):
        scene.refuse(AddCheckpoint(8, (), note + MemoryLog().signer.sign(b"whatever\n")), 409)
    assert len(scene.evidence()) == 1


def test_made_up_proofs_do_not_fill_the_disk(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MAX_UNPROVEN", 3)
    scene.cosign(0, 5)
    for size in range(6, 12):
        scene.refuse(AddCheckpoint(5, (), scene.log.note(size)), 422)
    assert len(scene.evidence()) == 3
    scene.refuse(scene.log.fork(2).request(5, 5), 409)
    assert len(scene.evidence()) == 4


def test_several_keys_of_one_log(tmp_path: Path) -> None:
    old, fresh = MemoryLog(), MemoryLog()
    state = WitnessState(tmp_path / "witness.db")
    keys = [old.signer.verifier, fresh.signer.verifier]
    witness = Witness(
        WitnessSigner("w", PrivateKey.generate()), keys, state, Misbehaviour(tmp_path / "cases")
    )
    assert witness.add_checkpoint(old.request(0, 3).dump()).status == 200
    assert witness.add_checkpoint(fresh.request(3, 6).dump()).status == 200


@pytest.mark.parametrize(
    "body", [b"", b"old 0\n", b"old 0\n\n", b"old 00\n\n", b"\xff\xfe", b"old 0\n\nx\n1\n\n"]
)
def test_malformed_bodies(scene: Scene, body: bytes) -> None:
    scene.refuse(body, 400)
    scene.refuse(body + scene.log.note(3)[: 40 if body.startswith(b"old 0\n\n") else None], 400)
    assert scene.seen() == 0


def test_two_requests_at_once_never_roll_back(scene: Scene) -> None:
    """All heads at once, over and over: what is stored only grows, and no two answers contradict."""
    rounds, threads = scaled(30, 1000), 8
    answered: list[tuple[int, int]] = []
    guard = threading.Lock()
    for number in range(rounds):
        old = scene.seen()
        sizes = [old + extra for extra in range(1, threads + 1)]
        requests = [scene.log.request(old, size) for size in sizes]
        together = threading.Barrier(threads)

        def ask(request: AddCheckpoint, size: int, together: threading.Barrier = together) -> int:
            together.wait()
            status = scene.ask(request).status
            with guard:
                answered.append((size, status))
            return status

        with ThreadPoolExecutor(threads) as pool:
            statuses = list(pool.map(ask, requests, sizes))
        assert sorted(statuses) == [200] + [409] * (threads - 1), number
        (winner,) = [size for size, status in zip(sizes, statuses, strict=True) if status == 200]
        assert scene.seen() == winner


def test_key_and_state_belong_together(tmp_path: Path) -> None:
    key, state = tmp_path / "w" / "witness.pem", tmp_path / "w" / "witness.db"
    signer, opened = open_witness(key, state, [])
    opened.close()
    assert key.stat().st_mode & 0o777 == 0o600
    again, opened = open_witness(key, state, [])
    opened.close()
    assert again.witness.vkey == signer.witness.vkey

    # Another name is another witness.
    with pytest.raises(ConfigurationError, match="belongs to the witness"):
        open_witness(key, state, [], "witness.example/other")
    # Whoever forgets what he cosigned cosigns a fork.
    state.rename(tmp_path / "away.db")
    with pytest.raises(ConfigurationError, match="is missing"):
        open_witness(key, state, [])
    (tmp_path / "away.db").rename(state)
    # A new key does not take over another one's state.
    key.unlink()
    with pytest.raises(ConfigurationError, match="belongs to the witness"):
        open_witness(key, state, [])


def test_a_name_is_kept(tmp_path: Path) -> None:
    key, state = tmp_path / "witness.pem", tmp_path / "witness.db"
    for name in ("witness.example/w", None, "witness.example/w"):
        signer, opened = open_witness(key, state, [], name)
        opened.close()
        assert signer.witness.name == "witness.example/w"


def test_keys_that_are_refused(tmp_path: Path) -> None:
    log = MemoryLog()
    key = tmp_path / "witness.pem"
    key.write_bytes(log.key.to_pem())
    key.chmod(0o600)
    state = WitnessState(tmp_path / "witness.db")
    state.close()
    with pytest.raises(ConfigurationError, match="is a log's key"):
        open_witness(key, tmp_path / "witness.db", [log.signer.verifier])
    key.chmod(0o644)
    with pytest.raises(ConfigurationError, match="open to other accounts"):
        open_witness(key, tmp_path / "witness.db", [])
    key.unlink()
    key.write_bytes(PrivateKey.generate("p256").to_pem())
    key.chmod(0o600)
    with pytest.raises(ConfigurationError, match="Ed25519"):
        open_witness(key, tmp_path / "witness.db", [])
    key.write_bytes(b"nothing")
    with pytest.raises(ConfigurationError, match="PKCS#8"):
        open_witness(key, tmp_path / "witness.db", [])
