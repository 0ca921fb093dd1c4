"""The log beside the contract on a real node: equal, ahead, contradicting, and nodes that cannot tell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from mizheng.cli.auditing import chain as auditing_chain
from mizheng.cli.auditing.faults import MisbehaviourFault, UndecidedFault
from mizheng.cli.auditing.state import load_state
from mizheng.cli.checking.node import Node
from mizheng.cli.errors import UnavailableFault, UsageFault
from mizheng.contracts.artifact import load_artifact
from mizheng.verifier.canonical import from_base64
from mizheng.verifier.merkle import Tree, leaf_hash, verify_consistency
from mizheng.verifier.note import NoteVerifier
from mizheng.verifier.trust import Trust, TrustedChain, TrustedLog, TrustedLogId, dump_trust

from tests.cli.auditing.conftest import Auditor
from tests.cli.runner import Mizheng
from tests.contracts.anchor_contract import AnchorContract, Log
from tests.contracts.chains import AnvilChain
from tests.support.anvil import Anvil
from tests.support.staticlog import ORIGIN, StaticLog, make_entry

TREE = Tree(leaf_hash(make_entry(number)) for number in range(2000))


@pytest.fixture(scope="module")
def contract(anvil: Anvil) -> AnchorContract:
    return AnchorContract(AnvilChain(anvil))


@pytest.fixture
def anchored(contract: AnchorContract) -> Log:
    """The log's place on the contract, with two heads."""
    place = contract.open()
    anchor(contract, place, 0, 300)
    anchor(contract, place, 300, 700)
    return place


def anchor(contract: AnchorContract, place: Log, old: int, new: int, tree: Tree = TREE) -> None:
    contract.anchor(place, new, tree.root(new), tree.consistency_proof(old, new) if old else [])


def make_trust(
    anvil: Anvil, contract: AnchorContract, log: StaticLog, places: Sequence[TrustedLogId]
) -> Trust:
    chain = TrustedChain(
        "anvil",
        "ethereum",
        anvil.chain_id,
        bytes.fromhex(anvil.rpc("eth_getBlockByNumber", "0x0", False)["hash"][2:]),
        bytes.fromhex(contract.address[2:]),
        load_artifact().code_hash,
        tuple(places),
    )
    trusted = TrustedLog(NoteVerifier.from_vkey(log.vkey), 0, None)
    return Trust("a court", "2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z", (trusted,), (), (), 1, (chain,))


@pytest.fixture
def trust(anvil: Anvil, contract: AnchorContract, log: StaticLog, anchored: Log) -> Trust:
    return make_trust(anvil, contract, log, [TrustedLogId(ORIGIN, anchored.id, 0, None)])


def test_a_log_and_its_anchors(
    anvil: Anvil, contract: AnchorContract, log: StaticLog, anchored: Log, trust: Trust, auditor: Auditor
) -> None:
    audit = auditor(log.folder, trust=trust, nodes=[anvil.url])
    (heads,) = audit.chains
    assert (heads.head, sorted(heads.roots), heads.listed) == (700, [300, 700], True)
    anvil.mine(20)
    auditor(log.folder, trust=trust, nodes=[anvil.url])
    log.grow(1500)
    anchor(contract, anchored, 700, 1200)
    audit = auditor(log.folder, trust=trust, nodes=[anvil.url])
    (heads,) = audit.chains
    # The events of final blocks were read before.
    assert (heads.head, sorted(heads.roots)) == (1200, [1200])
    state = load_state(auditor.state, ())
    assert state is not None and state.chains[0].next_block > 10


def test_nothing_anchored_yet(
    anvil: Anvil, contract: AnchorContract, log: StaticLog, auditor: Auditor
) -> None:
    place = contract.open()
    trust = make_trust(anvil, contract, log, [TrustedLogId(ORIGIN, place.id, 0, None)])
    (heads,) = auditor(log.folder, trust=trust, nodes=[anvil.url]).chains
    assert (heads.head, heads.roots) == (0, {})


def test_the_chain_holds_another_root(
    anvil: Anvil, contract: AnchorContract, log: StaticLog, auditor: Auditor
) -> None:
    other = Tree(leaf_hash(make_entry(number, b"x" if number == 5 else b"")) for number in range(400))
    place = contract.open()
    contract.anchor(place, 400, other.root(400), [])
    trust = make_trust(anvil, contract, log, [TrustedLogId(ORIGIN, place.id, 0, None)])
    with pytest.raises(MisbehaviourFault) as caught:
        auditor(log.folder, trust=trust, nodes=[anvil.url])
    fault = caught.value
    assert fault.kind == "chain"
    details = fault.details
    assert details["anchored_root"] != details["old_root_in_new_tree"]
    proof = details["consistency_proof"]
    assert isinstance(proof, list)
    verify_consistency(
        400,
        from_base64(details["old_root_in_new_tree"]),
        700,
        log.root,
        [from_base64(item) for item in proof],
    )


def test_the_chain_is_ahead_of_the_log(
    anvil: Anvil, contract: AnchorContract, log: StaticLog, anchored: Log, trust: Trust, auditor: Auditor
) -> None:
    anchor(contract, anchored, 700, 701)
    with pytest.raises(MisbehaviourFault) as caught:
        auditor(log.folder, trust=trust, nodes=[anvil.url])
    assert caught.value.kind == "chain-ahead"


def test_sizes_that_the_trust_file_does_not_believe_do_not_count(
    anvil: Anvil, contract: AnchorContract, log: StaticLog, anchored: Log, auditor: Auditor
) -> None:
    # A stolen publisher key anchored something; the trust file ends this log id before, another goes on.
    other = Tree([TREE.subtree_root(number, number + 1) for number in range(700)] + [bytes(32)] * 50)
    anchor(contract, anchored, 700, 750, other)
    second = contract.open()
    anchor(contract, second, 0, 720)
    log.grow(800)
    places = [TrustedLogId(ORIGIN, anchored.id, 0, 700), TrustedLogId(ORIGIN, second.id, 701, None)]
    audit = auditor(log.folder, trust=make_trust(anvil, contract, log, places), nodes=[anvil.url])
    assert [sorted(heads.roots) for heads in audit.chains] == [[300, 700], [720]]


def test_nodes_that_cannot_tell(
    anvil: Anvil, log: StaticLog, trust: Trust, auditor: Auditor, tmp_path: Path
) -> None:
    (chain,) = trust.chains
    wrong_code = replace(trust, chains=(replace(chain, code_hash=bytes(32)),))
    with pytest.raises(UndecidedFault, match="the contract is not the one"):
        auditor(log.folder, trust=wrong_code, nodes=[anvil.url])
    other_chain = replace(trust, chains=(replace(chain, genesis_hash=bytes(32)),))
    with pytest.raises(UsageFault, match="does not name"):
        auditor(log.folder, trust=other_chain, nodes=[anvil.url])
    nowhere = replace(trust, chains=(replace(chain, log_ids=()),))
    with pytest.raises(UndecidedFault, match="no contract"):
        auditor(log.folder, trust=nowhere, nodes=[anvil.url])
    fresh = Auditor(tmp_path / "fresh.json")
    with pytest.raises(UnavailableFault):
        fresh(log.folder, trust=trust, nodes=["http://127.0.0.1:9"])
    # The log was audited all the same.
    state = load_state(fresh.state, ())
    assert state is not None and state.audited == 700


def test_a_node_that_lists_no_events(
    anvil: Anvil, log: StaticLog, trust: Trust, auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Node, "anchored_sizes", lambda *_arguments: None)
    (heads,) = auditor(log.folder, trust=trust, nodes=[anvil.url]).chains
    assert (sorted(heads.roots), heads.listed) == ([700], False)
    state = load_state(auditor.state, ())
    assert state is not None and state.chains == ()


def test_at_most_so_many_sizes_a_run(
    anvil: Anvil, contract: AnchorContract, log: StaticLog, auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing_chain, "_MOST_SIZES", 2)
    place = contract.open()
    for old, new in zip((0, 100, 200, 300), (100, 200, 300, 400), strict=True):
        anchor(contract, place, old, new)
    trust = make_trust(anvil, contract, log, [TrustedLogId(ORIGIN, place.id, 0, None)])
    (heads,) = auditor(log.folder, trust=trust, nodes=[anvil.url]).chains
    assert sorted(heads.roots) == [200, 300, 400]


def test_an_expired_trust_file_and_a_key_beyond_its_sizes(
    log: StaticLog, trust: Trust, auditor: Auditor
) -> None:
    with pytest.raises(UndecidedFault, match="expired"):
        auditor(log.folder, trust=replace(trust, expires_at="2026-02-01T00:00:00Z"))
    ended = replace(trust, logs=(replace(trust.logs[0], last_size=699),))
    with pytest.raises(UndecidedFault, match="does not believe"):
        auditor(log.folder, trust=ended)
    assert not auditor.state.exists()


def test_the_command_line_with_a_node(
    anvil: Anvil,
    contract: AnchorContract,
    log: StaticLog,
    anchored: Log,
    trust: Trust,
    bare: Mizheng,
    tmp_path: Path,
) -> None:
    path = tmp_path / "trust.toml"
    path.write_bytes(dump_trust(trust))
    done = bare("audit", str(log.folder), "--trust", path, "--rpc", anvil.url).ok()
    assert f"chain anvil on 127.0.0.1:{anvil.port}: last anchored 700 entries; 2 roots compared" in done.out
    anchor(contract, anchored, 700, 900)
    behind = bare("audit", str(log.folder), "--trust", path, "--rpc", anvil.url, "--json")
    assert (behind.code, behind.json["finding"]) == (1, "chain-ahead")
    evidence = json.loads(Path(behind.json["evidence"]).read_bytes())
    assert evidence["details"]["anchored_size"] == 900
    assert evidence["checkpoints"] == [(log.folder / "checkpoint").read_text("utf-8")]
