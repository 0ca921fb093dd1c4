"""Logins that failed: one error for people, whatever it was."""

from __future__ import annotations

from mizheng.verifier.errors import MizhengError


class LoginError(MizhengError):
    """Somebody could not be let in. People are told no more than that; `reason` is for the audit log."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            "this login did not succeed", hint="try again; if it stays, ask for a new invitation"
        )
        self.reason = reason
