"""A log whose key changes, before witnesses that know the old key, the new one, or both."""

from __future__ import annotations

from pathlib import Path

import pytest
from mizheng.notary.instance import Instance, open_instance
from mizheng.notary.keys.rotation import Occasion, rotate_log
from mizheng.notary.witness.misbehaviour import Misbehaviour
from mizheng.notary.witness.state import WitnessState
from mizheng.notary.witness.witness import Witness
from mizheng.verifier.cosignature import WitnessSigner
from mizheng.verifier.note import NoteSigner, NoteVerifier
from mizheng.verifier.signature import PrivateKey

from tests.notary.witness.scene import Peer, Scene
from tests.notary.witness.servers import MemoryLog


class Watcher:
    """A witness, started with some keys of one log after another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.signer = WitnessSigner("witness.example/w", PrivateKey.generate())

    def ask(self, keys: list[NoteVerifier], log: MemoryLog, old: int, size: int) -> int:
        state = WitnessState(self.folder / "witness.db")
        try:
            witness = Witness(self.signer, keys, state, Misbehaviour(self.folder / "cases"))
            return witness.add_checkpoint(log.request(old, size).dump()).status
        finally:
            state.close()


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


def under(log: MemoryLog, signer: NoteSigner) -> MemoryLog:
    """The same tree, signed by another key."""
    other = MemoryLog(log.signer.verifier.name)
    other.signer = signer
    return other


def test_both_keys_and_one_state(log: MemoryLog, tmp_path: Path) -> None:
    watcher = Watcher(tmp_path)
    renewed = under(log, NoteSigner(log.signer.verifier.name, PrivateKey.generate()))
    old, new = log.signer.verifier, renewed.signer.verifier
    assert watcher.ask([old, new], log, 0, 3) == 200
    # What was cosigned under the old key binds the new one.
    assert watcher.ask([old, new], renewed.fork(2), 3, 5) == 403, "a fork has the other key"
    assert watcher.ask([old, new], renewed, 0, 5) == 409
    assert watcher.ask([old, new], renewed, 3, 5) == 200
    # From there on the old key leads nowhere, however well its head goes on.
    assert watcher.ask([old, new], log, 5, 6) == 403
    assert watcher.ask([old, new], log, 5, 5) == 403
    assert watcher.ask([old, new], renewed, 5, 6) == 200
    # Nor once the old key is not watched any more; the order says which is the later one.
    assert watcher.ask([new], log, 6, 7) == 403
    assert watcher.ask([new], renewed, 6, 7) == 200


def test_told_of_the_new_key_in_time_or_too_late(log: MemoryLog, tmp_path: Path) -> None:
    watcher = Watcher(tmp_path)
    renewed = under(log, NoteSigner(log.signer.verifier.name, PrivateKey.generate()))
    old, new = log.signer.verifier, renewed.signer.verifier
    assert watcher.ask([old], log, 0, 3) == 200
    assert watcher.ask([old], renewed, 3, 5) == 403
    # After a theft: the new key in the place of the old one, the state stays.
    assert watcher.ask([new], renewed, 0, 5) == 409
    assert watcher.ask([new], renewed, 3, 5) == 200


def renew(scene: Scene) -> Instance:
    """Change the log's key under a scene."""
    settings = scene.instance.settings
    rotate_log(settings, Occasion())
    scene.instance = open_instance(settings)
    return scene.instance


def teach(peer: Peer, *keys: NoteVerifier) -> None:
    cases = Misbehaviour(peer.folder / "cases")
    peer.witness = Witness(peer.signer, keys, peer.state, cases)


def test_the_notary_asks_on(instance: Instance, tmp_path: Path) -> None:
    """East knows both keys; west came later, and was told the new one only."""
    scene = Scene(instance, tmp_path)
    old = instance.signer.verifier
    scene.grow(3)
    scene.choose()
    scene.east.run()
    scene.choose(20)
    early = scene.keep()
    assert early == 3
    assert scene.names(early) >= {"east"}
    new = renew(scene).signer.verifier
    teach(scene.east, old, new)
    teach(scene.west, new)
    scene.state(scene.west)
    scene.grow(2)
    for _ in range(3):
        scene.now += 120
        scene.turn()
    late = scene.published.head.tree_size
    assert late == 6
    # Once refused for what the old key signed, west is asked about what the new one signs.
    assert scene.names(late) == {"east", "west"}
    assert scene.names(early) == {"east"}
    assert scene.published.quorum == "met"
    assert scene.state(scene.west) == ("ok", late)
    assert len(scene.west.asked) <= 4
    scene.instance.engine.dispose()
