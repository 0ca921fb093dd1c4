"""A requester and people of the company who approve, each with a home of his own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from mizheng.cli.sealfile.read import Seal

from tests.cli.runner import Mizheng, Result
from tests.support.lawful import BASIS, MATTER

INSTITUTE, EXPERT = "示例司法鉴定所", "鉴定人甲"
PUMP = ("--open", "drawings/pump.dwg", "--no-environment")
FOREVER = "2099-12-31"


def stranger(company: Mizheng, name: str) -> Mizheng:
    """Somebody else's machine: a home and a folder of its own."""
    folder = company.home.parent / name
    (folder / "work").mkdir(parents=True)
    return Mizheng(folder / "home", folder / "work")


def deposit_id(company: Mizheng) -> str:
    with Seal(company.cwd / "drawings.seal") as seal:
        assert seal.state.deposit is not None
        return seal.state.deposit.id


def ask(who: Mizheng, deposit: str, *more: str, name: str = EXPERT, output: str = "request.json") -> Path:
    """The request file that `who` makes."""
    (who.cwd / "undertaking.txt").write_text("仅用于本案。\n不复制。", "utf-8")
    who(
        *("access", "request", deposit, "--name", name, "--role", "appraiser"),
        *("--organisation", INSTITUTE, "--matter", MATTER, "--basis", BASIS, "--scope", "泵的图纸"),
        *("--undertaking", "undertaking.txt", "--store", "file", "-o", output),
        *(more if "--until" in more else ("--until", FOREVER, *more)),
    ).ok()
    return who.cwd / output


def key_of(who: Mizheng) -> dict[str, Any]:
    """The public key of who has a home, made if there is none."""
    told = who("access", "key", "--store", "file", "--json").ok().json
    assert isinstance(told, dict)
    return told


def colleague(company: Mizheng, name: str) -> Mizheng:
    """Somebody who may approve, on a machine of his own, with a copy of the seal and of what opens it."""
    who = stranger(company, f"of {name}")
    (who.home / "keys").mkdir(parents=True)
    for kept in ("seals.pub", "seals.txt"):
        shutil.copy(company.home / "keys" / kept, who.home / "keys")
    shutil.copy(company.cwd / "drawings.seal", who.cwd)
    company("access", "approvers", "add", name, key_of(who)["public_key"]).ok()
    return who


def approve(who: Mizheng, request: Path | str, requester: Mizheng, *more: str) -> Result:
    """An approval of the pump, with the fingerprint as the requester told it."""
    what = more if "--open" in more or "--like" in more else (*PUMP, *more)
    fingerprint = key_of(requester)["keyid"]
    return who("access", "approve", "drawings.seal", request, *what, "--fingerprint", fingerprint)


def look(company: Mizheng, *more: str, request: str = "1", name: str = "look.zip") -> Result:
    return company("bundle", "drawings.seal", "--access", request, "-o", name, *more)
