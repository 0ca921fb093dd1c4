"""How an audit ends when it does not end well.

    CommandError
    ├── MisbehaviourFault   1   the log signed for something that does not hold together; carries evidence
    └── UndecidedFault      2   nothing can be said about the log: no key for it, another chain, …

What cannot be reached is an UnavailableFault (69), as everywhere.
"""

from __future__ import annotations

from mizheng.cli.errors import CommandError
from mizheng.verifier.canonical import Json


class UndecidedFault(CommandError):
    """Nothing can be said about the log, for it or against it."""

    exit_code = 2


class MisbehaviourFault(CommandError):
    """The log does not hold together; `details` are what makes others see it too."""

    exit_code = 1

    def __init__(
        self,
        kind: str,
        message: str,
        hint: str = "",
        *,
        notes: tuple[bytes, ...] = (),
        details: dict[str, Json] | None = None,
        **values: object,
    ) -> None:
        super().__init__(message, hint, **values)
        self.kind = kind
        """equivocation, shrunk, origin, root, tile, entry, missing, key-change, chain or chain-ahead."""
        self.notes = notes
        """Signed checkpoints besides the one under audit."""
        self.details = details or {}
