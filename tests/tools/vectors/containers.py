"""The ZIP: tricks, names and data that two readers could understand differently."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.world import pack
from tests.support.zips import DEFLATED, Member
from tests.verifier.attacks import tricks
from tests.verifier.attacks.containers import lie
from tests.verifier.attacks.scene import Scene

from .case import Bundle, Case, Cases, slug
from .setting import DOCUMENT, ORIGINAL, STATEMENT, Setting

_FOLDER = 0o40755 << 16
_BOMB = 16 * 1024 * 1024


def cases() -> list[Case]:
    return [*_tricks(), *_names(), *_data(), *_files()]


def of(build: Callable[[Scene], bytes]) -> Callable[[Setting], Bundle]:
    return lambda s: build(s.scene)


def with_member(member: Member) -> Callable[[Setting], Bundle]:
    return lambda s: tricks.with_member(s.scene, member)


def _tricks() -> list[Case]:
    found = Cases("zip")
    for name, build in tricks.TRICKS.items():
        why = f"{name}: what two ZIP readers could understand differently is refused"
        found.fails(slug(name), why, "bundle.structure", of(build))
    return found.all


def _names() -> list[Case]:
    found = Cases("names")
    for name, bad in tricks.BAD_NAMES.items():
        why = f"a member's name that is not on the list of the format: {name}"
        found.fails(slug(name), why, "bundle.structure", with_member(Member(bad, b"x")))
    for name, bad in tricks.BAD_FOLDERS.items():
        why = f"a folder entry that no member of the format lies in: {name}"
        member = Member(bad, attributes=_FOLDER)
        found.fails(slug(f"folder {name}"), why, "bundle.structure", with_member(member))
    for name, twin in tricks.SECOND_NAMES.items():
        why = f"two members of one name: {name}"
        found.fails(slug(f"twice {name}"), why, "bundle.structure", with_member(Member(twin, b"x")))
    return found.all


def _data() -> list[Case]:
    found = Cases("data")
    for name, build in tricks.PACKED_LIES.items():
        why = f"a member that does not unpack to what its headers say: {name}"
        found.fails(slug(name), why, "bundle.members", of(build))
    declared = lie(
        "README.txt",
        method=DEFLATED,
        raw=tricks.bomb(_BOMB),
        local_size=_BOMB,
        central_size=_BOMB,
    )
    found.fails(
        "bomb-declared", "16 MiB of zeros that say so: not what was listed", "bundle.members", of(declared)
    )
    hidden = lie("README.txt", method=DEFLATED, raw=tricks.bomb(_BOMB), local_size=7, central_size=7)
    found.fails("bomb-hidden", "16 MiB of zeros that say they are 7 bytes", "bundle.members", of(hidden))
    large = 80 * 1024 * 1024
    statement = lie(STATEMENT, method=DEFLATED, raw=tricks.bomb(_BOMB), local_size=large, central_size=large)
    found.fails(
        "bomb-statement", "a statement that claims 80 MiB: never read", "envelope.signature", of(statement)
    )
    original = lie(ORIGINAL, method=DEFLATED, raw=tricks.bomb(_BOMB), local_size=_BOMB, central_size=_BOMB)
    found.fails(
        "bomb-original",
        "an original larger than its record says",
        ("bundle.members", "original.match"),
        of(original),
    )
    return found.all


def _files() -> list[Case]:
    """What is no bundle at all, or half of one."""
    found = Cases("file")
    for name, why, data in (
        ("empty", "a file of no bytes", b""),
        ("two-bytes", "the first two bytes of a ZIP", b"PK"),
        ("empty-zip", "a ZIP without members", b"PK\x05\x06" + bytes(18)),
        ("pdf", "a PDF", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer <<>>\n%%EOF\n"),
        ("gzip", "a gzip file", b"\x1f\x8b\x08" + bytes(50)),
        ("zeros", "zeros", bytes(1000)),
    ):
        found.fails(name, f"{why}: not a bundle", "bundle.structure", lambda _, data=data: data)
    found.fails("first-half", "cut short in the middle", "bundle.structure", _first_half)
    found.fails("second-half", "the second half alone", "bundle.structure", _second_half)
    found.fails("last-byte-missing", "one byte too short", "bundle.structure", lambda s: pack(s.small)[:-1])
    for name in (DOCUMENT, STATEMENT):
        found.fails(
            slug(f"without {name.partition('.')[0]}"),
            f"{name} is missing: half a bundle",
            "bundle.structure",
            lambda s, name=name: {key: data for key, data in s.small.items() if key != name},
        )
    return found.all


def _first_half(s: Setting) -> bytes:
    data = pack(s.small)
    return data[: len(data) // 2]


def _second_half(s: Setting) -> bytes:
    data = pack(s.small)
    return data[len(data) // 2 :]
