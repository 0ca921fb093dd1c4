"""The audit log, for the audit administrator alone; that he looked is in it as well."""

from __future__ import annotations

from mizheng.notary.auditing.recording import record
from mizheng.notary.auditing.tables import audit_heads, audit_log
from mizheng.notary.database import writing
from mizheng.notary.errors import Problem
from mizheng.notary.pages.people.guard import Call
from sqlalchemy import func, select
from starlette.responses import Response

_PAGE = 100


def show_audit_log(call: Call) -> Response:
    before = call.query.get("before", "")
    if before and (not before.isascii() or not before.isdecimal() or len(before) > 15):
        raise Problem("not-found")
    query = select(audit_log).order_by(audit_log.c.number.desc()).limit(_PAGE)
    if before:
        query = query.where(audit_log.c.number < int(before))
    with writing(call.visit.service.engine) as connection:
        rows = connection.execute(query).all()
        recorded = connection.execute(select(func.max(audit_heads.c.rows))).scalar() or 0
        record(connection, "audit-log.read", "notary", actor=call.known.member.actor)
    return call.show(
        "audit.html",
        place="audit-log",
        rows=rows,
        recorded=recorded,
        earlier=rows[-1].number if rows and rows[-1].number > 1 else None,
    )
