"""The public proof of a certificate, checked as far as it proves itself: that its parts belong together.

Whose log it is, and whether the blocks are the chain's, is for a trust file: `mizheng verify` on a bundle.
"""

from __future__ import annotations

import io
from typing import Any

from mizheng.verifier.anchor import parse_anchor, verify_anchor
from mizheng.verifier.archive import ArchiveReader
from mizheng.verifier.checkpoint import parse_tlog_proof
from mizheng.verifier.entry import entry_leaf
from mizheng.verifier.errors import ChainProofError, FormatError, InclusionError
from mizheng.verifier.members import STATEMENT, member_group
from mizheng.verifier.statement import parse_envelope

# Proof members have some KiB each, an anchor on a busy chain a MiB.
_MAX_MEMBER = 16 << 20


def check_proof(data: bytes, envelope_sha256: str) -> dict[str, Any]:
    """{heads, anchors}: how many hold; MizhengError when something does not belong to this envelope."""
    archive = ArchiveReader(io.BytesIO(data))
    try:
        members = {name: archive.read(name, _MAX_MEMBER) for name in archive.names}
    finally:
        archive.close()
    if STATEMENT not in members:
        raise FormatError("a proof without a statement")
    envelope, _statement = parse_envelope(members[STATEMENT])
    if envelope.sha256 != envelope_sha256:
        raise InclusionError("the proof is of another deposit")
    leaf = entry_leaf(members[STATEMENT])
    roots: dict[int, bytes] = {}
    anchors = 0
    for name in sorted(members):
        if member_group(name) == "heads":
            checkpoint = parse_tlog_proof(members[name]).verify(leaf)
            roots[checkpoint.size] = checkpoint.root
    for name in sorted(members):
        if member_group(name) == "anchors":
            anchor = parse_anchor(members[name])
            # Held against itself: the trust file has the last word on chain, contract and code.
            code = anchor.storage.code_hash if anchor.storage else b""
            verify_anchor(anchor, anchor.chain, anchor.contract, code)
            if roots.get(anchor.tree_size) != anchor.root_hash:
                raise ChainProofError("an anchor of a checkpoint that is not in the evidence")
            anchors += 1
    return {"heads": len(roots), "anchors": anchors}
