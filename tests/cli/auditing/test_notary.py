"""A running notary, audited as any stranger may."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import httpx
from mizheng.verifier.tiles import format_tile_path, tile_width

from tests.cli.runner import Mizheng
from tests.support.anvil import Anvil
from tests.support.notary import NotaryServer
from tests.support.plain import NO_TLS


def test_a_notary_and_its_mirror(company: Mizheng, notary: NotaryServer, tmp_path: Path) -> None:
    trust = notary.export_trust(tmp_path / "trust.toml")
    first = company("audit", notary.url, "--trust", trust, "--json").ok().json
    assert first["size"] == first["checked"] >= 1
    (company.cwd / "plan.txt").write_text("the plan", "utf-8")
    company("seal", "plan.txt", "-o", "plan.seal").ok()
    company("notarize", "plan.seal").ok()
    then = company("audit", notary.url, "--json").ok().json
    assert then["size"] > first["size"] == then["seen_size"]
    assert then["checked"] == then["size"] - first["size"]
    assert then["unknown_entries"] == 0
    mirror = copy_log(notary.url, tmp_path / "mirror", then["size"])
    copied = company("audit", str(mirror), "--trust", trust, "--json").ok().json
    assert copied["checked"] >= then["size"]
    place = mirror / "tile" / "entries" / format_tile_path(0, tile_width(0, 0, copied["size"]))
    data = bytearray(place.read_bytes())
    data[40] ^= 1
    place.write_bytes(data)
    state = tmp_path / "other.json"
    broken = company("audit", str(mirror), "--trust", trust, "--since", state)
    assert broken.code == 1
    assert list(tmp_path.glob("other-entry-*.json"))
    shutil.rmtree(mirror)


def test_a_notary_and_its_chain(bare: Mizheng, anvil: Anvil, tmp_path: Path) -> None:
    # Anchored on a node, exported into a trust file, compared by a stranger with that node.
    del anvil
    with Anvil(chain_id=31340, slots_in_an_epoch=1, block_time=1) as node:
        server = NotaryServer(tmp_path / "notary", MIZHENG_ANCHOR_INTERVAL="0.5")
        account = server.run("chain", "address").stdout.strip()
        node.rpc("anvil_setBalance", account, hex(10**18))
        server.run("chain", "deploy", "--rpc", node.url, "--name", "anvil")
        with server:
            _org, api_key = server.add_org()
            bare("init", "--notary", server.url, "--store", "file", stdin=api_key).ok()
            (bare.cwd / "plan.txt").write_text("the plan", "utf-8")
            bare("seal", "plan.txt", "-o", "plan.seal").ok()
            bare("notarize", "plan.seal").ok()
            deadline = time.monotonic() + 60
            while bare("status", "plan.seal", "--json").json["state"] not in ("anchored", "final"):
                assert time.monotonic() < deadline
            trust = server.export_trust(tmp_path / "trust.toml")
            audit = bare("audit", server.url, "--trust", trust, "--rpc", node.url, "--json").ok().json
    (chain,) = audit["chains"]
    assert chain["events_listed"]
    assert 2 <= chain["size"] <= audit["size"]
    assert 1 <= chain["compared"] <= chain["size"]


def copy_log(url: str, folder: Path, least: int) -> Path:
    """A static copy of a log of less than 65,536 entries."""
    with httpx.Client(base_url=url, trust_env=False, verify=NO_TLS) as client:
        note = client.get("/checkpoint").content
        size = int(note.split(b"\n")[1])
        assert size >= least
        tiles = range(-(-size // 256))
        names = [
            f"{kind}/{format_tile_path(i, tile_width(0, i, size))}"
            for kind in ("0", "entries")
            for i in tiles
        ]
        if size >= 256:
            names.append(f"1/{format_tile_path(0, tile_width(1, 0, size))}")
        for name in [f"tile/{name}" for name in names]:
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(client.get(f"/{name}").raise_for_status().content)
    (folder / "checkpoint").write_bytes(note)
    return folder
