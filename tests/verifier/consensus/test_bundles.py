"""A bundle whose block nobody vouches for but its validators: believed with them, and not with anything less.

The anchor is a real one of the embedded chain; its block's header is sealed anew, so that receipt and storage
still prove what they did.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from mizheng.verifier.anchor import AnchorEvidence, parse_anchor
from mizheng.verifier.beacon import Beacon, dump_beacon
from mizheng.verifier.canonical import dump
from mizheng.verifier.checks.consensus import MAX_MEMBERS
from mizheng.verifier.consensus.seals import dump_seals, parse_seals
from mizheng.verifier.consensus.validators import parse_validators
from mizheng.verifier.evm import rlp
from mizheng.verifier.report import Report, Verdict
from mizheng.verifier.statement import BlockReference, Statement
from mizheng.verifier.trust import Trust, TrustedChain, TrustedLogId, dump_trust, parse_trust

from tests.support.scale import scaled
from tests.support.sealedblocks import FOUR, Sealed, on, seal
from tests.support.sealing import Sealer, make_sealers
from tests.support.world import ORIGIN, Company, Deposit, World, judge, statuses

STRANGERS = make_sealers(4, first=400)
KINDS = ("clique", "ibft2", "qbft")
SEALS = "seals/0001.json"
Members = dict[str, bytes]


@dataclass
class Scene:
    """A deposit without a beacon, and its anchor."""

    world: World
    deposit: Deposit
    size: int
    evidence: AnchorEvidence

    def members(self, sealed: Sealed, *seals: bytes) -> Members:
        """A bundle on the sealed block, with these members of seals."""
        members = self.world.bundle(self.deposit, [(self.size, on(self.evidence, sealed))])
        return {**members, **{f"seals/{place:04}.json": data for place, data in enumerate(seals, 1)}}

    def sealed(self, kind: str, **more: Any) -> Sealed:
        return seal(kind, self.evidence.chain, self.evidence.block.header, **more)

    def trust(self, kind: str, sealers: list[Sealer] = FOUR, **more: Any) -> Trust:
        """Names validators, and nobody else who could vouch for a block."""
        rows = [{"name": each.name, "address": each.address.hex()} for each in sealers]
        chain = self.evidence.chain
        trusted = TrustedChain(
            "consortium",
            kind,
            chain.chain_id,
            chain.genesis_hash,
            self.world.deployment.contract,
            self.world.deployment.code_hash,
            (TrustedLogId(ORIGIN, self.world.deployment.log_id, 0, None),),
            {},
            parse_validators([{"kind": kind, "from_block": 0, "members": rows, **more}]),
        )
        return self.world.trust(observers=(), observer_quorum=1, chains=(trusted,))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    world = World(tmp_path_factory.mktemp("world"))
    deposit = world.deposit(world.enrol(Company()), beacon=False)
    size, anchor = world.anchor()
    return Scene(world, deposit, size, parse_anchor(anchor))


def refused(report: Report) -> Report:
    assert report.verdict is not Verdict.VALID
    assert report.latest is None
    assert not report.is_unchanged_since_anchored
    assert "PASS" not in statuses(report, "anchor.canonical")
    return report


@pytest.mark.parametrize("kind", KINDS)
def test_validators_alone_make_it_valid(scene: Scene, kind: str) -> None:
    """No pin, no observer, no node."""
    sealed = scene.sealed(kind, count=3)
    trust = scene.trust(kind)
    assert parse_trust(dump_trust(trust)).chains == trust.chains
    report = judge(scene.members(sealed, sealed.seals), trust)
    assert report.verdict is Verdict.VALID
    assert not report.is_trial
    assert statuses(report, "anchor.seals") == statuses(report, "anchor.canonical") == ["PASS"]
    (canonical,) = (check for check in report.checks if check.code == "anchor.canonical")
    assert "validator 1" in canonical.values["by"] or "validator 2" in canonical.values["by"]
    assert "(3/4)" in canonical.values["by"]
    assert report.latest is not None


@pytest.mark.parametrize("kind", KINDS)
def test_without_seals_nobody_vouches(scene: Scene, kind: str) -> None:
    report = refused(judge(scene.members(scene.sealed(kind)), scene.trust(kind)))
    assert report.verdict is Verdict.UNDETERMINED
    assert statuses(report, "anchor.seals") == ["NOT_PROVIDED"]


@pytest.mark.parametrize(("kind", "status"), [("clique", "NOT_CHECKED"), ("ibft2", "FAIL"), ("qbft", "FAIL")])
def test_a_seal_too_few(scene: Scene, kind: str, status: str) -> None:
    sealed = scene.sealed(kind, count=2)
    report = refused(judge(scene.members(sealed, sealed.seals), scene.trust(kind)))
    assert statuses(report, "anchor.seals") == [status]


@pytest.mark.parametrize("kind", KINDS)
def test_a_forged_chain_of_other_validators(scene: Scene, kind: str) -> None:
    """Sound in itself and dated 2020: it proves nothing to whoever trusts others, and breaks nothing."""
    forged = scene.sealed(kind, sealers=STRANGERS, timestamp=1_577_836_800)
    report = refused(judge(scene.members(forged, forged.seals), scene.trust(kind)))
    assert report.verdict is Verdict.UNDETERMINED
    assert statuses(report, "anchor.seals") == ["NOT_CHECKED"]
    # Observers, pins and nodes are believed as before: other validators take nothing away.
    pinned = scene.trust(kind)
    chain = replace(pinned.chains[0], pins={forged.block.number: forged.block.hash})
    assert (
        judge(scene.members(forged, forged.seals), replace(pinned, chains=(chain,))).verdict is Verdict.VALID
    )


@pytest.mark.parametrize("kind", KINDS)
def test_seals_of_another_block_or_chain(scene: Scene, kind: str) -> None:
    sealed = scene.sealed(kind)
    elsewhere = seal(kind, replace(sealed.chain, chain_id=5), scene.evidence.block.header)
    other_start = seal(kind, replace(sealed.chain, genesis_hash=b"\x09" * 32), scene.evidence.block.header)
    other_block = scene.sealed(kind, above=1)
    later_kind = seal("qbft" if kind == "ibft2" else "ibft2", sealed.chain, scene.evidence.block.header)
    for moved in (elsewhere, other_start, other_block, later_kind):
        refused(judge(scene.members(sealed, moved.seals), scene.trust(kind)))


@pytest.mark.parametrize("kind", KINDS)
def test_two_blocks_of_one_height(scene: Scene, kind: str) -> None:
    """The validators sealed both: the evidence contradicts itself, and that is said, not passed over."""
    sealed, other = scene.sealed(kind), scene.sealed(kind, timestamp=1_790_000_000)
    report = refused(judge(scene.members(sealed, sealed.seals, other.seals), scene.trust(kind)))
    assert statuses(report, "anchor.seals") == ["PASS", "PASS"]
    assert statuses(report, "anchor.canonical") == ["FAIL"]


def test_a_quorum_that_the_trust_file_asks_for(scene: Scene) -> None:
    sealed = scene.sealed("qbft", count=3)
    report = refused(judge(scene.members(sealed, sealed.seals), scene.trust("qbft", quorum=4)))
    assert (report.verdict, statuses(report, "anchor.seals")) == (Verdict.UNDETERMINED, ["NOT_CHECKED"])


def test_a_range_that_ends_before(scene: Scene) -> None:
    sealed = scene.sealed("qbft")
    ended = scene.trust("qbft", to_block=scene.evidence.block.number - 1)
    refused(judge(scene.members(sealed, sealed.seals), ended))
    assert (
        judge(
            scene.members(sealed, sealed.seals), scene.trust("qbft", to_block=scene.evidence.block.number)
        ).verdict
        is Verdict.VALID
    )


@pytest.mark.parametrize("kind", KINDS)
def test_kind_of_the_chain_is_the_trust_files(scene: Scene, kind: str) -> None:
    """A trial chain, or one of another kind, does not become a consortium's by its seals."""
    sealed = scene.sealed(kind)
    for other in ("trial", "ethereum"):
        chain = replace(sealed.chain, kind=other)
        moved = Sealed(chain, sealed.block, dump_seals(replace(parse_seals(sealed.seals), chain=chain)))
        report = refused(judge(scene.members(moved, moved.seals), scene.trust(kind)))
        assert report.is_trial == (other == "trial")


def test_a_chain_that_was_called_ethereum_may_have_validators(scene: Scene) -> None:
    """What kind of seals there are says the set; anchors made before it stay what they are."""
    sealed = scene.sealed("qbft")
    chain = replace(sealed.chain, kind="ethereum")
    moved = Sealed(chain, sealed.block, dump_seals(replace(parse_seals(sealed.seals), chain=chain)))
    trust = scene.trust("qbft")
    trust = replace(trust, chains=(replace(trust.chains[0], kind="ethereum"),))
    assert judge(scene.members(moved, moved.seals), trust).verdict is Verdict.VALID


def test_no_trust_file(scene: Scene) -> None:
    sealed = scene.sealed("qbft")
    report = refused(judge(scene.members(sealed, sealed.seals), None))
    assert statuses(report, "anchor.seals") == ["NOT_CHECKED"]


def test_more_seals_than_a_bundle_needs_cost_nobody_an_hour(scene: Scene) -> None:
    """Only the first are looked at; the honest ones among them count."""
    sealed = scene.sealed("qbft")
    members = scene.members(sealed, *[sealed.seals] * (MAX_MEMBERS + 3))
    report = judge(members, scene.trust("qbft"))
    assert report.verdict is Verdict.VALID
    assert statuses(report, "anchor.seals") == ["PASS"] * MAX_MEMBERS + ["NOT_CHECKED"] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_no_changed_byte_of_the_seals_is_believed(scene: Scene, kind: str) -> None:
    source = random.Random(kind)
    sealed, trust = scene.sealed(kind, count=3), scene.trust(kind)
    honest = scene.members(sealed, sealed.seals)
    places = source.sample(range(len(sealed.seals)), scaled(25, 600))
    for place in places:
        changed = bytearray(sealed.seals)
        changed[place] ^= 1 << source.randrange(8)
        refused(judge({**honest, SEALS: bytes(changed)}, trust))


def changed_fields(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The evidence with each field of it, of its chain, of each header and of each extraData another one."""
    value = json.loads(data)
    others: dict[str, Any] = {
        "type": "mizheng/anchor/v1",
        "kind": "ibft2" if value["kind"] != "ibft2" else "qbft",
        "number": value["number"] + 1,
        "hash": "77" * 32,
        "headers": value["headers"][:-1],
        "chain": {**value["chain"], "kind": "ethereum"},
    }
    assert others.keys() == value.keys()
    for name, other in others.items():
        yield name, dump({**value, name: other})
    for name, other in (("chain_id", 5), ("genesis_hash", "77" * 32)):
        yield f"chain.{name}", dump({**value, "chain": {**value["chain"], name: other}})
    for place, text in enumerate(value["headers"]):
        for what, header in changed_headers(value["kind"], bytes.fromhex(text)):
            headers = [*value["headers"][:place], header.hex(), *value["headers"][place + 1 :]]
            yield f"headers[{place}].{what}", dump({**value, "headers": headers})


def changed_headers(kind: str, header: bytes) -> Iterator[tuple[str, bytes]]:
    items = list(rlp.as_list(rlp.decode(header, max_bytes=1 << 16)))
    for at, item in enumerate(items):
        yield str(at), rlp.encode([*items[:at], other_item(item), *items[at + 1 :]])
    if kind == "clique":
        return
    extra = list(rlp.as_list(rlp.decode(rlp.as_bytes(items[12]), max_bytes=1 << 16)))
    for at, item in enumerate(extra):
        changed = rlp.encode([*extra[:at], other_item(item), *extra[at + 1 :]])
        yield f"extra.{at}", rlp.encode([*items[:12], changed, *items[13:]])
    for at, item in enumerate(rlp.as_list(extra[4])):
        seals = list(rlp.as_list(extra[4]))
        seals[at] = other_item(item)
        changed = rlp.encode([*extra[:4], seals])
        yield f"seal {at}", rlp.encode([*items[:12], changed, *items[13:]])


def other_item(item: rlp.Item) -> rlp.Item:
    """Another one of the same length, where it has one."""
    if isinstance(item, tuple):
        return item[1:] if item else (b"\x01",)
    return bytes([item[0] ^ 1]) + item[1:] if len(item) > 1 else b"\x05" if item != b"\x05" else b"\x06"


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_altered_in_turn(scene: Scene, kind: str) -> None:
    sealed, trust = scene.sealed(kind, count=3), scene.trust(kind)
    honest = scene.members(sealed, sealed.seals)
    assert judge(honest, trust).verdict is Verdict.VALID
    changed = dict(changed_fields(sealed.seals))
    assert len(changed) > 30
    for what, data in changed.items():
        assert data != sealed.seals
        assert refused(judge({**honest, SEALS: data}, trust)), what


def anchors_of(scene: Scene, kind: str) -> Iterator[tuple[str, Callable[[], Members]]]:
    one, two = scene.sealed(kind), scene.sealed(kind, timestamp=1_790_000_000)
    yield "the block of one, the seals of the other", lambda: scene.members(one, two.seals)
    yield "the seals of one, the block of the other", lambda: scene.members(two, one.seals)
    bare = Sealed(one.chain, replace(one.block, hash=two.block.hash), two.seals)
    yield "the header of one under the hash of the other", lambda: scene.members(bare, two.seals)
    swapped = Sealed(one.chain, replace(two.block, hash=one.block.hash), one.seals)
    yield "the header of the other under the hash of one", lambda: scene.members(swapped, one.seals)


@pytest.mark.parametrize("kind", KINDS)
def test_parts_of_two_valid_evidences(scene: Scene, kind: str) -> None:
    for what, make in anchors_of(scene, kind):
        assert refused(judge(make(), scene.trust(kind))), what


def test_a_sealed_beacon_dates_the_signing(scene: Scene) -> None:
    """The not-before block is believed in the same way."""
    world = scene.world
    found = world.chain.block(2)
    assert found is not None
    beacon = seal("qbft", scene.evidence.chain, found.header)
    reference = BlockReference(
        beacon.chain.chain_id, beacon.chain.genesis_hash, beacon.block.number, beacon.block.hash
    )

    def name(statement: Statement) -> Statement:
        return replace(statement, not_before=reference)

    deposit = world.deposit(world.enrol(Company()), beacon=False, change=name)
    size, anchor = world.anchor()
    evidence = parse_anchor(anchor)
    sealed = seal("qbft", evidence.chain, evidence.block.header)
    members = world.bundle(deposit, [(size, on(evidence, sealed))])
    members["beacon.json"] = dump_beacon(Beacon(beacon.chain, beacon.block))
    members[SEALS], members["seals/0002.json"] = beacon.seals, sealed.seals
    report = judge(members, scene.trust("qbft"))
    assert report.verdict is Verdict.VALID
    assert statuses(report, "beacon.canonical") == ["PASS"]
    assert report.earliest is not None
