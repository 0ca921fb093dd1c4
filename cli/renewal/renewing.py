"""The company's part of a renewal, on its machine: everything of a deposit hashed anew, under one token."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from mizheng.cli.errors import DataFault, InputFault, WaitingFault
from mizheng.cli.renewal.asking import ask_token
from mizheng.cli.renewal.store import Generation, Renewals, make_tree
from mizheng.cli.sealfile.content import Content
from mizheng.verifier.bundlewriting import Evidence
from mizheng.verifier.checkpoint import parse_checkpoint
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.record import parse_record
from mizheng.verifier.renewable import deposit_objects
from mizheng.verifier.renewal.build import last_hash, renewal_value, start_record
from mizheng.verifier.renewal.chain import Digest, Group, RenewedEvidence, verify_record
from mizheng.verifier.renewal.record import EvidenceRecord
from mizheng.verifier.renewal.record import parse_record as parse_evidence_record
from mizheng.verifier.timestamp.algorithms import Hash
from mizheng.verifier.timestamp.token import parse_response, parse_token
from mizheng.verifier.trust import Trust

_CHUNK = 1 << 20


def begin(envelope: bytes, evidence: Evidence, trust: Trust, now: int) -> Renewals:
    """From a token that holds today, with what the notary renewed it; WaitingFault if there is none."""
    for response, text in evidence.timestamps:
        token = parse_response(response)
        proof = evidence.heads.get(parse_checkpoint(text).size)
        if proof is None:
            continue
        for record in (*_renewed(evidence, token), start_record(token)):
            # Of later chains, which are over the checkpoint alone, nothing else can grow.
            first = EvidenceRecord(record.chains[:1], record.algorithms[:1])
            try:
                found = verify_record(first, text, [], trust.tsas, trust.retired_hashes)
            except MizhengError:
                continue
            if found.holds_until > now:
                digest = hashlib.sha256(envelope).hexdigest()
                return Renewals(digest, response, text, proof, first)
    raise WaitingFault(
        "the evidence has no time-stamp token that the trust file believes and that still holds",
        "ask the notary for one, or name its authority in the trust file",
    )


def hash_anew(
    renewals: Renewals,
    algorithm: Hash,
    content: Content,
    envelope: bytes,
    folders: Sequence[Path],
    address: str,
    trust: Trust,
    *,
    allow_missing: bool,
) -> Renewals:
    """One more generation: every object under `algorithm`, the tree of them stamped, all of it checked."""
    groups = [
        tuple(algorithm.digest(part) for part in deposit_objects(envelope, renewals.proof)),
        *_record_groups(content, algorithm, folders, allow_missing=allow_missing),
    ]
    generation = Generation(algorithm, tuple(groups), ())
    before = renewals.records() if renewals.generations else [renewals.first] * len(groups)
    if len(before) != len(groups):
        raise DataFault("the seal holds other records than were hashed anew before")
    root = make_tree(generation, before).root
    token = ask_token(address, trust, algorithm, root).token.encoded
    found = renewals.with_generation(Generation(algorithm, tuple(groups), (token,)))
    check(found, trust)
    return found


def stamp_again(renewals: Renewals, address: str, trust: Trust) -> Renewals:
    """One more token over the last one, before its certificate ends; all of it checked."""
    record = renewals.record(0)
    token = ask_token(address, trust, last_hash(record), renewal_value(record)).token.encoded
    found = renewals.with_token(token)
    check(found, trust)
    return found


def check(renewals: Renewals, trust: Trust, place: int = 0) -> RenewedEvidence:
    """Follow the record of one group as a court will; DataFault if it does not hold."""
    group: Group = [
        _known({item.hash.name: item.groups[place][part] for item in renewals.generations})
        for part in range(len(renewals.generations[0].groups[place]))
    ]
    try:
        return verify_record(renewals.record(place), renewals.text, [group], trust.tsas, trust.retired_hashes)
    except MizhengError as error:
        raise DataFault(
            "what was hashed anew does not hold: {reason}", "nothing was changed", reason=str(error)
        ) from error


def add_to_evidence(evidence: Evidence, renewals: Renewals, places: Sequence[int]) -> Evidence:
    """The evidence with the records of the deposit and of the opened records, and what they begin with."""
    from dataclasses import replace

    size = parse_checkpoint(renewals.text).size
    pair = (renewals.response, renewals.text)
    others = [item for item in evidence.timestamps if not _is_same_token(item[0], renewals.response)]
    records = [renewals.record(place).dump() for place in (0, *places)]
    return replace(
        evidence,
        heads={**evidence.heads, size: renewals.proof},
        timestamps=[*others, pair],
        renewals=[*evidence.renewals, *records],
    )


def _record_groups(
    content: Content, algorithm: Hash, folders: Sequence[Path], *, allow_missing: bool
) -> Iterator[tuple[bytes, ...]]:
    for data in content.records():
        (opened,) = content.prove([data])
        member = algorithm.digest(opened.dump())
        record = parse_record(data)
        if record.kind != "file":
            yield (member,)
            continue
        name = os.fsdecode(record.label)
        path = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if path is not None:
            yield member, _digest_original(path, algorithm, str(record.fields["sha256"]))
        elif allow_missing:
            yield (member,)
        else:
            raise InputFault(
                "the original of {name} was not found",
                "name the folder that recorded names start from with --from, or --allow-missing",
                name=record.label,
            )


def _digest_original(path: Path, algorithm: Hash, sha256: str) -> bytes:
    """The new hash of a file, which must still be what was sealed: read once for both."""
    old, new = hashlib.sha256(), algorithm.start()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                old.update(chunk)
                new.update(chunk)
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error
    if old.hexdigest() != sha256:
        raise DataFault(
            "the original of {name} is no longer what was sealed",
            "bring back the sealed version, or leave it out: --allow-missing",
            name=str(path),
        )
    return new.digest()


def _renewed(evidence: Evidence, token: bytes) -> Iterator[EvidenceRecord]:
    wanted = parse_token(token).signed.signature
    for data in evidence.renewals:
        record = parse_evidence_record(data)
        if parse_token(record.chains[0][0].token).signed.signature == wanted:
            yield record


def _is_same_token(response: bytes, other: bytes) -> bool:
    first, second = (parse_token(parse_response(item)).signed for item in (response, other))
    return first.signature == second.signature


def _known(digests: dict[str, bytes]) -> Digest:
    return lambda algorithm: digests[algorithm.name]
