"""One vector on its way: what is done to the sound bundle, and what whoever wrote it says must come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from mizheng.verifier.trust import Trust

from .setting import NOW, Setting

VALID, INVALID, UNDETERMINED = "valid", "invalid", "undetermined"
Bundle = Mapping[str, bytes] | bytes
"""Members in their order, to be written in the one form; or the bytes of the file."""


@dataclass(frozen=True)
class Case:
    """`failing`, `open` and `absent` are codes that must read FAIL, NOT_CHECKED and NOT_PROVIDED."""

    name: str
    """group/defect"""
    why: str
    verdict: str
    build: Callable[[Setting], Bundle]
    failing: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    trust: str | Callable[[Setting], Trust] | None = "observers"
    """A trust file of the setting by its name, one of this vector's own, or none."""
    now: str = NOW


class Cases:
    """Collects the cases of one group."""

    def __init__(self, group: str, **defaults: object) -> None:
        self.group = group
        self.all: list[Case] = []
        self._defaults = defaults

    def add(
        self, name: str, why: str, verdict: str, build: Callable[[Setting], Bundle], **more: object
    ) -> None:
        case = Case(f"{self.group}/{name}", why, verdict, build)
        self.all.append(replace(case, **{**self._defaults, **more}))  # type: ignore[arg-type]

    def fails(
        self,
        name: str,
        why: str,
        code: str | tuple[str, ...],
        build: Callable[[Setting], Bundle],
        **more: object,
    ) -> None:
        """A defect that makes the bundle invalid, by this code or these."""
        self.add(name, why, INVALID, build, failing=(code,) if isinstance(code, str) else code, **more)

    def stays_open(
        self,
        name: str,
        why: str,
        code: str | tuple[str, ...],
        build: Callable[[Setting], Bundle],
        **more: object,
    ) -> None:
        """Something that nobody vouches for, or that is not understood: the verdict is left open."""
        self.add(name, why, UNDETERMINED, build, open=(code,) if isinstance(code, str) else code, **more)

    def passes(self, name: str, why: str, build: Callable[[Setting], Bundle], **more: object) -> None:
        """A sound bundle."""
        self.add(name, why, VALID, build, **more)


def slug(text: str) -> str:
    """A phrase as a file's name."""
    kept = "".join(char if char.isalnum() else " " for char in text.lower().replace("'", ""))
    return "-".join(kept.split())
