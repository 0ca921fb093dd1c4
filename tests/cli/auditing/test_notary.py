"""A running notary, audited as any stranger may."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
from mizheng.verifier.tiles import format_tile_path, tile_width

from tests.cli.runner import Mizheng
from tests.support.notary import NotaryServer


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


def copy_log(url: str, folder: Path, least: int) -> Path:
    """A static copy of a log of less than 65,536 entries."""
    with httpx.Client(base_url=url, trust_env=False) as client:
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
