"""What nodes of the verifier's own choice add: all that were asked must have the block as final."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from mizheng.verifier.anchor import parse_anchor
from mizheng.verifier.report import Report
from mizheng.verifier.statement import BlockReference
from mizheng.verifier.verify import OnlineBlock, OnlineRoot

from tests.support.world import Company, World, failed, judge, statuses


@dataclass
class Scene:
    world: World
    members: dict[str, bytes]

    @property
    def blocks(self) -> list[BlockReference]:
        """The anchor's block and the beacon's."""
        profile = self.world.chain.profile
        anchor = parse_anchor(self.members["anchors/0001.json"])
        assert anchor.block.number > 0
        numbers = (anchor.block.number, anchor.block.number - 1)
        found = [self.world.chain.block(number) for number in numbers]
        return [BlockReference(profile.chain_id, profile.genesis_hash, b.number, b.hash) for b in found if b]

    def judge(self, *blocks: OnlineBlock, roots: tuple[OnlineRoot, ...] = ()) -> Report:
        trust = self.world.trust(pinned=False, observers=(), observer_quorum=1)
        return judge(self.members, trust, online_blocks=blocks, online_roots=roots)

    def answers(self, source: str, *, is_final: bool = True) -> list[OnlineBlock]:
        return [OnlineBlock(source, block, is_final) for block in self.blocks]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    world = World(tmp_path_factory.mktemp("online"))
    company = world.enrol(Company())
    deposit = world.deposit(company)
    return Scene(world, world.bundle(deposit, [world.anchor()]))


def test_without_any_voucher_no_time_counts(scene: Scene) -> None:
    report = scene.judge()
    assert report.verdict == "undetermined"
    assert report.latest is None and report.earliest is None


def test_two_nodes_agree(scene: Scene) -> None:
    report = scene.judge(*scene.answers("one"), *scene.answers("two"))
    assert report.verdict == "valid"
    assert statuses(report, "beacon.canonical") == ["PASS"]


def test_one_that_does_not_call_it_final_leaves_it_open(scene: Scene) -> None:
    report = scene.judge(*scene.answers("one"), *scene.answers("two", is_final=False))
    assert statuses(report, "anchor.canonical") == ["NOT_CHECKED"]
    assert report.verdict == "undetermined"


def test_one_that_has_no_such_block_leaves_it_open(scene: Scene) -> None:
    block = scene.blocks[0]
    absent = BlockReference(block.chain_id, block.genesis_hash, block.number, b"")
    report = scene.judge(*scene.answers("one"), OnlineBlock("two", absent, False))
    assert statuses(report, "anchor.canonical") == ["NOT_CHECKED"]
    assert failed(report) == set()


def test_one_that_has_another_block_is_a_contradiction(scene: Scene) -> None:
    block = scene.blocks[0]
    other = BlockReference(block.chain_id, block.genesis_hash, block.number, b"\x01" * 32)
    report = scene.judge(*scene.answers("one"), OnlineBlock("two", other, True))
    assert failed(report) == {"anchor.canonical"}
    assert report.latest is None


def test_a_node_of_another_chain_says_nothing(scene: Scene) -> None:
    elsewhere = [
        OnlineBlock("one", BlockReference(block.chain_id, b"\x02" * 32, block.number, block.hash), True)
        for block in scene.blocks
    ]
    assert scene.judge(*elsewhere).verdict == "undetermined"


@pytest.mark.parametrize(("is_same", "status"), [(True, "PASS"), (False, "FAIL")])
def test_the_root_that_the_contract_holds_today(scene: Scene, is_same: bool, status: str) -> None:
    anchor = parse_anchor(scene.members["anchors/0001.json"])
    root = anchor.root_hash if is_same else bytes(32)
    chain = anchor.chain
    answer = OnlineRoot(
        "one", chain.chain_id, chain.genesis_hash, anchor.contract, anchor.log_id, anchor.tree_size, root
    )
    report = scene.judge(*scene.answers("one"), roots=(answer,))
    assert statuses(report, "online.root") == [status]


def test_nodes_never_make_good_what_fails_offline(scene: Scene) -> None:
    """However many of them agree: a proof that does not check stays a failure."""
    data = scene.members["anchors/0001.json"]
    digest = parse_anchor(data).root_hash.hex().encode()
    altered = {**scene.members, "anchors/0001.json": data.replace(digest, b"0" * 64)}
    answers = [*scene.answers("one"), *scene.answers("two")]
    assert scene.judge(*answers).verdict == "valid"
    trust = scene.world.trust(pinned=False, observers=(), observer_quorum=1)
    report = judge(altered, trust, online_blocks=answers)
    assert report.verdict == "invalid"
    assert "anchor.canonical" not in {check.code for check in report.checks if check.status == "PASS"}
