"""What of a deposit is hashed anew before SHA-256 is retired (formats §6, docs/spec/6-time-stamps.md).

Two sorts of groups under one hash tree, which is why a record can be shown without the others:

    the deposit    checkpoint text, envelope, and the proof of the one in the other
    a record       its member records/NNNN.json, which has its proof, and its original where there is one

All are fixed at the renewal, proofs too: nobody who breaks SHA-256 later can join other things by them.
"""

from __future__ import annotations

from .checkpoint import dump_tlog_proof, hash_line, parse_tlog_proof
from .note import parse_note


def deposit_objects(envelope: bytes, proof: bytes) -> tuple[bytes, bytes, bytes]:
    """The group of the deposit, from the envelope and its .tlog-proof.

    Without signatures: witnesses may add theirs to the checkpoint later.
    """
    parsed = parse_tlog_proof(proof)
    text = parse_note(parsed.note).text
    bare = dump_tlog_proof(parsed.index, "".join(hash_line(item) for item in parsed.hashes), text)
    return text, envelope, bare
