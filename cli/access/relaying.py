"""Requests and decisions by way of the notary, for who wants its pages: then it learns what they say.

Whoever lodged a request there is shown what the company chooses to show of it. By files the notary learns
nothing; see docs/lawful-use.md.
"""

from __future__ import annotations

from mizheng.cli.access.describing import is_on
from mizheng.cli.access.desk import Desk, read_bytes
from mizheng.cli.depositing.client import NotaryClient, decode_base64
from mizheng.cli.depositing.lists import list_items
from mizheng.cli.depositing.one import require_same_notary
from mizheng.cli.errors import DataFault
from mizheng.cli.terminal.text import printable
from mizheng.verifier.access import Approval, Request, Signed, Withdrawal


def publish(desk: Desk, client: NotaryClient, request: Signed) -> int:
    """Show a request and all that became of it, in its order; how many documents that were."""
    _require_notary(desk)
    count = 0
    approvals: set[str] = set()
    for line, signed in desk.log.documents():
        document = signed.document
        is_withdrawn = isinstance(document, Withdrawal) and document.approval_sha256 in approvals
        if not (signed.sha256 == request.sha256 or is_on(document, request.sha256) or is_withdrawn):
            continue
        if isinstance(document, Approval):
            approvals.add(signed.sha256)
        (client.lodge_request if isinstance(document, Request) else client.show_document)(line.content)
        count += 1
    return count


def fetch(desk: Desk, client: NotaryClient) -> list[Signed]:
    """Take in the requests for this deposit that were lodged with the notary and are not here yet."""
    _require_notary(desk)
    known = {item.sha256 for item in desk.requests()}
    found = []
    for item in list_items(client, "/v1/access/requests"):
        sha256 = item.get("sha256")
        if item.get("deposit") != desk.log.envelope_sha256 or not isinstance(sha256, str) or sha256 in known:
            continue
        data = decode_base64(client.lodged_request(sha256)["document"])
        signed = read_bytes(data)
        if signed.sha256 != sha256:
            raise DataFault("the notary gave another request than it named")
        if not isinstance(signed.document, Request):
            raise DataFault("{name} is no request", name=printable(sha256))
        # Only what was looked at is kept.
        desk.take(data)
        found.append(signed)
    return found


def _require_notary(desk: Desk) -> None:
    deposit = desk.seal.state.deposit
    assert deposit is not None  # noqa: S101 - a desk is of a deposited seal
    require_same_notary(deposit, desk.session.organisation)
