"""Two notaries that witness each other, as docs/operating.md sets them up, up to the verdict on a bundle."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from mizheng.verifier.checkpoint import parse_checkpoint
from mizheng.verifier.cosignature import WitnessKey
from mizheng.verifier.note import parse_note
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.trust import parse_trust

from tests.cli.runner import Mizheng
from tests.notary.witness.servers import MemoryLog, WitnessServer
from tests.support.notary import NotaryServer
from tests.support.plain import NO_TLS

WAIT = 3


@dataclass
class House:
    """A notary, and the witness that the same people run for the other one."""

    notary: NotaryServer
    witness: WitnessServer
    company: Mizheng

    def vkey(self) -> str:
        return str(json.loads(self.notary.run("status", "--json").stdout)["log key"])

    def ask(self, witness: WitnessServer) -> None:
        """Write the other's witness into notary.toml."""
        text = (
            f'[witnesses]\npolicy = """\n{witness.policy_line("other")}\nquorum other\n"""\nwait = {WAIT}\n'
        )
        (self.notary.data_dir / "notary.toml").write_text(text, "utf-8")

    def begin(self) -> None:
        self.notary.start()
        _org, api_key = self.notary.add_org()
        self.company("init", "--notary", self.notary.url, "--store", "file", stdin=api_key).ok()

    def get(self, path: str) -> httpx.Response:
        with httpx.Client(trust_env=False, verify=NO_TLS, timeout=30) as client:
            return client.get(self.notary.url + path)

    def checkpoint(self) -> tuple[int, str, set[str]]:
        """Size, how the quorum stands, and who signed."""
        answer = self.get("/checkpoint")
        note = parse_note(answer.content)
        names = {line.name for line in note.signatures}
        return parse_checkpoint(note.text).size, answer.headers["mizheng-witness-quorum"], names

    def ready(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/readyz").json()
        return found

    def metric(self, name: str) -> float:
        found = re.search(rf"^{name} (\S+)$", self.get("/metrics").text, re.MULTILINE)
        assert found
        return float(found[1])

    def rest(self) -> None:
        """Until the last entry, which a bundle leaves behind, is in the published head."""
        wait_until(lambda: self.checkpoint()[0] == self.metric("mizheng_tree_size"))

    def bundle(self, name: str) -> Path:
        """Seal, deposit, wait until final, bundle."""
        folder = self.company.cwd / name
        folder.mkdir()
        (folder / "drawing.txt").write_text(f"secret {name}", "utf-8")
        self.company("seal", name).ok()
        self.company("notarize", f"{name}.seal").ok()
        self.company("status", f"{name}.seal", "--wait", "--timeout", "60").ok()
        out = self.company.cwd / f"{name}.zip"
        self.make_bundle(name, out)
        return out

    def make_bundle(self, name: str, out: Path) -> None:
        purpose = ("--for", "court", "--purpose", "test")
        self.company("bundle", f"{name}.seal", "--open", f"{name}/drawing.txt", *purpose, "-o", out).ok()

    def verify(self, bundle: Path, *options: str) -> tuple[str, list[str]]:
        """Verdict, and the statuses of witness.quorum, by a trust file as of now."""
        trust = self.company.cwd / "trust.toml"
        self.notary.run("trust", "export", "-o", str(trust), *options)
        found = self.company("verify", bundle, "--trust", trust, "--json")
        report = json.loads(found.out)
        quorum = [check["status"] for check in report["checks"] if check["code"] == "witness.quorum"]
        return report["verdict"], quorum


def wait_until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, House]]:
    made = []
    for name in ("a", "b"):
        folder = tmp_path_factory.mktemp(name)
        (folder / "work").mkdir()
        house = House(
            NotaryServer(folder / "notary"),
            WitnessServer(folder / "witness"),
            Mizheng(folder / "home", folder / "work"),
        )
        made.append(house)
    one, other = made
    try:
        # 1. Each tells the other its log's key. 2. Each starts a witness for the other's log.
        one.witness.logs, other.witness.logs = [other.vkey()], [one.vkey()]
        for house in made:
            house.witness.start()
        # 3. Each puts the other's witness into notary.toml. 4. Both serve.
        one.ask(other.witness)
        other.ask(one.witness)
        for house in made:
            house.begin()
        yield one, other
    finally:
        for house in made:
            house.notary.stop()
            house.witness.stop()


def test_both_are_witnessed_by_the_other(houses: tuple[House, House]) -> None:
    for house, other in (houses, houses[::-1]):
        bundle = house.bundle("met")
        assert house.verify(bundle, "--require-witnesses") == ("valid", ["PASS"])
        house.rest()
        size, quorum, names = house.checkpoint()
        assert quorum == "met"
        assert other.witness.witness and other.witness.witness.name in names
        checks = house.ready()["checks"]
        assert checks["witnesses"]["state"] == "ok"
        assert checks["witnesses"]["detail"] == f"published size {size}, last quorum at {size}"
        assert checks["witness.other"]["state"] == "ok"
        assert house.metric("mizheng_witness_quorum_met") == 1
        assert house.metric("mizheng_witness_quorum_size") == size
        status = json.loads(house.notary.run("status", "--json").stdout)
        assert (status["witness quorum"], status["witness other"]) == ("met", "ok")


def test_what_is_exported(houses: tuple[House, House], tmp_path: Path) -> None:
    house, other = houses
    path = house.notary.export_trust(tmp_path / "trust.toml")
    trust = parse_trust(path.read_bytes())
    assert trust.witness_policy
    assert trust.witness_policy.text == f"witness other {other.witness.vkey}\nquorum other\n"
    assert "witness.quorum" not in trust.require
    house.notary.run("trust", "export", "-o", str(path), "--require-witnesses")
    assert "witness.quorum" in parse_trust(path.read_bytes()).require
    shown = house.company("trust", "show", path).ok().out
    assert f"witness: other, {other.witness.vkey}" in shown
    assert "the quorum is other" in shown


def test_a_witness_that_is_away(houses: tuple[House, House]) -> None:
    """Deposits and anchors go on; every place says that the quorum is not met; later it is made good."""
    house, other = houses
    other.witness.kill()
    bundle = house.bundle("away")
    assert house.verify(bundle) == ("valid", ["NOT_CHECKED"])
    assert house.verify(bundle, "--require-witnesses") == ("undetermined", ["NOT_CHECKED"])
    size, quorum, names = house.checkpoint()
    assert (quorum, len(names)) == ("not-met", 1)
    ready = house.ready()
    assert ready["state"] == "degraded"
    assert ready["checks"]["witnesses"]["state"] == "quorum-not-met"
    assert ready["checks"]["witness.other"]["state"] == "unreachable"
    assert house.metric("mizheng_witness_quorum_met") == 0
    assert house.metric("mizheng_witness_quorum_size") < size
    status = json.loads(house.notary.run("status", "--json").stdout)
    assert (status["witness quorum"], status["witness other"]) == ("not-met", "unreachable")
    # The other notary's log is witnessed as before.
    assert other.checkpoint()[1] == "met"

    other.witness.start()
    wait_until(lambda: house.checkpoint()[1] == "met", 90)
    assert house.ready()["state"] == "ready"
    # The head that was anchored meanwhile is cosigned too: a new bundle has it.
    again = house.company.cwd / "again.zip"
    house.company("status", "away.seal").ok()
    house.make_bundle("away", again)
    assert house.verify(again, "--require-witnesses") == ("valid", ["PASS"])


def test_a_notary_that_shows_another_history(houses: tuple[House, House]) -> None:
    """Somebody with the log's key asks the witness about a fork: refused, recorded, and the log goes on."""
    house, other = houses
    key = PrivateKey.from_pem((house.notary.data_dir / "keys" / "log.pem").read_bytes())
    house.rest()
    size = house.checkpoint()[0]
    name = json.loads(house.notary.run("status", "--json").stdout)["origin"]
    thief = MemoryLog(name, key)
    answer = other.witness.add_checkpoint(thief.request(size, size))
    assert (answer.status_code, answer.content) == (409, b"%d\n" % size)
    assert list(other.witness.misbehaviour.glob("two-roots-of-one-size-*.json"))
    assert house.verify(house.bundle("still"), "--require-witnesses")[0] == "valid"


def test_witnesses_have_keys_of_their_own(houses: tuple[House, House]) -> None:
    keys = {WitnessKey.from_vkey(house.witness.vkey).key.keyid for house in houses}
    assert len(keys) == 2
