"""Anchor evidence: its format and what each check refuses. Tampering has a file of its own."""

import json
from dataclasses import replace
from typing import Any

import pytest
from eth_utils import keccak
from mizheng.verifier import canonical
from mizheng.verifier.anchor import (
    MAX_PROOF_NODES,
    AnchorEvidence,
    dump_anchor,
    parse_anchor,
    verify_anchor,
    verify_contract,
    verify_event,
    verify_header,
    verify_receipt,
    verify_storage,
)
from mizheng.verifier.errors import ChainProofError, FormatError, LimitError, VersionError
from mizheng.verifier.evm.block import Chain
from mizheng.verifier.evm.header import MAX_HEADER_BYTES
from mizheng.verifier.evm.receipt import MAX_RECEIPT_BYTES

from .evm.world import (
    CHAIN,
    CODE_HASH,
    CONTRACT,
    LOG_ID,
    World,
    anchored_log,
    build_evidence,
    build_receipt,
    build_receipts,
    root_of,
)


@pytest.fixture(scope="module")
def evidence() -> AnchorEvidence:
    return build_evidence()


@pytest.fixture
def fields(evidence: AnchorEvidence) -> dict[str, Any]:
    value = json.loads(dump_anchor(evidence))
    assert isinstance(value, dict)
    return value


def check(evidence: AnchorEvidence) -> None:
    verify_anchor(evidence, CHAIN, CONTRACT, CODE_HASH)


def test_step_by_step(evidence: AnchorEvidence) -> None:
    verify_contract(evidence, CHAIN, CONTRACT, CODE_HASH)
    header = verify_header(evidence)
    assert (header.number, header.timestamp) == (23_000_000, 1_790_000_000)
    receipt = verify_receipt(evidence, header)
    assert len(receipt.logs) == 2
    event = verify_event(evidence, receipt)
    assert (event.address, event.topics[1], event.data) == (CONTRACT, LOG_ID, root_of(70_000))
    finding = verify_storage(evidence)
    assert finding.header.number == 23_000_040
    assert finding.account.code_hash == CODE_HASH
    assert finding.value == root_of(70_000)
    assert verify_anchor(evidence, CHAIN, CONTRACT, CODE_HASH) == header


@pytest.mark.parametrize("drop", ["receipt", "storage", None])
def test_round_trip(evidence: AnchorEvidence, drop: str | None) -> None:
    """A storage proof without a receipt stands on the anchor's own block."""
    if drop == "receipt":
        evidence = replace(build_evidence(later=0), receipt=None)
    elif drop == "storage":
        evidence = replace(evidence, storage=None)
    data = dump_anchor(evidence)
    assert parse_anchor(data) == evidence
    assert dump_anchor(parse_anchor(data)) == data
    check(evidence)


def test_trial_chain(evidence: AnchorEvidence) -> None:
    trial = Chain("trial", 1_337_000, keccak(b"genesis"))
    data = dump_anchor(replace(evidence, chain=trial))
    verify_anchor(parse_anchor(data), trial, CONTRACT, CODE_HASH)
    with pytest.raises(ChainProofError, match="another chain"):
        check(parse_anchor(data))


@pytest.mark.parametrize("kind", ["fisco-bcos", "besu-qbft", "Ethereum", "", "trial "])
def test_a_kind_with_other_headers(fields: dict[str, Any], kind: str) -> None:
    fields["chain"]["kind"] = kind
    with pytest.raises(VersionError, match="unsupported kind"):
        parse_anchor(canonical.dump(fields))


def test_a_later_version_says_so_whatever_its_fields(fields: dict[str, Any]) -> None:
    fields["type"] = "mizheng/anchor/v2"
    fields["seals"] = []
    with pytest.raises(VersionError, match="anchor/v2"):
        parse_anchor(canonical.dump(fields))


def test_only_canonical_bytes(evidence: AnchorEvidence) -> None:
    data = dump_anchor(evidence)
    for wrong in (data + b"\n", data[:-1], data.replace(b":", b": ", 1), b"", b"{}", b"[]", b"null", b"\xff"):
        with pytest.raises(FormatError):
            parse_anchor(wrong)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += paths(item, (*path, key))
    return found


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


EVERY_PATH = paths(json.loads(dump_anchor(build_evidence(receipts=3, index=1, later=1))))


@pytest.mark.parametrize("path", EVERY_PATH, ids=lambda path: ".".join(map(str, path)))
def test_every_field_has_one_type_and_is_needed(fields: dict[str, Any], path: tuple[Any, ...]) -> None:
    parent, key = at(fields, path[:-1]), path[-1]
    was = parent[key]
    for wrong in (
        None,
        True,
        1,
        -1,
        2**53 - 1,
        "",
        "00",
        "zz",
        "AA" * 32,
        "0x" + "00" * 32,
        [],
        {},
        [[]],
        [1],
    ):
        if type(wrong) is type(was) and isinstance(wrong, (int, list)):
            continue  # numbers and lists: the checks' matter, tampered with elsewhere
        if isinstance(wrong, str) and (len(path) > 2 and path[-2] in LISTS):
            continue
        if wrong is None and path in (("receipt",), ("storage",)):
            continue
        if isinstance(wrong, str) and path[-1] in ("header", "bytes") and wrong in ("", "00"):
            continue  # bytes of any length: the header's and receipt's decoders refuse these
        parent[key] = wrong
        with pytest.raises(FormatError):
            parse_anchor(canonical.dump(fields))
    if isinstance(parent, dict):
        del parent[key]
        with pytest.raises(FormatError):
            parse_anchor(canonical.dump(fields))
        parent[key] = was
        parent["note"] = was
        with pytest.raises(FormatError):
            parse_anchor(canonical.dump(fields))


LISTS = ("proof", "account_proof", "slot_proof")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("tree_size",), 0),
        (("tree_size",), -1),
        (("chain", "chain_id"), 0),
        (("block", "number"), -1),
        (("receipt", "index"), -1),
        (("receipt", "log_index"), -1),
        (("storage", "block", "number"), -1),
    ],
)
def test_numbers_have_a_least_value(fields: dict[str, Any], path: tuple[str, ...], value: int) -> None:
    at(fields, path[:-1])[path[-1]] = value
    with pytest.raises(FormatError):
        parse_anchor(canonical.dump(fields))


def test_limits(fields: dict[str, Any]) -> None:
    for path, value in (
        (("block", "header"), "00" * (MAX_HEADER_BYTES + 1)),
        (("receipt", "bytes"), "00" * (MAX_RECEIPT_BYTES + 1)),
        (("receipt", "proof"), ["00" * (MAX_RECEIPT_BYTES + 65)]),
        (("storage", "slot_proof"), ["00"] * (MAX_PROOF_NODES + 1)),
        (("storage", "slot_proof"), ["00" * 60_000] * 10),
    ):
        changed = json.loads(json.dumps(fields))
        at(changed, path[:-1])[path[-1]] = value
        with pytest.raises(LimitError):
            parse_anchor(canonical.dump(changed))


def test_exactly_at_the_limits(fields: dict[str, Any]) -> None:
    fields["block"]["header"] = "00" * MAX_HEADER_BYTES
    fields["receipt"]["bytes"] = "00" * MAX_RECEIPT_BYTES
    fields["storage"]["account_proof"] = ["00"] * MAX_PROOF_NODES
    parsed = parse_anchor(canonical.dump(fields))
    assert len(parsed.block.header) == MAX_HEADER_BYTES


def test_neither_proof(evidence: AnchorEvidence) -> None:
    nothing = replace(evidence, receipt=None, storage=None)
    with pytest.raises(FormatError, match="neither"):
        parse_anchor(dump_anchor(nothing))
    for verify in (
        lambda: verify_receipt(nothing, verify_header(nothing)),
        lambda: verify_event(nothing, verify_receipt(evidence, verify_header(evidence))),
        lambda: verify_storage(nothing),
        lambda: check(nothing),
    ):
        with pytest.raises(ChainProofError):
            verify()


def test_trust_names_chain_contract_and_code(evidence: AnchorEvidence) -> None:
    for chain in (
        replace(CHAIN, kind="trial"),
        replace(CHAIN, chain_id=2),
        replace(CHAIN, genesis_hash=bytes(32)),
    ):
        with pytest.raises(ChainProofError, match="another chain"):
            verify_contract(evidence, chain, CONTRACT, CODE_HASH)
    with pytest.raises(ChainProofError, match="another contract"):
        verify_contract(evidence, CHAIN, bytes(20), CODE_HASH)
    with pytest.raises(ChainProofError, match="other code"):
        verify_contract(evidence, CHAIN, CONTRACT, keccak(b""))
    verify_contract(replace(evidence, storage=None), CHAIN, CONTRACT, keccak(b""))


def test_another_contract_with_the_same_event() -> None:
    """Anyone can deploy a contract that emits Anchored: trust names the one that counts."""
    other = b"\x66" * 20
    log = anchored_log(9, root_of(9), contract=other)
    world = World(4, [build_receipt(2, [log])])
    forged = AnchorEvidence(CHAIN, other, LOG_ID, 9, root_of(9), world.block, world.receipt_proof(0, 0), None)
    verify_anchor(forged, CHAIN, other, CODE_HASH)
    with pytest.raises(ChainProofError, match="another contract"):
        check(forged)
    with pytest.raises(ChainProofError, match="event comes from another contract"):
        check(replace(forged, contract=CONTRACT))


class TestStorageBlock:
    """Which block a storage proof may stand on: it must never lend its root to an earlier time."""

    early = World(100, build_receipts(2, {0: 5}), (5,), timestamp=1_577_836_800)
    late = World(200, build_receipts(2, {0: 9}), (5, 9))

    def evidence(self, **change: Any) -> AnchorEvidence:
        sound = AnchorEvidence(
            CHAIN, CONTRACT, LOG_ID, 9, root_of(9), self.late.block, None, self.late.storage_proof(9)
        )
        check(sound)
        return replace(sound, **change)

    def test_alone_it_stands_on_the_block_whose_time_counts(self) -> None:
        backdated = self.evidence(block=self.early.block)
        verify_header(backdated)
        with pytest.raises(ChainProofError, match="own block"):
            check(backdated)

    def test_beside_a_receipt_it_may_be_later_but_not_earlier(self) -> None:
        receipt = self.late.receipt_proof(0, 1)
        check(self.evidence(receipt=receipt))
        first = AnchorEvidence(
            CHAIN,
            CONTRACT,
            LOG_ID,
            5,
            root_of(5),
            self.early.block,
            self.early.receipt_proof(0, 1),
            self.late.storage_proof(5),
        )
        check(first)
        again = World(150, build_receipts(2, {0: 5}), (5,))
        earlier = replace(first, block=again.block, receipt=again.receipt_proof(0, 1))
        check(earlier)
        with pytest.raises(ChainProofError, match="own block"):
            check(replace(earlier, storage=self.early.storage_proof(5)))

    def test_two_blocks_of_one_height(self) -> None:
        twin = World(200, build_receipts(2, {0: 9}), (9,), timestamp=1)
        check(self.evidence(block=twin.block, storage=twin.storage_proof(9)))
        both = self.evidence(receipt=self.late.receipt_proof(0, 1), storage=twin.storage_proof(9))
        with pytest.raises(ChainProofError, match="own block"):
            check(both)

    def test_the_slot_holds_another_root(self) -> None:
        with pytest.raises(ChainProofError, match="storage holds another root"):
            verify_storage(self.evidence(root_hash=root_of(10)))

    def test_the_code_is_the_accounts(self) -> None:
        proof = replace(self.late.storage_proof(9), code_hash=keccak(b"other"))
        with pytest.raises(ChainProofError, match="other code"):
            verify_storage(self.evidence(storage=proof))


def test_bytes_that_do_not_decode_are_chain_proof_errors(evidence: AnchorEvidence) -> None:
    """Their hashes may be right, as only a forger of a whole block can make them."""
    junk = b"\xc1\x80"
    block = replace(evidence.block, header=junk, hash=keccak(junk))
    with pytest.raises(ChainProofError):
        verify_header(replace(evidence, block=block))
    world = World(1, [b"\x02" + b"not a receipt" * 4])
    header = verify_header(replace(evidence, block=world.block))
    with pytest.raises(ChainProofError):
        verify_receipt(replace(evidence, block=world.block, receipt=world.receipt_proof(0, 0)), header)
    assert evidence.storage
    storage = replace(evidence.storage, slot_proof=(junk,))
    with pytest.raises(ChainProofError):
        verify_storage(replace(evidence, storage=storage))


def test_a_receipt_of_a_later_transaction_type_was_not_looked_at(evidence: AnchorEvidence) -> None:
    """It is in its block; what it says is not known here. That is no fault of the evidence."""
    world = World(1, [b"\x05" + b"not a receipt" * 4])
    header = verify_header(replace(evidence, block=world.block))
    with pytest.raises(VersionError, match="unsupported transaction type 5"):
        verify_receipt(replace(evidence, block=world.block, receipt=world.receipt_proof(0, 0)), header)
