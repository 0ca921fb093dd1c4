"""A chain of custody as lines, for people and programs."""

from __future__ import annotations

from pathlib import Path

from mizheng.cli.custody.chain import is_bundle, read_seal_chain
from mizheng.cli.keys.sealing import open_seal
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.session import Session
from mizheng.verifier.report import CustodyLine
from mizheng.verifier.timeline import make_line
from mizheng.verifier.verify import verify_bundle


def read_lines(session: Session, path: Path) -> list[CustodyLine]:
    """Of a seal every event, on record or not yet; of a bundle those up to one that does not hold."""
    if is_bundle(path):
        return list(verify_bundle(path, None).custody)
    with Seal(path) as seal:
        chain, register = read_seal_chain(seal, open_seal(seal, session.home))
    lines = [make_line(number, each, lambda _key: None) for number, each in enumerate(chain.documents, 1)]
    for line, kept in zip(lines, register.kept, strict=True):
        line.holds = True
        line.leaf_index = kept.answer["leaf_index"] if kept.answer else None
    return lines
