"""Logins that failed: one error for people, one row for the audit log, and no more rows than are of use."""

from __future__ import annotations

import time

from mizheng.notary.auditing.recording import record
from mizheng.notary.auditing.tables import audit_log
from mizheng.verifier.errors import MizhengError
from sqlalchemy import Connection, select

# Whoever tries thousands of times fills no disk: so many rows in a minute tell what is going on.
_MAX_ROWS = 30
_PERIOD_SECONDS = 60
_ACTION = "login.fail"


class LoginError(MizhengError):
    """Somebody could not be let in. People are told no more than that; `reason` is for the audit log."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            "this login did not succeed", hint="try again; if it stays, ask for a new invitation"
        )
        self.reason = reason


def record_failure(connection: Connection, reason: str) -> None:
    """Write down that a login failed, and why; not who tried: that is not known."""
    newest = connection.execute(
        select(audit_log.c.action, audit_log.c.at).order_by(audit_log.c.number.desc()).limit(_MAX_ROWS)
    ).all()
    is_flooded = (
        len(newest) == _MAX_ROWS
        and all(row.action == _ACTION for row in newest)
        and newest[-1].at > time.time() - _PERIOD_SECONDS
    )
    if not is_flooded:
        record(connection, _ACTION, "notary", actor="nobody", detail={"reason": reason})
