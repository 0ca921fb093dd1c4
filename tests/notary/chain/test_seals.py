"""Seals of validators, taken from a chain that tests/support/sealingchain.py seals in front of anvil."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mizheng.notary.chain.node import NodeChain
from mizheng.notary.chain.nodes import open_nodes
from mizheng.notary.chain.profiles import parse_profile
from mizheng.notary.chain.seal_collector import SealCollector
from mizheng.notary.chain.tables import validator_seals
from mizheng.notary.chain.validators import ConfiguredValidators, parse_configured
from mizheng.notary.database import reading
from mizheng.notary.errors import ConfigurationError, OperatorError
from mizheng.verifier.anchor import parse_anchor
from mizheng.verifier.consensus.seals import parse_seals, verify_seals
from mizheng.verifier.evm.keccak import keccak256
from sqlalchemy import select

from tests.notary.chain.support import Place, anchor_all, make_node_place
from tests.support.anvil import Anvil
from tests.support.sealing import make_sealers
from tests.support.sealingchain import SealingChain

KINDS = ("clique", "ibft2", "qbft")
SEALERS = make_sealers(4)


def rows(kind: str, sealers: Any = SEALERS, **more: Any) -> list[dict[str, Any]]:
    members = [{"name": each.name, "address": each.address.hex()} for each in sealers]
    return [{"kind": kind, "from_block": 0, "members": members, **more}]


@dataclass
class Consortium:
    """A notary's chain side on a sealed chain."""

    node: Anvil
    chain: SealingChain
    place: Place

    def collector(self, validators: list[dict[str, Any]] | None = None) -> SealCollector:
        named = parse_configured(validators or rows(self.chain.kind))
        profile = replace(self.place.chain.profile, kind=self.chain.kind, validators=named)
        self.place.chain = NodeChain(profile)
        return SealCollector(self.place.engine, self.place.chain, clock=self.place.clock)

    def kept(self) -> list[Any]:
        with reading(self.place.engine) as connection:
            return list(connection.execute(select(validator_seals).order_by(validator_seals.c.block_number)))

    def keep_all(self, collector: SealCollector) -> None:
        for _ in range(20):
            if not collector.step():
                return
        raise AssertionError("seals without end")


@pytest.fixture
def node() -> Iterator[Anvil]:
    with Anvil() as found:
        yield found


@pytest.fixture
def consortium(request: pytest.FixtureRequest, tmp_path: Path, node: Anvil) -> Iterator[Consortium]:
    """Of the kind of the test's parameter, or (kind, how many seal a block)."""
    kind, seals = request.param if isinstance(request.param, tuple) else (request.param, None)
    with SealingChain(node.url, kind, SEALERS, seals=seals) as chain:
        place = make_node_place(tmp_path, SimpleNamespace(url=chain.url, keys=node.keys))  # type: ignore[arg-type]
        yield Consortium(node, chain, place)
        place.engine.dispose()


every_kind = pytest.mark.parametrize("consortium", KINDS, indirect=True)


@every_kind
def test_seals_of_every_final_block_are_kept(consortium: Consortium) -> None:
    collector = consortium.collector()
    anchor_all(consortium.place)
    consortium.node.mine(4)
    consortium.keep_all(collector)
    (row,) = consortium.place.rows()
    blocks = {kept.block_hash for kept in consortium.kept()}
    assert row.block_hash in blocks
    assert collector.state == "ok"
    sets = consortium.place.chain.profile.validators.sets
    for kept in consortium.kept():
        evidence = parse_seals(kept.evidence)
        assert (evidence.number, evidence.hash) == (kept.block_number, kept.block_hash)
        assert verify_seals(evidence, sets).count >= 3
        assert consortium.chain.block(evidence.number)["hash"] == "0x" + evidence.hash.hex()
    # The anchor's own header is the form that was hashed: nothing in it can be changed unnoticed.
    anchor = parse_anchor(row.evidence_final)
    assert keccak256(anchor.block.header) == anchor.block.hash == row.block_hash
    assert anchor.chain.kind == consortium.chain.kind


@pytest.mark.parametrize("consortium", [("ibft2", 2), ("qbft", 2)], indirect=True)
def test_too_few_seals_are_not_kept(consortium: Consortium) -> None:
    collector = consortium.collector()
    anchor_all(consortium.place)
    assert collector.step()
    assert collector.state == "seals-broken"
    assert consortium.kept() == []


@every_kind
def test_other_validators_are_said_and_not_kept(consortium: Consortium) -> None:
    collector = consortium.collector(rows(consortium.chain.kind, make_sealers(4, first=70)))
    anchor_all(consortium.place)
    consortium.node.mine(4)
    assert collector.step()
    assert collector.state == "validators-differ"
    assert consortium.kept() == []
    # The operator names the right ones: what was missing is kept.
    consortium.place.clock.tick(60)
    consortium.keep_all(consortium.collector())
    assert consortium.kept()


@pytest.mark.parametrize("consortium", ["clique"], indirect=True)
def test_clique_waits_for_a_majority(consortium: Consortium) -> None:
    collector = consortium.collector()
    anchor_all(consortium.place)
    consortium.keep_all(collector)
    (row,) = consortium.place.rows()
    assert row.block_hash not in {kept.block_hash for kept in consortium.kept()}
    assert collector.state == "ok"
    consortium.node.mine(2)
    consortium.place.clock.tick(60)
    consortium.keep_all(collector)
    (kept,) = [kept for kept in consortium.kept() if kept.block_hash == row.block_hash]
    assert len(parse_seals(kept.evidence).headers) == 3


@pytest.mark.parametrize("consortium", ["qbft"], indirect=True)
def test_a_node_that_lies_about_its_header_is_not_believed(consortium: Consortium) -> None:
    collector = consortium.collector()
    anchor_all(consortium.place)
    honest = consortium.chain.rule

    def lie(method: str, params: list[Any]) -> Any:
        if method != "eth_getBlockByNumber":
            return honest(method, params)
        return lambda result: result and {**consortium.chain._show_block(result), "timestamp": "0x1"}

    consortium.chain.rule = lie
    assert collector.step()
    assert (collector.state, consortium.kept()) == ("seals-broken", [])


@pytest.mark.parametrize("kind", ["ibft2", "qbft"])
def test_of_several_nodes_one_with_good_seals_is_enough(tmp_path: Path, node: Anvil, kind: str) -> None:
    """A block's hash does not bind its seals: nodes show different ones, and a bad one hides no good one."""
    with SealingChain(node.url, kind, SEALERS, seals=2) as bad, SealingChain(node.url, kind, SEALERS) as good:
        place = make_node_place(tmp_path, SimpleNamespace(url=bad.url, keys=node.keys))  # type: ignore[arg-type]
        consortium = Consortium(node, bad, place)
        collector = consortium.collector()
        profile = replace(place.chain.profile, rpc=(bad.url, good.url))
        place.chain = open_nodes(profile)
        collector = SealCollector(place.engine, place.chain, clock=place.clock)
        anchor_all(place)
        consortium.keep_all(collector)
        assert collector.state == "ok"
        assert {kept.block_hash for kept in consortium.kept()} >= {row.block_hash for row in place.rows()}
        place.chain.close()
        place.engine.dispose()


def test_profile_with_validators() -> None:
    table = {
        "kind": "qbft",
        "chain_id": 7,
        "genesis_hash": "11" * 32,
        "rpc": ["http://127.0.0.1:1"],
        "finality": "instant",
        "validators": rows("qbft"),
    }
    profile = parse_profile(table)
    assert len(profile.validators.sets[0].members) == 4
    assert profile.validators.own == frozenset()
    for broken in ([{"kind": "qbft"}], rows("raft"), rows("qbft", quorum=1), ["qbft"], rows("qbft") * 2):
        with pytest.raises(ConfigurationError):
            parse_profile({**table, "validators": broken})


@pytest.mark.parametrize(
    ("kind", "count", "allowed"), [("qbft", 4, 1), ("ibft2", 7, 2), ("clique", 5, 2), ("qbft", 1, 0)]
)
def test_a_notary_does_not_vouch_for_itself(kind: str, count: int, allowed: int) -> None:
    sealers = make_sealers(count)
    for held in range(count + 1):
        items = rows(kind, sealers)
        for member in items[0]["members"][:held]:
            member["own"] = True
        found = parse_configured(items)
        assert len(found.own) == held
        if held <= allowed:
            assert found.exported("consortium", b"\x01" * 20) == found.sets
        else:
            with pytest.raises(OperatorError):
                found.exported("consortium", b"\x01" * 20)


def test_the_publisher_is_the_notarys_own() -> None:
    found = parse_configured(rows("qbft", SEALERS[:1]))
    assert isinstance(found, ConfiguredValidators)
    with pytest.raises(OperatorError):
        found.exported("consortium", SEALERS[0].address)
