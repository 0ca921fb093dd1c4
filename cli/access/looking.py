"""A look on a request: what `mizheng bundle --access` may open, and the row that says that it was opened."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mizheng.cli.access.deciding import records_of
from mizheng.cli.access.desk import Desk
from mizheng.cli.bundling.make import Opening, open_records
from mizheng.cli.bundling.selecting import Selection
from mizheng.cli.errors import PermissionFault, UnavailableFault
from mizheng.cli.terminal.language import N_
from mizheng.cli.terminal.text import printable
from mizheng.verifier.access import Access, Signed
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.event import NONCE_BYTES
from mizheng.verifier.merkle import leaf_hash
from mizheng.verifier.permit import NotPermittedError, Permit, judge
from mizheng.verifier.record import parse_record

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from mizheng.verifier.signature import PrivateKey

_HINTS = {
    "not-enough": N_(
        "mizheng access show NAME.seal REQUEST says whose approval counts; mizheng access approve makes one"
    ),
    "refused": N_("a new request can be made"),
    "withdrawn": N_("mizheng access show NAME.seal REQUEST says who withdrew it and why"),
    "expired": N_("a new request can be made, or a new approval within the request's own term"),
}


def permit_of(desk: Desk, request: Signed, now: int) -> Permit:
    """What the request allows now; NotPermittedError when nothing."""
    return judge(
        request,
        [signed for _line, signed in desk.log.documents()],
        envelope_sha256=desk.log.envelope_sha256,
        approvers=desk.approvers(),
        needed=desk.session.config.approvals_needed,
        now=now,
    )


@dataclass(frozen=True)
class Looking:
    """One look, while its bundle is made. The seal is locked."""

    desk: Desk
    request: Signed

    @cached_property
    def permit(self) -> Permit:
        """PermissionFault when nothing may be shown now."""
        try:
            return permit_of(self.desk, self.request, int(time.time()))
        except NotPermittedError as error:
            raise PermissionFault(error.message, _HINTS.get(error.reason, ""), **error.values) from error

    def open(self, patterns: tuple[str, ...], unasked: Mapping[str, bool]) -> Opening:
        """All that is allowed, or of it what the patterns name; PermissionFault for a name that is not."""
        permit = self.permit
        if not patterns:
            allowed = records_of(self.desk, permit.records)
            # What is kept closed although it is allowed: the person who bundles said so.
            kinds = {kind for kind, is_open in unasked.items() if not is_open}
            wanted = [record for record in allowed if parse_record(record).kind not in kinds]
            return Opening(tuple(self.desk.content.prove(wanted)), tuple(map(parse_record, wanted)))
        # Nothing is opened unasked that nobody allowed.
        closed = dict.fromkeys(unasked, False)
        opening = open_records(self.desk.content, Selection(patterns), unasked=closed)
        for item, record in zip(opening.opened, opening.records, strict=True):
            if leaf_hash(item.record).hex() not in permit.records:
                raise PermissionFault(
                    "{name} is not within what was approved",
                    "without --open, all that was approved is opened",
                    name=printable(record.name),
                )
        return opening

    def allowed_originals(self, opening: Opening) -> set[int]:
        """Places in the opening whose files may be handed over; PermissionFault when there is none."""
        found = {
            place
            for place, item in enumerate(opening.opened)
            if leaf_hash(item.record).hex() in self.permit.originals
        }
        if not found:
            raise PermissionFault(
                "the request and its approvals allow no originals", "make the bundle without --with-originals"
            )
        return found

    def record(
        self, disclosure: bytes, opening: Opening, originals: Collection[int], key: PrivateKey
    ) -> None:
        """Keep the row of this look: signed by the statement's key, before there is a bundle.

        A run that died after it takes the same disclosure up, and with it the same row.
        """
        digest = hashlib.sha256(disclosure).hexdigest()
        for _line, signed in self.desk.log.documents():
            if isinstance(signed.document, Access) and signed.document.disclosure_sha256 == digest:
                return
        leaves = [leaf_hash(item.record).hex() for item in opening.opened]
        permit = self.permit
        access = Access(
            key.public,
            format_instant(int(time.time())),
            secrets.token_bytes(NONCE_BYTES),
            self.request.sha256,
            permit.approvals,
            self.desk.session.config.approvals_needed,
            digest,
            tuple(sorted(leaves)),
            tuple(sorted(leaves[place] for place in originals)),
            permit.ends_at,
        )
        names = tuple(printable(record.name) for record in opening.records)
        self.desk.log.append(access.sign(key), names)

    def put_on_record(self) -> None:
        """Before there is a bundle; UnavailableFault when the notary is away: then there is none."""
        try:
            self.desk.record(must=True)
        except UnavailableFault as error:
            raise UnavailableFault(
                "no bundle was made, because the look could not be put on record: {reason}",
                "run the command again later; --offline makes it now, and the look waits to be put on record",
                reason=str(error),
            ) from error
