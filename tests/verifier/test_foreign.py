"""Anchors on chains with foreign headers: what observers say, what it is worth, and what it never is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mizheng.verifier import canonical
from mizheng.verifier.errors import FormatError, VersionError
from mizheng.verifier.evm.block import Chain
from mizheng.verifier.foreign import ForeignAnchor, dump_foreign, parse_foreign
from mizheng.verifier.merkle import Tree
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.trust import Trust, TrustedChain, TrustedLogId
from mizheng.verifier.verify import OnlineRoot

from tests.support.world import AT, ORIGIN, Company, World, failed, judge, statuses

CHAIN = Chain("fisco-bcos", 20200, b"\x0f" * 32)
CONTRACT, CODE, LOG_ID = b"\x0a" * 20, b"\x0b" * 32, b"\x0c" * 32
NAME = "foreign/0001.json"
CODE_NAME = "foreign.observed"


class Scene:
    """A deposit whose head is said to stand on a foreign chain, without any other anchor."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        company = self.world.enrol(Company())
        self.deposit = self.world.deposit(company, beacon=False)
        self.size = len(self.world.leaves)
        self.root = Tree(self.world.leaves).root(self.size)
        self.anchor = ForeignAnchor(CHAIN, CONTRACT, CODE, LOG_ID, self.size, self.root, 77, b"\x0d" * 32, AT)

    def signed(self, *observers: PrivateKey, anchor: ForeignAnchor | None = None) -> bytes:
        said = anchor or self.anchor
        return dump_foreign(
            said.with_observations(tuple(said.observe("instant", AT, key) for key in observers))
        )

    def bundle(self, evidence: bytes) -> dict[str, bytes]:
        members = self.world.bundle(self.deposit, [(self.size, b"")])
        del members["anchors/0001.json"]
        return {**members, NAME: evidence}

    def trust(self, **changes: Any) -> Trust:
        log_ids = (TrustedLogId(ORIGIN, LOG_ID, 0, None),)
        place = {"contract": CONTRACT, "code_hash": CODE, "kind": CHAIN.kind, "log_ids": log_ids, **changes}
        chain = TrustedChain(
            "court chain",
            place["kind"],
            CHAIN.chain_id,
            CHAIN.genesis_hash,
            place["contract"],
            place["code_hash"],
            place["log_ids"],
            {},
        )
        return self.world.trust(chains=(chain,))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("foreign"))


def test_a_quorum_of_observers_passes_and_makes_nothing_valid(scene: Scene) -> None:
    one, two, stranger = scene.world.observers
    report = judge(scene.bundle(scene.signed(one, two)), scene.trust())
    (check,) = (check for check in report.checks if check.code == CODE_NAME)
    assert check.status == "PASS"
    assert check.values["observers"] == "observer 0, observer 1"
    # The word of others, and no proof: no anchor that is canonical, no time, not valid by itself.
    assert report.verdict == "undetermined"
    assert report.latest is None
    assert not report.is_unchanged_since_anchored
    for observers in ((one,), (one, one), (one, stranger), ()):
        report = judge(scene.bundle(scene.signed(*observers)), scene.trust())
        assert statuses(report, CODE_NAME) == ["NOT_CHECKED"]
        assert not failed(report)


@pytest.mark.parametrize(
    "changes",
    [
        {"contract": bytes(20)},
        {"code_hash": bytes(32)},
        {"kind": "ethereum"},
        {"log_ids": (TrustedLogId(ORIGIN, bytes(32), 0, None),)},
        {"log_ids": (TrustedLogId(ORIGIN, LOG_ID, 0, 1),)},
        {"log_ids": (TrustedLogId("log.example/other", LOG_ID, 0, None),)},
    ],
)
def test_another_place_than_the_trusted_one_is_not_believed(scene: Scene, changes: dict[str, Any]) -> None:
    one, two, _ = scene.world.observers
    report = judge(scene.bundle(scene.signed(one, two)), scene.trust(**changes))
    assert statuses(report, CODE_NAME) == ["NOT_CHECKED"]


CHANGES: dict[str, Callable[[Any], Any]] = {
    "kind": lambda _: "fisco-bcos-4",
    "chain_id": lambda found: found + 1,
    "genesis_hash": lambda found: found[::-1],
    "contract": lambda _: "0e" * 20,
    "code_hash": lambda _: "0e" * 32,
    "log_id": lambda _: "0e" * 32,
    "tree_size": lambda found: found + 1,
    "root_hash": lambda _: "0e" * 32,
    "number": lambda found: found + 1,
    "hash": lambda _: "0e" * 32,
    "block_time": lambda _: "2026-11-23T02:00:01Z",
    "type": lambda _: "mizheng/anchor/v1",
}


@pytest.mark.parametrize("field", CHANGES)
def test_no_field_can_be_altered(scene: Scene, field: str) -> None:
    one, two, _ = scene.world.observers
    fields = json.loads(scene.signed(one, two))
    assert set(CHANGES) == set(fields) - {"observations"}
    altered = canonical.dump({**fields, field: CHANGES[field](fields[field])})
    report = judge(scene.bundle(altered), scene.trust())
    assert "PASS" not in statuses(report, CODE_NAME)


def test_every_flipped_bit_of_the_member(scene: Scene) -> None:
    one, two, _ = scene.world.observers
    data = bytearray(scene.signed(one, two))
    members, trust = scene.bundle(bytes(data)), scene.trust()
    # Each byte once; the bit moves on with the byte.
    for place in range(0, len(data), 7):
        data[place] ^= 1 << (place % 8)
        report = judge({**members, NAME: bytes(data)}, trust)
        assert "PASS" not in statuses(report, CODE_NAME), place
        data[place] ^= 1 << (place % 8)


def test_observations_of_another_anchor_are_a_failure(scene: Scene) -> None:
    one, two, _ = scene.world.observers
    other = replace(scene.anchor, number=78)
    mixed = scene.anchor.with_observations(
        (scene.anchor.observe("instant", AT, one), other.observe("instant", AT, two))
    )
    assert CODE_NAME in failed(judge(scene.bundle(dump_foreign(mixed)), scene.trust()))


def test_another_root_than_the_checkpoints_is_a_failure(scene: Scene) -> None:
    one, two, _ = scene.world.observers
    wrong = scene.signed(one, two, anchor=replace(scene.anchor, root_hash=b"\x01" * 32))
    assert CODE_NAME in failed(judge(scene.bundle(wrong), scene.trust()))


def test_a_node_of_the_users_choice_answers_for_it_too(scene: Scene) -> None:
    one, two, _ = scene.world.observers
    members = scene.bundle(scene.signed(one, two))
    place = (CHAIN.chain_id, CHAIN.genesis_hash, CONTRACT, LOG_ID, scene.size)
    good = OnlineRoot("node", *place, scene.root)
    report = judge(members, scene.trust(), online_roots=[good])
    assert statuses(report, "online.root") == ["PASS"]
    report = judge(members, scene.trust(), online_roots=[replace(good, root=b"\x01" * 32)])
    assert failed(report) == {"online.root"}
    # Nothing there, and it does not have the block as final either: it may not be there yet.
    report = judge(members, scene.trust(), online_roots=[replace(good, root=bytes(32))])
    assert statuses(report, "online.root") == ["NOT_CHECKED"]


def test_what_is_not_canonical_or_of_later_kinds(scene: Scene) -> None:
    data = scene.signed(scene.world.observers[0])
    assert dump_foreign(parse_foreign(data)) == data
    with pytest.raises(FormatError):
        parse_foreign(data + b" ")
    fields = json.loads(data)
    with pytest.raises(VersionError):
        parse_foreign(canonical.dump({**fields, "kind": "corda"}))
    for kind in ("ethereum", "trial"):
        with pytest.raises(VersionError):
            parse_foreign(canonical.dump({**fields, "kind": kind}))
    with pytest.raises(FormatError):
        parse_foreign(canonical.dump({**fields, "observations": fields["observations"] * 65}))
