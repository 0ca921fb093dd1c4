"""NAME.renewal, beside NAME.seal: what a company hashed anew, so that any record can be shown with it later.

For each renewal under a new hash the file keeps that hash of every object of the deposit
(`verifier/renewable`) and the tokens over the tree of them. It is closed under a key that follows from the
seal's manifest key (`sealfile/beside`): a bare hash of a file would let others guess what is in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mizheng.cli.sealfile.beside import Beside, damaged
from mizheng.verifier.canonical import dump, from_base64, parse_typed, require_fields, to_base64
from mizheng.verifier.errors import FormatError
from mizheng.verifier.renewal.build import rehashed, renew_hash_tree, renew_time_stamp
from mizheng.verifier.renewal.record import EvidenceRecord, parse_record
from mizheng.verifier.renewal.tree import HashTree
from mizheng.verifier.timestamp.algorithms import Hash, find_hash

FILE = Beside(".renewal", b"mizheng-renewal/v1\n", b"mizheng/renewal/v1\n")
_TYPE = "mizheng/renewal/v1"
# A million records, two hashes of 64 bytes each, a few renewals over the years.
_MAX_BYTES = 4 << 30


@dataclass(frozen=True, slots=True)
class Generation:
    """One renewal under a new hash, and the tokens that renewed it since."""

    hash: Hash
    groups: tuple[tuple[bytes, ...], ...]
    """Of each group the new hashes of its objects: the deposit first, then the seal's records in order."""
    tokens: tuple[bytes, ...]
    """The first is over the tree, each further one over the one before."""


@dataclass(frozen=True, slots=True)
class Renewals:
    """All that was hashed anew of one deposit."""

    envelope_sha256: str
    response: bytes
    """TimeStampResp of the token with which everything begins."""
    text: bytes
    proof: bytes
    """The deposit in the checkpoint of that text, .tlog-proof."""
    first: EvidenceRecord
    """The first chain: that token and what the notary renewed it with."""
    generations: tuple[Generation, ...] = field(default=())

    def records(self) -> list[EvidenceRecord]:
        """The evidence record of every group."""
        found = [self.first] * self.count
        for generation in self.generations:
            tree = make_tree(generation, found)
            found = [
                renew_hash_tree(record, generation.tokens[0], tree.reduced(place))
                for place, record in enumerate(found)
            ]
            for token in generation.tokens[1:]:
                found = [renew_time_stamp(record, token) for record in found]
        return found

    def record(self, place: int) -> EvidenceRecord:
        """The evidence record of one group: 0 is the deposit, n + 1 the record in place n of the seal."""
        if len(self.generations) > 1:
            return self.records()[place]
        # Before the second generation all records have one past, and the tree is made once.
        record = self.first
        for generation in self.generations:
            tree = make_tree(generation, [self.first] * self.count)
            record = renew_hash_tree(record, generation.tokens[0], tree.reduced(place))
            for token in generation.tokens[1:]:
                record = renew_time_stamp(record, token)
        return record

    @property
    def count(self) -> int:
        return len(self.generations[0].groups) if self.generations else 0

    def with_generation(self, generation: Generation) -> Renewals:
        return replace(self, generations=(*self.generations, generation))

    def with_token(self, token: bytes) -> Renewals:
        *before, last = self.generations
        return replace(self, generations=(*before, replace(last, tokens=(*last.tokens, token))))


def make_tree(generation: Generation, before: Sequence[EvidenceRecord]) -> HashTree:
    """The tree of a renewal, given what the record of each group was before it."""
    algorithm = generation.hash
    return HashTree(
        algorithm,
        [rehashed(algorithm, record, group) for record, group in zip(before, generation.groups, strict=True)],
    )


def save(path: Path, renewals: Renewals, manifest_key: bytes) -> None:
    """Put it there, whole or not at all."""
    value: dict[str, Any] = {
        "type": _TYPE,
        "envelope_sha256": renewals.envelope_sha256,
        "response": to_base64(renewals.response),
        "text": renewals.text.decode(),
        "proof": renewals.proof.decode(),
        "first": to_base64(renewals.first.dump()),
        "generations": [
            {
                "hash": item.hash.name,
                "groups": [" ".join(digest.hex() for digest in group) for group in item.groups],
                "tokens": [to_base64(token) for token in item.tokens],
            }
            for item in renewals.generations
        ],
    }
    FILE.write(path, manifest_key, dump(value))


def load(path: Path, manifest_key: bytes, envelope: bytes) -> Renewals:
    """Read it back; DataFault when it is another seal's or deposit's, or damaged."""
    try:
        found = _parse(FILE.read(path, manifest_key))
        if found.envelope_sha256 != hashlib.sha256(envelope).hexdigest():
            raise FormatError("of another deposit")
        return found
    except (FormatError, ValueError) as error:
        raise damaged(path) from error


def _parse(plain: bytes) -> Renewals:
    fields = dict.fromkeys(("envelope_sha256", "response", "text", "proof", "first"), str)
    value = parse_typed(plain, _TYPE, {**fields, "generations": list}, max_bytes=_MAX_BYTES)
    return Renewals(
        value["envelope_sha256"],
        from_base64(value["response"]),
        value["text"].encode(),
        value["proof"].encode(),
        parse_record(from_base64(value["first"])),
        tuple(_generation(item) for item in value["generations"]),
    )


def _generation(value: object) -> Generation:
    fields = require_fields(value, {"hash": str, "groups": list, "tokens": list})
    return Generation(
        find_hash(fields["hash"]),
        tuple(tuple(bytes.fromhex(item) for item in group.split(" ")) for group in fields["groups"]),
        tuple(from_base64(token) for token in fields["tokens"]),
    )
