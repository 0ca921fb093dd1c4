"""The validators of a trust file: what is refused, what comes back as it was written."""

from __future__ import annotations

from typing import Any

import pytest
from mizheng.verifier.consensus.validators import (
    MAX_VALIDATORS,
    compute_quorum,
    find_set,
    parse_validators,
)
from mizheng.verifier.errors import FormatError, NotBelievedError, VersionError
from mizheng.verifier.trust import parse_trust

from tests.support.sealing import make_sealers

FOUR = make_sealers(4)


def row(kind: str = "qbft", count: int = 4, **more: Any) -> dict[str, Any]:
    members = [{"name": f"validator {n}", "address": f"{n + 1:040x}"} for n in range(count)]
    return {"kind": kind, "from_block": 0, "members": members, **more}


@pytest.mark.parametrize(
    ("kind", "quorums"),
    [
        # EIP-225: floor(n / 2) + 1.
        ("clique", [1, 2, 2, 3, 3, 4, 4]),
        # Besu's and GoQuorum's ceil(2n / 3).
        ("ibft2", [1, 2, 2, 3, 4, 4, 5]),
        ("qbft", [1, 2, 2, 3, 4, 4, 5]),
    ],
)
def test_quorums(kind: str, quorums: list[int]) -> None:
    assert [compute_quorum(kind, count) for count in range(1, 8)] == quorums


def test_two_bft_quorums_share_more_than_may_be_faulty() -> None:
    for count in range(1, MAX_VALIDATORS + 1):
        quorum, faulty = compute_quorum("qbft", count), (count - 1) // 3
        assert 2 * quorum - count > faulty
        assert quorum <= count - faulty


@pytest.mark.parametrize(
    "broken",
    [
        [{"kind": "qbft", "from_block": 0}],
        [row(count=0)],
        [row(count=MAX_VALIDATORS + 1)],
        [row(from_block=-1)],
        [row(to_block=-1)],
        [row(from_block=5, to_block=4)],
        [row(quorum=2)],
        [row(quorum=5)],
        [row(kind="clique", quorum=2)],
        [row(note="")],
        [row(), row(kind="ibft2", from_block=100)],
        [row(to_block=100), row(from_block=100)],
        [row(from_block=7), row(from_block=7)],
        [{**row(), "members": [*row()["members"], row()["members"][0]]}],
        [{**row(), "members": [{"name": "zero", "address": "00" * 20}]}],
        [{**row(), "members": [{"name": "short", "address": "11" * 19}]}],
        [{**row(), "members": [{"name": "capitals", "address": "AB" * 20}]}],
        [{**row(), "members": [{"name": "no address"}]}],
        ["qbft"],
    ],
)
def test_what_is_refused(broken: list[Any]) -> None:
    with pytest.raises(FormatError):
        parse_validators(broken)


def test_a_kind_to_come() -> None:
    with pytest.raises(VersionError):
        parse_validators([row(kind="hotstuff")])


def test_ranges() -> None:
    sets = parse_validators(
        [row(from_block=200, count=7), row(to_block=99, count=4), row("ibft2", from_block=100, to_block=199)]
    )
    assert [each.from_block for each in sets] == [0, 100, 200]
    assert len(find_set(sets, "qbft", 99).members) == 4
    assert len(find_set(sets, "qbft", 10**9).members) == 7
    assert find_set(sets, "ibft2", 100).needed == 3
    for kind, number in (("qbft", 100), ("ibft2", 99), ("clique", 0)):
        with pytest.raises(NotBelievedError):
            find_set(sets, kind, number)


def test_a_trust_file_by_hand() -> None:
    """As docs/spec/9-trust.md shows it, every key in it."""
    members = "\n".join(f'  {{name = "{each.name}", address = "{each.address.hex()}"}},' for each in FOUR)
    text = f"""
format = "mizheng/trust/v1"
name = "consortium"
issued_at = "2026-11-24T00:00:00Z"
expires_at = "2027-11-24T00:00:00Z"
logs = []
[[chains]]
name = "consortium"
kind = "qbft"
chain_id = 7
genesis_hash = "{"11" * 32}"
contract = "{"22" * 20}"
code_hash = "{"33" * 32}"
log_ids = []
[[chains.validators]]
kind = "qbft"
from_block = 0
to_block = 99
quorum = 4
members = [
{members}
]
"""
    (found,) = parse_trust(text.encode()).chains[0].validators
    assert (found.kind, found.from_block, found.to_block, found.needed) == ("qbft", 0, 99, 4)
    assert found.addresses == {each.address for each in FOUR}
    assert found.names([FOUR[2].address, FOUR[0].address]) == [FOUR[0].name, FOUR[2].name]
    for misspelt in (text.replace("quorum", "qourum"), text.replace("quorum = 4", "quorum = 2")):
        with pytest.raises(FormatError):
            parse_trust(misspelt.encode())
