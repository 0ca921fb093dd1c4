"""Two sides of a transfer: a company with a bundle, a court with a card that the company confirmed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.runner import Mizheng

MATTER, PURPOSE = "(2026)示01民初1号", "第一次开庭"
COURT = "示例市中级人民法院"


@dataclass(frozen=True, slots=True)
class Sides:
    """Who sends, who receives, and a trust file that came by another channel."""

    sender: Mizheng
    court: Mizheng
    trust: Path

    def send(self, *more: str, name: str = "court.age", to: str = "court") -> Any:
        """`mizheng send` of the bundle and a drawing; its JSON."""
        return self.sender(*self.sending(name, to), *more, "--json").ok().json

    def sending(self, name: str = "court.age", to: str = "court") -> tuple[str, ...]:
        options = ("--to", to, "--matter", MATTER, "--purpose", PURPOSE, "-o", str(self.court.cwd / name))
        return ("send", "pump.zip", "图纸.dwg", *options)

    def receive(self, name: str = "court.age", *more: str) -> Any:
        return self.court("receive", name, "--trust", self.trust, *more, "--json")


def add_confirmed(sender: Mizheng, name: str, card: Path, fingerprint: str) -> None:
    sender("recipients", "add", name, card).ok()
    sender("recipients", "confirm", name, fingerprint).ok()


def copied(sides: Sides, place: Path) -> Sides:
    """The same two sides in folders of a test's own."""
    shutil.copytree(sides.sender.home.parent, place / "sender")
    shutil.copytree(sides.court.home.parent, place / "court")
    return Sides(
        Mizheng(place / "sender" / "home", place / "sender" / "work"),
        Mizheng(place / "court" / "home", place / "court" / "work"),
        sides.trust,
    )
