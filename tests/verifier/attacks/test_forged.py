"""Evidence of blocks that no chain has: however well it fits together, it moves no time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mizheng.verifier.anchor import dump_anchor
from mizheng.verifier.beacon import Beacon, dump_beacon, parse_beacon
from mizheng.verifier.dsse import parse as parse_dsse
from mizheng.verifier.dsse import sign
from mizheng.verifier.evm.block import Block
from mizheng.verifier.observation import PAYLOAD_TYPE, Observation, parse_observation
from mizheng.verifier.report import Report, Verdict
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.statement import BlockReference
from mizheng.verifier.trust import Trust
from mizheng.verifier.verify import OnlineBlock

from tests.support.world import AT, Deposit, failed, judge, statuses
from tests.verifier.evm import world as evm

from .forging import FREE_NUMBER, IN_2020, forge_anchor, forge_state, home_made, honest_evidence
from .scene import Members, Scene, words

ANCHOR, BEACON = "anchors/0001.json", "beacon.json"


def assert_fits_together(report: Report, *codes: str) -> None:
    """The forgery is a good one: only the question whether the chain has the block is left."""
    for code in ("anchor.header", "anchor.checkpoint", "anchor.contract", *codes):
        assert "FAIL" not in statuses(report, code), code
        assert "NOT_CHECKED" not in statuses(report, code), code


FORGERIES = {"receipt": forge_anchor, "storage": forge_state}


@pytest.mark.parametrize("by", FORGERIES)
def test_a_forged_anchor_of_2020_alone_gives_no_time(scene: Scene, by: str) -> None:
    forged = dump_anchor(FORGERIES[by](scene, number=FREE_NUMBER))
    report = judge({**scene.honest, ANCHOR: forged}, scene.trust)
    assert_fits_together(report, f"anchor.{by}")
    assert statuses(report, "anchor.canonical") == ["NOT_CHECKED"]
    assert report.verdict is Verdict.UNDETERMINED
    assert report.latest is None
    assert report.is_unchanged_since_anchored is False
    assert "2020-" not in words(report)


@pytest.mark.parametrize("by", FORGERIES)
def test_a_forged_anchor_beside_an_honest_one_moves_nothing(scene: Scene, by: str) -> None:
    forged = dump_anchor(FORGERIES[by](scene, number=FREE_NUMBER))
    report = judge({**scene.honest, "anchors/0002.json": forged}, scene.trust)
    before = judge(scene.honest, scene.trust)
    assert statuses(report, "anchor.canonical") == ["PASS", "NOT_CHECKED"]
    assert (report.latest, report.earliest) == (before.latest, before.earliest)
    assert report.verdict is Verdict.VALID


@pytest.mark.parametrize("by", FORGERIES)
def test_a_forged_block_at_a_height_that_is_known_is_a_contradiction(scene: Scene, by: str) -> None:
    forged = dump_anchor(FORGERIES[by](scene, number=scene.anchor_block))
    report = judge({**scene.honest, ANCHOR: forged}, scene.trust)
    assert failed(report) == {"anchor.canonical"}
    assert report.latest is None


def test_a_forged_block_under_the_hash_of_the_honest_one(scene: Scene) -> None:
    """A pin is of a hash, and the hash is of the header."""
    forged, honest = forge_anchor(scene, number=scene.anchor_block), honest_evidence(scene)
    named = replace(forged, block=replace(forged.block, hash=honest.block.hash))
    assert failed(judge({**scene.honest, ANCHOR: dump_anchor(named)}, scene.trust)) == {"anchor.header"}


def test_a_forged_receipt_in_the_honest_block(scene: Scene) -> None:
    forged, honest = forge_anchor(scene, number=scene.anchor_block), honest_evidence(scene)
    moved = replace(forged, block=honest.block)
    assert failed(judge({**scene.honest, ANCHOR: dump_anchor(moved)}, scene.trust)) == {"anchor.receipt"}


def test_a_forged_later_state_beside_an_honest_receipt_adds_nothing(scene: Scene) -> None:
    honest, forged = honest_evidence(scene), forge_state(scene, FREE_NUMBER)
    report = judge(
        {**scene.honest, ANCHOR: dump_anchor(replace(honest, storage=forged.storage))}, scene.trust
    )
    assert statuses(report, "anchor.storage") == ["NOT_CHECKED"]
    assert report.latest == judge(scene.honest, scene.trust).latest


def test_an_event_of_another_contract_or_log_gives_no_time(scene: Scene) -> None:
    """Real blocks hold whatever events one likes, from a contract of one's own."""
    honest = honest_evidence(scene)
    for changes in ({"contract": b"\x01" * 20}, {"log_id": b"\x01" * 32}):
        event = evm.anchored_log(
            honest.tree_size,
            honest.root_hash,
            **{"contract": honest.contract, "log_id": honest.log_id, **changes},  # type: ignore[arg-type]
        )
        block = evm.World(FREE_NUMBER, [evm.build_receipt(2, [event])], timestamp=IN_2020)
        evidence = replace(honest, block=block.block, receipt=block.receipt_proof(0, 0), storage=None)
        pinned = pin(scene, block.block)
        assert failed(judge({**scene.honest, ANCHOR: dump_anchor(evidence)}, pinned)) == {"anchor.event"}
        named = replace(evidence, **changes)  # type: ignore[arg-type]
        report = judge({**scene.honest, ANCHOR: dump_anchor(named)}, pinned)
        assert statuses(report, "anchor.contract") == ["NOT_CHECKED"]
        assert report.latest is None


def pin(scene: Scene, block: Block) -> Trust:
    """A trust file that knows this block too."""
    (chain,) = scene.world.trust().chains
    return scene.world.trust(chains=(replace(chain, pins={**chain.pins, block.number: block.hash}),))


# Who vouches for a block


def observe(scene: Scene, block: Block, key: PrivateKey, **changes: object) -> bytes:
    reference = replace(scene.world.reference(block), **changes)  # type: ignore[arg-type]
    return Observation(reference, "finalized", AT).sign(key)


def with_observations(scene: Scene, *observations: bytes) -> Members:
    more = {f"observations/{n:04}.dsse.json": data for n, data in enumerate(observations, 1)}
    return {**scene.honest, **more}


@pytest.fixture
def unpinned(scene: Scene) -> Trust:
    """Two observers, both of whom must have seen a block."""
    return scene.world.trust(pinned=False)


def test_a_quorum_of_observers_makes_a_block_canonical(scene: Scene, unpinned: Trust) -> None:
    block, (one, two, _) = honest_evidence(scene).block, scene.world.observers
    members = with_observations(scene, observe(scene, block, one), observe(scene, block, two))
    report = judge(members, unpinned)
    assert report.verdict is Verdict.VALID
    assert "observer 0, observer 1" in words(report)


def too_few(scene: Scene) -> dict[str, tuple[bytes, ...]]:
    block, (one, two, stranger) = honest_evidence(scene).block, scene.world.observers
    good = observe(scene, block, one)
    again = Observation(scene.world.reference(block), "confirmations:99", "2026-11-24T02:00:00Z").sign(one)
    return {
        "nobody": (),
        "one of two": (good,),
        "one of two, twice the same": (good, good),
        "one of two, two observations": (good, again),
        "one and a stranger": (good, observe(scene, block, stranger)),
        "strangers": tuple(observe(scene, block, PrivateKey.generate()) for _ in range(9)),
        "two, one of another number": (good, observe(scene, block, two, number=block.number + 1)),
        "two, one of another chain": (good, observe(scene, block, two, chain_id=1)),
        "two, one of another genesis": (good, observe(scene, block, two, genesis_hash=bytes(32))),
        "issuer and log": (
            observe(scene, block, scene.world.issuer),
            observe(scene, block, scene.world.log_key),
        ),
    }


@pytest.mark.parametrize(
    "case",
    [
        "nobody",
        "one of two",
        "one of two, twice the same",
        "one of two, two observations",
        "one and a stranger",
        "strangers",
        "two, one of another number",
        "two, one of another chain",
        "two, one of another genesis",
        "issuer and log",
    ],
)
def test_too_few_observers_leave_it_open(scene: Scene, unpinned: Trust, case: str) -> None:
    report = judge(with_observations(scene, *too_few(scene)[case]), unpinned)
    assert statuses(report, "anchor.canonical") == ["NOT_CHECKED"]
    assert report.verdict is Verdict.UNDETERMINED
    assert failed(report) == set()
    assert report.latest is None


def test_strangers_do_not_make_a_forged_block_canonical(scene: Scene) -> None:
    forged = forge_anchor(scene, number=FREE_NUMBER)
    seen = tuple(observe(scene, forged.block, PrivateKey.generate()) for _ in range(3))
    members = {**with_observations(scene, *seen), ANCHOR: dump_anchor(forged)}
    report = judge(members, scene.trust)
    assert statuses(report, "observation.signature") == ["NOT_CHECKED"] * 3
    assert statuses(report, "anchor.canonical") == ["NOT_CHECKED"]
    assert report.latest is None


def test_an_observation_under_a_trusted_name_that_another_signed(scene: Scene, unpinned: Trust) -> None:
    block, (one, two, _) = honest_evidence(scene).block, scene.world.observers
    honest = parse_dsse(observe(scene, block, two), PAYLOAD_TYPE)
    forged = sign(honest.payload, PAYLOAD_TYPE, PrivateKey.generate())
    report = judge(with_observations(scene, observe(scene, block, one), forged), unpinned)
    assert failed(report) == {"observation.signature"}
    assert report.latest is None


def test_a_trusted_observer_who_saw_another_block_contradicts(scene: Scene) -> None:
    block, (one, two, stranger) = honest_evidence(scene).block, scene.world.observers
    against = observe(scene, block, one, hash=bytes(32))
    assert parse_observation(against)[0].block.hash == bytes(32)
    for trust in (scene.trust, scene.world.trust(pinned=False)):
        members = with_observations(scene, against, observe(scene, block, two))
        report = judge(members, trust)
        assert failed(report) == {"anchor.canonical"}
        assert report.latest is None
    unknown = observe(scene, block, stranger, hash=bytes(32))
    assert judge(with_observations(scene, unknown), scene.trust).verdict is Verdict.VALID


def node(block: BlockReference, **changes: object) -> OnlineBlock:
    return OnlineBlock("node", replace(block, **changes), True)  # type: ignore[arg-type]


def test_nodes_that_were_asked(scene: Scene, unpinned: Trust) -> None:
    block = scene.world.reference(honest_evidence(scene).block)
    other = node(block, hash=bytes(32))
    assert judge(scene.honest, unpinned, online_blocks=[node(block)]).verdict is Verdict.VALID
    for nodes in (
        [replace(node(block), is_final=False)],
        [node(block), replace(node(block), is_final=False)],
        [node(block, number=block.number + 1)],
        [node(block, chain_id=1)],
        [node(block, genesis_hash=bytes(32))],
    ):
        report = judge(scene.honest, unpinned, online_blocks=nodes)
        assert statuses(report, "anchor.canonical") == ["NOT_CHECKED"]
    for trust in (unpinned, scene.trust):
        report = judge(scene.honest, trust, online_blocks=[node(block), other])
        assert failed(report) == {"anchor.canonical"}


# The not-before block


def deposit_after(scene: Scene, block: Block) -> Deposit:
    reference = scene.world.reference(block)
    return scene.world.deposit(scene.acme, change=lambda statement: replace(statement, not_before=reference))


def bundle_after(scene: Scene, block: Block) -> Members:
    members = scene.world.bundle(deposit_after(scene, block), [scene.world.anchor()], ("配方.txt",))
    return {**members, BEACON: dump_beacon(Beacon(scene.world.chain.profile.identity, block))}


def test_a_not_before_block_that_nobody_knows_gives_no_time(scene: Scene) -> None:
    report = judge(bundle_after(scene, home_made(FREE_NUMBER, IN_2020)), scene.world.trust())
    assert statuses(report, "beacon.block") == ["PASS"]
    assert statuses(report, "beacon.canonical") == ["NOT_CHECKED"]
    assert report.earliest is None
    assert report.verdict is Verdict.VALID


def test_a_forged_not_before_block_at_a_known_height_contradicts(scene: Scene) -> None:
    report = judge(bundle_after(scene, home_made(1, IN_2020)), scene.world.trust())
    assert failed(report) == {"beacon.canonical"}


def test_a_not_before_block_later_than_the_anchor(scene: Scene) -> None:
    """Both are canonical: then one of them lies, and the bundle with it."""
    late = home_made(FREE_NUMBER, IN_2020 + 86_400 * 365 * 20)
    report = judge(bundle_after(scene, late), pin(scene, late))
    assert statuses(report, "beacon.canonical") == ["PASS"]
    assert failed(report) == {"time.order"}
    assert report.verdict is Verdict.INVALID


def test_a_beacon_of_another_block_than_the_statement_names(scene: Scene) -> None:
    block = scene.world.chain.block(2)
    assert block
    other = dump_beacon(Beacon(scene.world.chain.profile.identity, block))
    assert other != scene.honest[BEACON]
    report = judge({**scene.honest, BEACON: other}, scene.trust)
    assert failed(report) == {"beacon.block"}
    assert report.earliest is None


@pytest.mark.parametrize("what", ["header", "number", "hash"])
def test_a_beacon_whose_header_is_not_that_of_its_hash(scene: Scene, what: str) -> None:
    beacon, other = parse_beacon(scene.honest[BEACON]), home_made(1, IN_2020)
    block = replace(beacon.block, **{what: getattr(other, what) if what != "number" else 7})  # type: ignore[arg-type]
    report = judge({**scene.honest, BEACON: dump_beacon(replace(beacon, block=block))}, scene.trust)
    assert failed(report) == {"beacon.block"}


def test_a_trial_chain_cannot_call_itself_a_real_one(scene: Scene) -> None:
    """The kind stands in no block and no statement: only the trust file knows it."""
    beacon = parse_beacon(scene.honest[BEACON])
    real = replace(beacon, chain=replace(beacon.chain, kind="ethereum"))
    report = judge({**scene.honest, BEACON: dump_beacon(real)}, scene.trust)
    assert statuses(report, "beacon.canonical") == ["NOT_CHECKED"]
    assert report.earliest is None
    anchor = replace(honest_evidence(scene), chain=real.chain)
    report = judge({**scene.honest, ANCHOR: dump_anchor(anchor)}, scene.trust)
    assert statuses(report, "anchor.canonical") == ["NOT_CHECKED"]
    assert report.latest is None


def test_a_block_time_past_all_calendars_is_refused(scene: Scene) -> None:
    """Even of a block that the trust file pins: a chain may count in milliseconds."""
    forged = forge_anchor(scene, number=FREE_NUMBER, timestamp=2**50)
    report = judge({**scene.honest, ANCHOR: dump_anchor(forged)}, pin(scene, forged.block))
    assert failed(report) == {"anchor.header"}
    words(report)


def test_trial_is_the_first_word_of_whatever_comes_out(scene: Scene) -> None:
    for members in (
        scene.honest,
        {**scene.honest, ANCHOR: scene.honest[ANCHOR].replace(b'"header":"f9', b'"header":"f8')},
        {**scene.honest, "records/0001.json": b"{}"},
    ):
        report = judge(members, scene.trust)
        assert report.is_trial
        assert words(report).startswith("TRIAL")
