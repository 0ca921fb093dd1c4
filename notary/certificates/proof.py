"""The public proof of a deposit: its members as they stand in a bundle, in a ZIP, and no opened record."""

from __future__ import annotations

import io
from typing import Any

from mizheng.notary.certificates.facts import proof_members
from mizheng.notary.certificates.kept import load_deposit
from mizheng.notary.evidence import collect_evidence
from mizheng.notary.instance import Instance
from mizheng.verifier.archive import write_archive
from mizheng.verifier.members import member_order
from sqlalchemy import Connection, Row


def make_proof(connection: Connection, instance: Instance, leaf_index: int) -> bytes:
    """A canonical ZIP (formats §8) of the statement and all that the notary has for it today: renewals that
    came after the certificate, and the key's status as of now.
    """
    deposit: Row[Any] = load_deposit(connection, leaf_index)
    members = proof_members(deposit.envelope, collect_evidence(connection, instance, deposit))
    target = io.BytesIO()
    write_archive(
        target, ((name, len(members[name]), (members[name],)) for name in sorted(members, key=member_order))
    )
    return target.getvalue()
