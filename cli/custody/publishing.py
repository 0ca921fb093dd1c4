"""Custody events on the notary's pages, for who wants them there: then it reads what they say."""

from __future__ import annotations

from pathlib import Path

from mizheng.cli.custody.chain import read_seal_chain
from mizheng.cli.depositing.one import require_same_notary
from mizheng.cli.keys.sealing import open_seal
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.session import Session


def publish(session: Session, path: Path) -> int:
    """Show every event of the seal's chain, in its order; how many there are. Again, it is the same."""
    with Seal(path) as seal:
        _chain, register = read_seal_chain(seal, open_seal(seal, session.home))
        deposit = seal.state.deposit
    assert deposit is not None  # noqa: S101 - its chain was read
    require_same_notary(deposit, session.organisation)
    with session.notary() as client:
        for kept in register.kept:
            client.show_document(kept.document)
    return len(register.kept)
