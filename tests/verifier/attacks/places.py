"""Proofs that say another place than the one they are for."""

from __future__ import annotations

from dataclasses import replace

from mizheng.verifier.checkpoint import TlogProof
from mizheng.verifier.manifest import OpenedRecord


def changed_proofs(opened: OpenedRecord) -> dict[str, OpenedRecord]:
    index, hashes = opened.index, opened.hashes
    other = bytes(32)
    return {
        "index before": replace(opened, index=index ^ 1),
        "index far": replace(opened, index=index ^ 512),
        "index past the end": replace(opened, index=index + 1024),
        "negative index": replace(opened, index=index - 1024),
        "tree half as large": replace(opened, tree_size=512),
        "tree twice as large": replace(opened, tree_size=2048),
        "tree twice as large, at the other half": replace(opened, tree_size=2048, index=index + 1024),
        "tree not a power of two": replace(opened, tree_size=1025),
        "tree larger than allowed": replace(opened, tree_size=2**33),
        "first hash missing": replace(opened, hashes=hashes[1:]),
        "last hash missing": replace(opened, hashes=hashes[:-1]),
        "one hash more": replace(opened, hashes=(*hashes, other)),
        "one hash more and a larger tree": replace(opened, hashes=(*hashes, other), tree_size=2048),
        "no hashes": replace(opened, hashes=()),
        "hashes in another order": replace(opened, hashes=hashes[::-1]),
        "another hash": replace(opened, hashes=(other, *hashes[1:])),
        "another record": replace(opened, record=opened.record.replace(b'"size":7', b'"size":8')),
    }


def log_proofs(proof: TlogProof) -> dict[str, TlogProof]:
    return {
        "index before": replace(proof, index=proof.index - 1),
        "index after": replace(proof, index=proof.index + 1),
        "index of the last": replace(proof, index=4),
        "index past the end": replace(proof, index=5),
        "huge index": replace(proof, index=2**63 - 1),
        "first hash missing": replace(proof, hashes=proof.hashes[1:]),
        "one hash more": replace(proof, hashes=(*proof.hashes, bytes(32))),
        "no hashes": replace(proof, hashes=()),
        "hashes in another order": replace(proof, hashes=proof.hashes[::-1]),
    }
