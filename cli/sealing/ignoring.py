"""`.mizhengignore`: what of a folder is not sealed, in the syntax of gitignore(5), read by pathspec.

A file of that name holds for its folder and all below; a pattern further down overrules one further up, the
last one of a file the earlier ones. What lies in a hidden folder cannot be taken back in. A path that a
person names is never hidden. The files themselves are sealed like any other: so what was left out, and by
which rule, can be shown later.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mizheng.cli.errors import DataFault
from mizheng.cli.terminal.language import N_

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_NAME = b".mizhengignore"
# A list of this size is no list that a person wrote.
MAX_BYTES = 1 << 20


@dataclass(slots=True)
class Hidden:
    """How many files and folders the rules kept out; a folder counts once, whatever is in it."""

    count: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds in one folder: its own file's patterns after those of the folders above."""

    hidden: Hidden
    specs: tuple[tuple[int, GitIgnoreSpec], ...] = ()
    """(length of the label's part that the patterns do not see, patterns), the outermost first."""

    def inside(self, directory: bytes, data: bytes) -> Rules:
        """The rules of a folder that has a file of its own, with these bytes; DataFault when they are not
        understood."""
        from pathspec import GitIgnoreSpec

        try:
            if len(data) > MAX_BYTES:
                raise ValueError(N_("too large"))
            spec = GitIgnoreSpec.from_lines(data.decode("utf-8").splitlines())
        except ValueError as error:
            raise unusable(directory) from error
        return Rules(self.hidden, (*self.specs, (len(directory) + 1, spec)))

    def hide(self, label: bytes, *, is_folder: bool) -> bool:
        """Whether `label` is kept out; counted if so."""
        for start, spec in reversed(self.specs):
            result = spec.check_file(os.fsdecode(label[start:]) + ("/" if is_folder else ""))
            if result.include is not None:
                self.hidden.count += result.include
                return result.include
        return False


def unusable(directory: bytes) -> DataFault:
    """Not to be passed over: what was to be left out would be sealed."""
    return DataFault(
        "{name} cannot be used as a list of what to leave out",
        "mend it (the syntax is that of .gitignore), or seal everything with --no-ignore",
        name=directory + b"/" + IGNORE_NAME,
    )
