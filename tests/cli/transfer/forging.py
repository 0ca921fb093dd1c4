"""Transfers as an attacker makes them: opened with the court's key, changed, encrypted to it again."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyrage
from mizheng.cli.config import load_config
from mizheng.cli.keys.identities import parse_recipient
from mizheng.cli.keys.signing import load_entry, unlock
from mizheng.cli.session import Session
from mizheng.cli.transfer.container import DOCUMENT
from mizheng.cli.transfer.documents import parse_transfer
from mizheng.cli.transfer.me import load_cards, load_own_identities
from mizheng.verifier.signature import PrivateKey

from tests.cli.runner import Mizheng
from tests.cli.transfer.sides import Sides
from tests.support.world import pack


def session(mizheng: Mizheng) -> Session:
    return Session(mizheng.home, load_config(mizheng.home))


def signing_key(mizheng: Mizheng) -> PrivateKey:
    here = session(mizheng)
    return unlock(here.home, load_entry(here.home, here.config.active_key))


def opened(sides: Sides, name: str = "court.age") -> bytes:
    """The plaintext of a transfer."""
    data = (sides.court.cwd / name).read_bytes()
    return bytes(pyrage.decrypt(data, load_own_identities(sides.court.home)))


def members(plain: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def closed(sides: Sides, plain: bytes, name: str = "forged.age") -> Path:
    """Encrypted to the court once more."""
    age = load_cards(sides.court.home)[-1].card.age
    path = sides.court.cwd / name
    path.write_bytes(pyrage.encrypt(plain, [parse_recipient(age)]))
    return path


def forged(sides: Sides, change: Callable[[dict[str, bytes]], Any]) -> Path:
    """The transfer with changed members, in the form that the software writes."""
    found = members(opened(sides))
    change(found)
    return closed(sides, pack(found))


def signed_anew(sides: Sides, found: dict[str, bytes], **changes: Any) -> None:
    """The document changed and signed by the sender himself: only what it says is wrong."""
    transfer = parse_transfer(found[DOCUMENT])
    found[DOCUMENT] = replace(transfer, **changes).sign(signing_key(sides.sender))


def left_behind(sides: Sides) -> list[str]:
    """What lies where the court works, besides what was sent."""
    return sorted(name for name in os.listdir(sides.court.cwd) if not name.endswith((".age", ".json")))  # noqa: PTH208
