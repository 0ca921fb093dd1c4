"""The disclosure of one bundle: signed, kept, put on record, and then the bundle is made.

In this order, so that no bundle for somebody is missing in the list. What is true if we die in between stands
in `store`.
"""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mizheng.cli.depositing.client import decode_base64
from mizheng.cli.depositing.one import require_same_notary
from mizheng.cli.depositing.recording import Recorder
from mizheng.cli.disclosing.store import Kept, Register
from mizheng.cli.errors import UnavailableFault
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.session import Session
from mizheng.verifier.disclosure import Disclosure
from mizheng.verifier.event import NONCE_BYTES
from mizheng.verifier.members import DISCLOSURE, DISCLOSURE_EVENT, DISCLOSURE_PROOF
from mizheng.verifier.merkle import leaf_hash

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mizheng.cli.bundling.make import Opening
    from mizheng.verifier.signature import PrivateKey


class Disclosing:
    """What a bundle for somebody needs besides the bundle. The seal is locked and deposited."""

    def __init__(self, session: Session, seal: Seal, manifest_key: bytes, key: PrivateKey) -> None:
        """`key`: the statement's."""
        assert seal.state.deposit is not None  # noqa: S101 - the caller has its evidence
        self._session = session
        self._deposit = seal.state.deposit
        self._key = key
        self._register = Register(seal.path, manifest_key)
        self._place = -1

    def prepare(
        self,
        opening: Opening,
        originals: Collection[int],
        recipient: str,
        purpose: str | None,
        created_at: str,
        names: Sequence[str],
        request: str | None = None,
    ) -> bytes:
        """Sign the disclosure and keep it; its bytes. `originals`: places in the opening of the files handed
        over. `request`: SHA-256 of the request on which it is made.

        The same one from a run that came to no bundle is taken up again.
        """
        leaves = [leaf_hash(item.record).hex() for item in opening.opened]
        disclosure = Disclosure(
            self._key.public,
            hashlib.sha256(decode_base64(self._deposit.envelope)).hexdigest(),
            recipient,
            purpose,
            tuple(sorted(leaves)),
            tuple(sorted(leaves[place] for place in originals)),
            created_at,
            secrets.token_bytes(NONCE_BYTES),
        )
        unfinished = self._register.find_unfinished(disclosure, request)
        if unfinished is None:
            kept = Kept(disclosure.sign(self._key), tuple(names), request=request)
            unfinished = self._register.add(kept)
        self._place = unfinished
        return self._kept.document

    def record(self) -> None:
        """Put it on record; UnavailableFault when the notary is away: then no bundle is made."""
        require_same_notary(self._deposit, self._session.organisation)
        try:
            with self._session.notary() as client:
                Recorder(self._session, client, self._key).send(self._register, self._place)
        except UnavailableFault as error:
            raise UnavailableFault(
                "no bundle was made, because its disclosure could not be put on record: {reason}",
                "run the command again later; --offline makes it now, and the bundle will say that it is not "
                "on record",
                reason=str(error),
            ) from error

    @property
    def created_at(self) -> str:
        """The bundle's moment is the disclosure's."""
        return self._kept.disclosure.created_at

    def members(self) -> dict[str, bytes]:
        """What the bundle carries of it: with all of the proof, or alone while it waits."""
        kept = self._kept
        members = {DISCLOSURE: kept.document}
        if kept.answer is not None:
            assert kept.event is not None  # noqa: S101 - there is an answer to it
            members[DISCLOSURE_EVENT] = kept.event
            members[DISCLOSURE_PROOF] = str(kept.answer["tlog_proof"]).encode()
        return members

    def finish(self, bundle: Path) -> None:
        """The bundle exists under this name."""
        self._register.change(self._place, bundle=str(bundle))

    def describe(self) -> dict[str, Any]:
        """For `--json`."""
        return describe(self._kept, self._place + 1)

    def others_waiting(self) -> int:
        return len([place for place in self._register.waiting() if place != self._place])

    @property
    def _kept(self) -> Kept:
        return self._register.kept[self._place]


def describe(kept: Kept, number: int) -> dict[str, Any]:
    """One disclosure for a program."""
    disclosure = kept.disclosure
    return {
        "number": number,
        "recipient": disclosure.recipient,
        "purpose": disclosure.purpose,
        "created_at": disclosure.created_at,
        "opened": list(kept.opened),
        "originals": len(disclosure.originals),
        "state": kept.state,
        "leaf_index": kept.answer["leaf_index"] if kept.answer else None,
        "received_at": kept.answer["received_at"] if kept.answer else None,
        "bundle": kept.bundle,
        "request": kept.request,
    }
