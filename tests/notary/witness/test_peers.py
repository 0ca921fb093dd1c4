"""With a witness that we did not write, and ours with a log's client that we did not write."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from mizheng.notary.cosigning.asking import WitnessAsker
from mizheng.notary.cosigning.witnesses import WitnessPeer
from mizheng.notary.database import reading, writing
from mizheng.notary.instance import Instance
from mizheng.notary.models import cosignatures, witnesses
from mizheng.verifier.cosignature import WitnessKey
from mizheng.verifier.witnessing import cosigned_note
from sqlalchemy import func, select

from tests.notary.witness.peers import install_peers
from tests.notary.witness.scene import Scene
from tests.notary.witness.servers import MemoryLog, WitnessServer
from tests.support.plain import NO_TLS
from tests.support.ports import take_port

# Feeds heads to a witness: (old size → proof) from the files that are named.
FEED = """
import json, sys
from aics_witness.feeder import WitnessClient, WitnessRejected
url, vkey, name = sys.argv[1:]
told = []
with WitnessClient(url, vkey) as client:
    for head in json.load(open(name)):
        proofs = {int(old): [bytes.fromhex(item) for item in proof] for old, proof in head["proofs"].items()}
        try:
            told.append(client.submit(head["note"].encode(), lambda old, new: proofs[old]))
        except WitnessRejected as error:
            told.append(error.status)
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def commands() -> Path:
    found = install_peers()
    if found is None:
        pytest.skip("no Python 3.12 or later here, which aics-witness and aics-tlog need")
    return found


@pytest.fixture
def scene(instance: Instance, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(instance, tmp_path)
    made.now = time.time()
    yield made
    for peer in (made.east, made.west):
        peer.state.close()


class AicsWitness:
    """aics-witness for one log, as a process."""

    def __init__(self, commands: Path, folder: Path, log_vkey: str) -> None:
        folder.mkdir()
        self._command = [str(commands / "aics-witness")]
        self._config = ["--config", str(folder / "witness.json")]
        made = self.run("init", "--name", "witness.example/aics")
        (vkey,) = [word for word in made.split() if word.startswith("witness.example/aics+")]
        self.key = WitnessKey.from_vkey(vkey)
        self.run("add-log", "--origin", log_vkey.partition("+")[0], "--vkey", log_vkey)
        self.url = f"http://127.0.0.1:{take_port()}"
        listen = ("--listen", self.url.removeprefix("http://"))
        self._process = subprocess.Popen([*self._command, "serve", *self._config, *listen])
        deadline = time.monotonic() + 30
        while not self._answers():
            assert self._process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)

    def run(self, command: str, *arguments: str) -> str:
        line = [*self._command, command, *self._config, *arguments]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)

    def _answers(self) -> bool:
        try:
            with httpx.Client(trust_env=False, verify=NO_TLS) as client:
                return client.get(f"{self.url}/healthz").status_code == 200
        except httpx.HTTPError:
            return False


def test_a_witness_of_others_cosigns_our_log(scene: Scene, commands: Path, tmp_path: Path) -> None:
    witness = AicsWitness(commands, tmp_path / "aics", scene.instance.signer.vkey)
    peer = WitnessPeer("east", witness.key, witness.url)
    asker = WitnessAsker(scene.instance.engine, peer, clock=scene.clock)
    try:
        for size in (1, 4, 9, 300):
            scene.grow(size - scene.published.head.tree_size)
            scene.choose()
            assert asker.step()
            assert not asker.step()
            assert cosigned_by(scene, witness.key) == size
            # Without a second witness the head is published when it has been waited for.
            scene.choose(11)
            assert scene.published.head.tree_size == size
        # What it cosigned last is forgotten here: it says the size, and is asked once more.
        forget(scene)
        scene.grow(5)
        scene.choose()
        assert asker.step()
        assert cosigned_by(scene, witness.key) == 305
        status = json.loads(witness.run("status", "--json"))
        assert "305" in json.dumps(status)
        # Another history under the same key.
        thief = MemoryLog(scene.instance.origin, scene.instance.keys.log)
        with httpx.Client(trust_env=False, verify=NO_TLS) as client:
            answer = client.post(f"{witness.url}/add-checkpoint", content=thief.request(305, 305).dump())
        assert answer.status_code in (409, 422)
    finally:
        asker.close()
        witness.stop()


def cosigned_by(scene: Scene, key: WitnessKey) -> int:
    query = select(func.max(cosignatures.c.tree_size)).where(cosignatures.c.vkey == key.vkey)
    with reading(scene.instance.engine) as connection:
        return int(connection.execute(query).scalar_one())


def forget(scene: Scene) -> None:
    with writing(scene.instance.engine) as connection:
        connection.execute(witnesses.delete())


def test_our_witness_cosigns_for_a_client_of_others(commands: Path, tmp_path: Path) -> None:
    log = MemoryLog()
    with WitnessServer(tmp_path / "witness", log.vkey) as server:
        fork = log.fork(5)
        heads = [
            *({"note": log.note(size).decode(), "proofs": proofs(log, size)} for size in (1, 5, 5, 8, 300)),
            {"note": fork.note(300).decode(), "proofs": proofs(fork, 300)},
            {"note": fork.note(301).decode(), "proofs": proofs(fork, 301)},
        ]
        (tmp_path / "heads.json").write_text(json.dumps(heads), "utf-8")
        told = json.loads(
            run(str(commands / "python"), "-c", FEED, server.url, server.vkey, str(tmp_path / "heads.json"))
        )
        assert told[5:] == [409, 422]
        assert all(str(line).startswith("— mizheng.invalid/witness/") for line in told[:5])
        # Their verifier on our cosignature.
        note = tmp_path / "checkpoint.note"
        note.write_bytes(cosigned_note(log.note(300), [told[4].encode()]))
        keys = ("--log-key", log.vkey, "--witness-key", server.vkey, "--quorum", "1")
        origin = ("--origin", "log.example/1")
        run(str(commands / "aics-tlog"), "verify-checkpoint", "--note", str(note), *keys, *origin)
        note.write_bytes(log.note(300))
        with pytest.raises(subprocess.CalledProcessError):
            run(str(commands / "aics-tlog"), "verify-checkpoint", "--note", str(note), *keys, *origin)


def proofs(log: MemoryLog, size: int) -> dict[str, list[str]]:
    known = [old for old in (0, 1, 5, 8, 300) if old <= size]
    return {str(old): [item.hex() for item in log.request(old, size).proof] for old in known}


def run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
