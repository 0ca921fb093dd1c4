"""Make tests/vectors/consensus: one file a case, each with one defect that it is named for, or none.

    python -m tests.tools.consensus_vectors

A file holds the evidence as text, the validators as a trust file has them, and the answer that both verifiers
must give. Headers that real chains made come from published.json, which names where each was read; all others
are sealed here, by keys that are no secret. Run again, this writes the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mizheng.verifier.consensus.seals import SealEvidence, dump_seals
from mizheng.verifier.evm import rlp
from mizheng.verifier.evm.block import Chain
from mizheng.verifier.evm.keccak import keccak256

from tests.support.consensus import answer
from tests.support.sealing import (
    VANITY,
    BftHeader,
    Sealer,
    clique_chain,
    clique_header,
    make_sealers,
    malleate,
    plain_fields,
)
from tests.tools.layout import ROOT

VECTORS = ROOT / "tests" / "vectors" / "consensus"
PUBLISHED = VECTORS / "published.json"

PASS, FAIL, NOT_CHECKED = "PASS", "FAIL", "NOT_CHECKED"
GENESIS = keccak256(b"mizheng test genesis")
FOUR, FIVE = make_sealers(4), make_sealers(5)
STRANGER = make_sealers(1, first=900)[0]
NUMBER = 100


@dataclass(frozen=True)
class Case:
    """A vector before its answer is known; `expected` is what whoever wrote it says must come out."""

    name: str
    why: str
    expected: str
    evidence: bytes
    validators: list[dict[str, Any]]


def named(kind: str, sealers: Sequence[Sealer], **more: Any) -> list[dict[str, Any]]:
    """A trust file's validators: all of these, from block 0 unless said otherwise."""
    members = [{"name": each.name, "address": each.address.hex()} for each in sealers]
    return [{"kind": kind, "from_block": 0, "members": members, **more}]


def evidence(kind: str, headers: Sequence[bytes], block_hash: bytes, number: int = NUMBER) -> bytes:
    chain = Chain(kind, 7, GENESIS)
    return dump_seals(SealEvidence(chain, kind, number, block_hash, tuple(headers)))


def bft_header(kind: str, sealers: Sequence[Sealer] = FOUR) -> BftHeader:
    return BftHeader(kind, plain_fields(NUMBER), [each.address for each in sealers], round=1)


def bft_cases(kind: str) -> Iterator[Case]:
    header = bft_header(kind)
    block_hash = keccak256(header.hashed())
    seals = [each.seal(header.digest()) for each in FOUR]
    trusted = named(kind, FOUR)

    def case(
        name: str, why: str, expected: str, shown: bytes, validators: Any = None, block: bytes = block_hash
    ) -> Case:
        return Case(f"{kind}-{name}", why, expected, evidence(kind, [shown], block), validators or trusted)

    yield case("quorum", "three of four validators sealed", PASS, header.dump(seals[:3]))
    yield case("all", "all four sealed, in another order than listed", PASS, header.dump(seals[::-1]))
    malleable = [seals[0], seals[1], malleate(seals[2])]
    yield case(
        "high-s", "a seal in its other form is that validator's all the same", PASS, header.dump(malleable)
    )
    yield case("quorum-less-one", "two of four are no quorum", FAIL, header.dump(seals[:2]))
    yield case("no-seals", "a header that nobody sealed", FAIL, header.dump([]))
    twice = [seals[0], seals[1], seals[1]]
    yield case("seal-twice", "one validator's seal counts once", FAIL, header.dump(twice))
    yield case(
        "seal-twice-malleable",
        "the other form of a seal is no second validator",
        FAIL,
        header.dump([seals[0], seals[1], malleate(seals[1])]),
    )
    stranger = [*seals[:2], STRANGER.seal(header.digest())]
    yield case("seal-of-a-stranger", "the third seal is no validator's", FAIL, header.dump(stranger))
    yield case(
        "quorum-and-a-stranger",
        "a quorum, and one seal too many",
        FAIL,
        header.dump([*seals[:3], stranger[2]]),
    )
    yield case(
        "wrong-round",
        "the header says another round than was sealed",
        FAIL,
        replace(header, round=2).dump(seals),
    )
    later = replace(header, fields=plain_fields(NUMBER, timestamp=1_800_000_060))
    elsewhere = [each.seal(later.digest()) for each in FOUR]
    yield case("seals-of-another-block", "seals moved here from another block", FAIL, header.dump(elsewhere))
    yield case("another-block", "a sealed block that is not the one named", FAIL, later.dump(elsewhere))
    swapped = replace(header, validators=[*header.validators[:3], STRANGER.address])
    yield case("list-swapped", "a validator exchanged in the list after sealing", FAIL, swapped.dump(seals))
    yield case(
        "list-swapped-and-named",
        "the same, with the hash that the block then has",
        FAIL,
        swapped.dump(seals),
        block=keccak256(swapped.hashed()),
    )
    others = make_sealers(4, first=50)
    forged = bft_header(kind, others)
    yield case(
        "other-validators",
        "a chain of somebody's own: sound, but none of those who are trusted",
        NOT_CHECKED,
        forged.sealed_by(others),
        block=keccak256(forged.hashed()),
    )
    yield case(
        "one-validator-more-is-trusted",
        "the trust file names a set that is not the header's",
        NOT_CHECKED,
        header.dump(seals),
        named(kind, FIVE),
    )
    yield case(
        "range-of-others",
        "the set of a later range must not be used for this block",
        NOT_CHECKED,
        header.dump(seals),
        [*named(kind, make_sealers(4, first=60), to_block=NUMBER), *named(kind, FOUR, from_block=NUMBER + 1)],
    )
    yield case(
        "no-range",
        "no set covers this block",
        NOT_CHECKED,
        header.dump(seals),
        named(kind, FOUR, to_block=99),
    )
    yield case(
        "range-ends-here",
        "the last block of a range",
        PASS,
        header.dump(seals),
        named(kind, FOUR, to_block=100),
    )
    other_kind = "qbft" if kind == "ibft2" else "ibft2"
    yield case(
        "kind-not-trusted", "a set of another kind", NOT_CHECKED, header.dump(seals), named(other_kind, FOUR)
    )
    yield case(
        "stricter-quorum",
        "the trust file asks for all four",
        NOT_CHECKED,
        header.dump(seals[:3]),
        named(kind, FOUR, quorum=4),
    )
    yield case(
        "stricter-quorum-met", "and all four sealed", PASS, header.dump(seals), named(kind, FOUR, quorum=4)
    )
    yield from bft_forms(kind, case)


def bft_forms(kind: str, case: Callable[..., Case]) -> Iterator[Case]:
    """What a header looks like, rather than who sealed it."""
    header = bft_header(kind)
    by_contract = replace(header, validators=[])
    block = keccak256(by_contract.hashed())
    yield case(
        "no-list",
        "a contract chooses the validators: the header lists none",
        PASS,
        by_contract.sealed_by(FOUR[:3]),
        block=block,
    )
    yield case(
        "no-list-quorum-less-one",
        "the same with one seal too few",
        NOT_CHECKED,
        by_contract.sealed_by(FOUR[:2]),
        block=block,
    )
    with_stranger = by_contract.sealed_by([*FOUR[:3], STRANGER])
    yield case(
        "no-list-and-a-stranger", "the same with a stranger's seal", NOT_CHECKED, with_stranger, block=block
    )
    vote = replace(header, vote=[STRANGER.address, b"\xff"])
    yield case(
        "vote", "a vote to add a validator", PASS, vote.sealed_by(FOUR), block=keccak256(vote.hashed())
    )
    long_vanity = replace(header, vanity=VANITY + b"\0")
    yield case(
        "vanity-of-33",
        "vanity of 33 bytes",
        FAIL,
        long_vanity.sealed_by(FOUR),
        block=keccak256(long_vanity.hashed()),
    )
    no_mark = replace(header, mix_hash=bytes(32))
    yield case(
        "mix-hash",
        "mixHash does not say BFT",
        FAIL,
        no_mark.sealed_by(FOUR),
        block=keccak256(no_mark.hashed()),
    )
    seals = [each.seal(header.digest()) for each in FOUR[:3]]
    yield case(
        "recovery-id",
        "27 where 0 belongs",
        FAIL,
        header.dump([*seals[:2], seals[2][:64] + bytes([seals[2][64] + 27])]),
    )
    yield case("seal-of-64", "a seal of 64 bytes", FAIL, header.dump([*seals[:2], seals[2][:64]]))
    yield case("seal-zero", "a seal of zeros", FAIL, header.dump([*seals[:2], bytes(65)]))
    yield case("stripped", "the form that is hashed, without seals", FAIL, header.hashed())
    double = replace(header, validators=[*header.validators, header.validators[0]])
    yield case(
        "listed-twice",
        "a validator twice in the list",
        FAIL,
        double.sealed_by(FOUR),
        block=keccak256(double.hashed()),
    )


def clique_cases() -> Iterator[Case]:
    headers = clique_chain(FIVE, [0, 2, 4, 1, 3])

    def case(
        name: str, why: str, expected: str, shown: Sequence[bytes], validators: Any = None, **more: Any
    ) -> Case:
        block = more.get("block", keccak256(shown[0]) if shown else bytes(32))
        data = evidence("clique", shown, block, more.get("number", NUMBER))
        return Case(f"clique-{name}", why, expected, data, validators or named("clique", FIVE))

    yield case("majority", "three of five signers, one block after the other", PASS, headers[:3])
    yield case("all", "all five", PASS, headers)
    yield case("majority-less-one", "two of five", NOT_CHECKED, headers[:2])
    yield case("one-signer", "a set of one", PASS, clique_chain(FIVE[:1], [0]), named("clique", FIVE[:1]))
    yield case(
        "stricter-quorum",
        "the trust file asks for four",
        NOT_CHECKED,
        headers[:3],
        named("clique", FIVE, quorum=4),
    )
    stranger = clique_chain([*FIVE[:2], STRANGER, *FIVE[3:]], [0, 2, 4])
    yield case("stranger", "the second block is sealed by nobody who is trusted", NOT_CHECKED, stranger)
    early = clique_chain(FIVE, [0, 2, 0, 1])
    yield case("signed-recently", "a signer two blocks later, where three is the least", NOT_CHECKED, early)
    again = clique_chain(FIVE, [0, 2, 1, 0, 3])
    yield case(
        "signs-again", "a signer three blocks later counts once", PASS, again, named("clique", FIVE, quorum=4)
    )
    turn = plain_fields(NUMBER)
    turn[7] = 1
    yield case(
        "out-of-turn-in-turn",
        "difficulty 1 where it is the signer's turn",
        NOT_CHECKED,
        [clique_header(turn, FIVE[0])],
    )
    turn[7] = 3
    yield case("difficulty", "a difficulty that clique does not have", FAIL, [clique_header(turn, FIVE[0])])
    yield case("gap", "a block is missing between", FAIL, [headers[0], headers[2], headers[3]])
    yield case("order", "the headers stand in another order", FAIL, [headers[0], headers[2], headers[1]])
    yield case(
        "another-block", "the headers are of another block", FAIL, headers[:3], block=keccak256(headers[1])
    )
    yield case("another-number", "the number is not the header's", FAIL, headers[:3], number=NUMBER + 1)
    epoch = clique_chain(FIVE, [0, 2, 4], listed_at=[NUMBER + 1])
    yield case("epoch", "an epoch block lists the signers", PASS, epoch)
    fewer = clique_chain(FIVE, [0, 2, 4], listed_at=[NUMBER])
    yield case(
        "epoch-of-others",
        "an epoch block lists others than are trusted",
        NOT_CHECKED,
        fewer,
        named("clique", [*FIVE, STRANGER]),
    )
    listed = [each.address for each in FIVE]
    yield case(
        "epoch-order",
        "a list out of order",
        FAIL,
        [clique_header(plain_fields(NUMBER), FIVE[0], listed[::-1])],
    )
    outside = clique_header(plain_fields(NUMBER), STRANGER, listed)
    yield case("epoch-outsider", "sealed by one whom it does not list itself", FAIL, [outside])
    crossing = [
        *named("clique", FIVE[:4], to_block=NUMBER + 1),
        *named("clique", FIVE, from_block=NUMBER + 2),
    ]
    yield case("across-ranges", "a set ends on the way", PASS, across_ranges(), crossing)
    ended = named("clique", FIVE, to_block=NUMBER + 1)
    yield case("range-ends", "no set covers the last header", NOT_CHECKED, headers[:3], ended)
    cut = plain_fields(NUMBER)
    cut[12] = bytes(96)
    yield case("extra-data", "extraData one byte too short", FAIL, [rlp.encode(cut)])


def across_ranges() -> list[bytes]:
    """Four signers up to the second block, five from the third on."""
    headers = clique_chain(FIVE[:4], [0, 2])
    fields = plain_fields(NUMBER + 2, parent=keccak256(headers[1]), timestamp=1_800_000_030)
    fields[7] = 2 if (NUMBER + 2) % 5 == 1 else 1
    return [*headers, clique_header(fields, FIVE[1])]


def form_cases() -> Iterator[Case]:
    """The document around the headers."""
    header = bft_header("qbft")
    good = json.loads(evidence("qbft", [header.sealed_by(FOUR)], keccak256(header.hashed())))
    trusted = named("qbft", FOUR)

    def case(name: str, why: str, expected: str, **changes: Any) -> Case:
        text = json.dumps({**good, **changes}, sort_keys=True, separators=(",", ":"))
        return Case(f"form-{name}", why, expected, text.encode(), trusted)

    yield case("later-version", "a version to come", NOT_CHECKED, type="mizheng/validator-seals/v2")
    yield case("other-type", "another document", FAIL, type="mizheng/anchor/v1")
    yield case("later-kind", "a kind of consensus to come", NOT_CHECKED, kind="hotstuff")
    yield case(
        "later-chain", "a kind of chain to come", NOT_CHECKED, chain={**good["chain"], "kind": "fisco"}
    )
    yield case("unknown-field", "a field too many", FAIL, note="")
    yield case("no-headers", "no header at all", FAIL, headers=[])
    yield case("two-headers", "a second header, which QBFT has no use for", FAIL, headers=good["headers"] * 2)
    yield case("upper-case", "hex in capitals", FAIL, hash=good["hash"].upper())
    yield case("header-cut", "a header cut off", FAIL, headers=[good["headers"][0][:-2]])
    yield case("header-longer", "a byte after the header", FAIL, headers=[good["headers"][0] + "00"])
    yield Case(
        "form-white-space",
        "JSON that is not canonical",
        FAIL,
        json.dumps(good, sort_keys=True).encode(),
        trusted,
    )


def published_cases() -> Iterator[Case]:
    """Headers of real chains, each whole, and cut to one seal or signer too few."""
    for entry in json.loads(PUBLISHED.read_text("utf-8")):
        kind, validators = entry["kind"], entry["validators"]
        genesis = bytes.fromhex(entry["genesis_hash"] or "00" * 32)
        headers = tuple(bytes.fromhex(header) for header in entry["headers"])
        real = SealEvidence(
            Chain(kind, entry["chain_id"], genesis),
            kind,
            entry["number"],
            bytes.fromhex(entry["hash"]),
            headers,
        )
        members = [
            {"name": f"validator {place}", "address": each} for place, each in enumerate(validators, 1)
        ]
        trusted = [{"kind": kind, "from_block": 0, "members": members}]
        yield Case(f"published-{entry['name']}", entry["source"], PASS, dump_seals(real), trusted)


def make() -> dict[str, bytes]:
    """File name to content; ValueError where the verifier answers otherwise than the case's author says."""
    files = {}
    for case in [*bft_cases("ibft2"), *bft_cases("qbft"), *clique_cases(), *form_cases(), *published_cases()]:
        found = answer(case.evidence, case.validators)
        if found["outcome"] != case.expected:
            raise ValueError(f"{case.name}: {case.expected} expected, found {found}")
        vector = {
            "name": case.name,
            "why": case.why,
            "evidence": case.evidence.decode(),
            "validators": case.validators,
            "answer": found,
        }
        files[f"{case.name}.json"] = (json.dumps(vector, indent=1, ensure_ascii=False) + "\n").encode()
    return files


def main() -> None:
    files = make()
    for path in VECTORS.glob("*.json"):
        if path != PUBLISHED and path.name not in files:
            path.unlink()
    for name, data in files.items():
        (VECTORS / name).write_bytes(data)
    print(f"{len(files)} vectors in {VECTORS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
