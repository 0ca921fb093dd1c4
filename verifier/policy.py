"""Which witnesses make a quorum (C2SP tlog-policy).

A line-based text of `witness`, `group` and one `quorum`; names are defined before they are used, so
that there are no circles. `log` lines are read and left aside: which logs are trusted, and for which
sizes, the trust file says.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .cosignature import WitnessKey
from .errors import FormatError, LimitError
from .note import Note, NoteVerifier

# C2SP recommends to support at least 32 logs, witnesses and groups; comments may take as much again.
MAX_POLICY_BYTES = 64 * 1024
_NONE = "none"


@dataclass(frozen=True, slots=True)
class Group:
    """At least `threshold` of `members`, which are names of witnesses or groups."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy."""

    witnesses: Mapping[str, WitnessKey]
    """By the name the policy uses, which need not be the key's own."""
    groups: Mapping[str, Group]
    quorum: str
    """Name of a witness or group, or `none`."""
    text: str

    @property
    def asks_for_witnesses(self) -> bool:
        return self.quorum != _NONE

    def cosigners(self, note: Note) -> set[str]:
        """Names of the policy's witnesses that cosigned; a broken cosignature of one of them raises."""
        cosigned = set()
        for line in note.signatures:
            for name, witness in self.witnesses.items():
                if witness.matches(line):
                    witness.verify(note.text, line.signature)
                    cosigned.add(name)
        return cosigned

    def is_met(self, cosigned: Collection[str]) -> bool:
        """Whether the witnesses of these names, each with a verified cosignature, make the quorum."""
        return self.quorum == _NONE or self._counts(self.quorum, cosigned)

    def _counts(self, name: str, cosigned: Collection[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in cosigned
        return sum(self._counts(member, cosigned) for member in group.members) >= group.threshold


def parse_policy(text: str) -> Policy:
    """Read a policy; FormatError or KeyFormatError names the line that is wrong."""
    if len(text.encode()) > MAX_POLICY_BYTES:
        raise LimitError("a witness policy of {size} bytes", size=len(text.encode()))
    if any((ord(char) < 0x20 and char not in "\t\n") or ord(char) == 0x7F for char in text):
        raise FormatError("a witness policy with control characters")
    witnesses: dict[str, WitnessKey] = {}
    groups: dict[str, Group] = {}
    grouped: set[str] = set()
    quorum: str | None = None
    for number, line in enumerate(text.split("\n"), 1):
        # Only space and tab separate words: every other octet belongs to a name.
        words = [word for word in re.split(r"[ \t]+", line) if word]
        if not words or words[0].startswith("#"):
            continue
        known = {*witnesses, *groups}
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                NoteVerifier.from_vkey(vkey)
            case ["witness", name, vkey] | ["witness", name, vkey, _]:
                witness = WitnessKey.from_vkey(vkey)
                if any(other.key == witness.key for other in witnesses.values()):
                    raise _line_error(number)
                _define(name, known, number)
                witnesses[name] = witness
            case ["group", name, threshold, *members]:
                _define(name, known, number)
                # A name in two groups would let one witness count twice.
                if not members or not set(members) <= known - grouped or len(set(members)) != len(members):
                    raise _line_error(number)
                grouped.update(members)
                groups[name] = Group(_threshold(threshold, len(members), number), tuple(members))
            case ["quorum", name]:
                if quorum is not None or name not in {*known, _NONE}:
                    raise _line_error(number)
                quorum = name
            case _:
                raise _line_error(number)
    if quorum is None:
        raise FormatError("a witness policy without a quorum line")
    return Policy(witnesses, groups, quorum, text)


def _define(name: str, known: Collection[str], number: int) -> None:
    if name in known or name == _NONE:
        raise _line_error(number)


def _threshold(word: str, members: int, number: int) -> int:
    if word in ("all", "any"):
        return members if word == "all" else 1
    if not re.fullmatch("[1-9][0-9]{0,3}", word) or int(word) > members:
        raise _line_error(number)
    return int(word)


def _line_error(number: int) -> FormatError:
    return FormatError("line {number} of the witness policy is wrong", number=number)
