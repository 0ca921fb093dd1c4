"""Anchors of one deposit on two chains: every field of every proof altered, and parts of the two mixed.

Both chains have the same contract at the same address under the same log id, and anchors of the same head:
what tells them apart is the chain alone. Nothing altered or mixed may pass `anchor.canonical`, and nothing
may give a time that an honest anchor does not give. The counts are printed at the end of the run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from mizheng.notary.chain.deploy import bring_up
from mizheng.notary.chain.embedded import EmbeddedChain
from mizheng.notary.chain.profiles import embedded_profile
from mizheng.verifier import canonical
from mizheng.verifier.anchor import dump_anchor, parse_anchor
from mizheng.verifier.report import Report
from mizheng.verifier.trust import Trust, TrustedChain, TrustedLogId

from tests.support.changes import flip
from tests.support.figures import note_into
from tests.support.world import ORIGIN, Company, World, judge
from tests.verifier.test_anchor_tampering import at, exchange, leaves, other_values, pieces, put

ANCHORS = ("anchors/0001.json", "anchors/0002.json")
OBSERVATIONS = tuple(f"observations/{n:04}.dsse.json" for n in range(1, 5))
BEACON = "beacon.json"


@dataclass
class Scene:
    """A bundle with an anchor on each of two chains, both blocks seen by a quorum of observers."""

    members: dict[str, bytes]
    trust: Trust


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("chains")
    world = World(folder)
    first, where = world.chain, world.deployment
    second = EmbeddedChain(
        folder / "second.db", embedded_profile("second"), world.publisher.address, clock=lambda: world.clock
    )
    there = bring_up(second, world.publisher, ORIGIN, sleep=world._sleep)
    # One publisher, one contract, one log id: on two chains with one chain id.
    assert (there.contract, there.log_id) == (where.contract, where.log_id)
    deposit = world.deposit(world.enrol(Company()))
    trusted, anchors, seen = [], [], []
    for name, chain in (("first", first), ("second", second)):
        world.chain = chain
        size, evidence = world.anchor()
        anchors.append((size, evidence))
        block = parse_anchor(evidence).block.number
        seen += [world.observe(block, observer) for observer in (0, 1)]
        trusted.append(
            TrustedChain(
                name,
                "trial",
                chain.profile.chain_id,
                chain.profile.genesis_hash,
                where.contract,
                where.code_hash,
                (TrustedLogId(ORIGIN, where.log_id, 0, None),),
                {},
            )
        )
    world.chain = first
    not_before = deposit.statement.not_before
    assert not_before is not None
    seen += [world.observe(not_before.number, observer) for observer in (0, 1)]
    members = world.bundle(deposit, anchors, observations=tuple(seen))
    return Scene(members, world.trust(chains=tuple(trusted)))


def passed(report: Report, name: str) -> bool:
    return any(
        check.code == "anchor.canonical" and check.subject == name and check.status == "PASS"
        for check in report.checks
    )


def honest_times(scene: Scene) -> set[int]:
    """The times of the two blocks: no altered bundle may give another one."""
    times = set()
    for name in ANCHORS:
        without = {key: data for key, data in scene.members.items() if key != name}
        latest = judge(without, scene.trust).latest
        assert latest is not None
        times.add(latest.at)
    return times


def test_both_are_sound(scene: Scene) -> None:
    report = judge(scene.members, scene.trust)
    assert report.verdict == "valid"
    assert all(passed(report, name) for name in ANCHORS)


def alterations(data: bytes) -> Iterator[bytes]:
    original = json.loads(data)
    for path in leaves(original):
        was = at(original, path)
        for new in other_values(was):
            if new != was:
                put(original, path, new)
                yield canonical.dump(original)
        put(original, path, was)


@pytest.mark.parametrize("name", ANCHORS)
def test_every_field_of_every_proof(scene: Scene, name: str, record_property: Any) -> None:
    times, tried, accepted = honest_times(scene), 0, 0
    for altered in alterations(scene.members[name]):
        report = judge({**scene.members, name: altered}, scene.trust)
        tried += 1
        accepted += passed(report, name)
        assert report.latest is None or report.latest.at in times
    note_into(record_property, "offline")(f"field altered, {name}", faults=tried, inconsistent=accepted)
    assert tried > 100
    assert accepted == 0


@pytest.mark.parametrize("name", [*OBSERVATIONS, BEACON])
def test_every_byte_of_what_vouches(scene: Scene, name: str, record_property: Any) -> None:
    """Without the altered observation there is no quorum, so its block must not count."""
    data, tried, accepted = scene.members[name], 0, 0
    # An observation that counts for nothing leaves the other chain's anchor, and the beacon's own check.
    about = {**dict.fromkeys(OBSERVATIONS[:2], ANCHORS[0]), **dict.fromkeys(OBSERVATIONS[2:], ANCHORS[1])}
    for place in range(0, len(data), 11):
        altered = bytearray(data)
        altered[place] ^= 1 << (place % 8)
        report = judge({**scene.members, name: bytes(altered)}, scene.trust)
        tried += 1
        if name == BEACON:
            accepted += any(
                check.code == "beacon.canonical" and check.status == "PASS" for check in report.checks
            )
        else:
            accepted += passed(report, about[name])
    note_into(record_property, "offline")(f"byte altered, {name}", faults=tried, inconsistent=accepted)
    assert accepted == 0


def test_parts_of_one_chains_evidence_in_the_others(scene: Scene, record_property: Any) -> None:
    one, other = (parse_anchor(scene.members[name]) for name in ANCHORS)
    tried = accepted = 0
    for mine, theirs, name in ((one, other, ANCHORS[0]), (other, one, ANCHORS[1])):
        foreign = pieces(theirs)
        paths = [path for path, value in pieces(mine).items() if foreign[path] != value]
        # The chain's name alone, its genesis alone, the block, each proof, and every pair of them.
        for number, path in enumerate(paths):
            for more in (None, *paths[number + 1 :]):
                mixed = exchange(mine, path, foreign[path])
                if more is not None:
                    mixed = exchange(mixed, more, foreign[more])
                if mixed in (mine, theirs):
                    continue
                report = judge({**scene.members, name: dump_anchor(mixed)}, scene.trust)
                tried += 1
                accepted += passed(report, name)
    note_into(record_property, "offline")("parts mixed across chains", faults=tried, inconsistent=accepted)
    assert tried > 50
    assert accepted == 0


def test_an_anchor_under_the_other_chains_name(scene: Scene) -> None:
    """Every proof holds and the contract is the trusted one: only the block is not that chain's."""
    one, other = (parse_anchor(scene.members[name]) for name in ANCHORS)
    renamed = dump_anchor(replace(one, chain=other.chain))
    report = judge({**scene.members, ANCHORS[0]: renamed}, scene.trust)
    codes = {check.code: check.status for check in report.checks if check.subject == ANCHORS[0]}
    assert (codes["anchor.receipt"], codes["anchor.event"], codes["anchor.contract"]) == (
        "PASS",
        "PASS",
        "PASS",
    )
    assert codes["anchor.canonical"] != "PASS"


def test_the_other_chains_anchor_alone_is_no_anchor_of_a_third(tmp_path: Path, scene: Scene) -> None:
    """A trust file that knows one of the chains: the other's anchor neither helps nor harms."""
    (first, _second) = scene.trust.chains
    report = judge(scene.members, replace(scene.trust, chains=(first,)))
    assert (passed(report, ANCHORS[0]), passed(report, ANCHORS[1])) == (True, False)
    assert report.verdict == "valid"
    alone = {name: data for name, data in scene.members.items() if name != ANCHORS[0]}
    assert judge(alone, replace(scene.trust, chains=(first,))).verdict == "undetermined"


@pytest.mark.parametrize("field", ["chain_id", "genesis_hash"])
def test_an_anchor_renamed_to_a_chain_that_nobody_knows(scene: Scene, field: str) -> None:
    """Nothing in a block says which chain it is of: it reads like an honest anchor on a chain that this
    reader does not know. It loses its time; the other one's stands, and no time becomes earlier.
    """
    honest = judge(scene.members, scene.trust)
    for name, other in (ANCHORS, ANCHORS[::-1]):
        anchor = parse_anchor(scene.members[name])
        value = anchor.chain.chain_id ^ 1 if field == "chain_id" else flip(anchor.chain.genesis_hash, 0)
        renamed = dump_anchor(replace(anchor, chain=replace(anchor.chain, **{field: value})))
        report = judge({**scene.members, name: renamed}, scene.trust)
        codes = {check.code: check.status for check in report.checks if check.subject == name}
        assert (codes["anchor.contract"], codes["anchor.canonical"]) == ("NOT_CHECKED", "NOT_CHECKED")
        assert passed(report, other)
        assert report.verdict == "valid"
        assert honest.latest is not None
        assert report.latest is not None
        assert report.latest.at in {clock.at for clock in honest.clocks}
        assert report.latest.at >= honest.latest.at
        alone = {member: data for member, data in scene.members.items() if member != other}
        assert judge({**alone, name: renamed}, scene.trust).verdict == "undetermined"
