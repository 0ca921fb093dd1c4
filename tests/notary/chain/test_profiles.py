"""The [chain] table: what it says, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mizheng.notary.chain.profiles import EMBEDDED_CHAIN_ID, parse_finality, parse_profile
from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.chain.signers.keyfile import KeyFileSigner
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.observers import parse_observers
from mizheng.verifier.signature import PrivateKey

GOOD: dict[str, Any] = {
    "kind": "ethereum",
    "chain_id": 1,
    "genesis_hash": "0x" + "d4" * 32,
    "rpc": ["http://127.0.0.1:8545", "https://node.example/v3/key"],
    "finality": "finalized",
    "contract": "0x" + "Ab" * 20,
    "first_block": 7,
    "max_fee_gwei": 30,
}


def test_a_table() -> None:
    profile = parse_profile(GOOD)
    assert (profile.name, profile.kind, profile.chain_id) == ("main", "ethereum", 1)
    assert profile.genesis_hash == b"\xd4" * 32
    assert profile.contract == b"\xab" * 20
    assert profile.fee_rule.max_fee == 30 * 10**9
    assert profile.finality.confirmations is None
    assert not profile.is_embedded


@pytest.mark.parametrize("table", [{"kind": "trial"}, {"kind": "trial", "name": "play"}])
def test_a_trial_chain_without_nodes_is_embedded(table: dict[str, Any]) -> None:
    profile = parse_profile(table)
    assert profile.is_embedded
    assert (profile.kind, profile.chain_id) == ("trial", EMBEDDED_CHAIN_ID)
    assert profile.finality.confirmations == 0


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kind": None}, "kind is missing"),
        ({"chain_id": None}, "chain_id is missing"),
        ({"genesis_hash": None}, "genesis_hash is missing"),
        ({"finality": None}, "finality is missing"),
        ({"rpc": None}, "rpc is missing"),
        ({"kind": "bitcoin"}, "kind"),
        ({"chain_id": 0}, "chain_id"),
        ({"chain_id": True}, "chain_id"),
        ({"chain_id": "1"}, "chain_id"),
        ({"genesis_hash": "d4"}, "genesis_hash"),
        ({"rpc": []}, "rpc"),
        ({"rpc": "http://127.0.0.1"}, "rpc"),
        ({"rpc": ["ftp://127.0.0.1"]}, "rpc"),
        ({"rpc": [7]}, "rpc"),
        ({"finality": "soon"}, "finality rule soon"),
        ({"contract": "0x12"}, "contract"),
        ({"max_fee_gwei": 0}, "max_fee_gwei"),
        ({"name": "Main Net"}, "name"),
        ({"gas": 7}, "unknown key gas"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], named: str) -> None:
    table = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(ConfigurationError, match=named):
        parse_profile(table)


def test_a_url_is_never_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_profile({**GOOD, "rpc": ["ws://node.example/v3/customer-key"]})
    assert "customer-key" not in str(caught.value) + str(caught.value.values)


def test_an_embedded_chain_takes_no_other_settings() -> None:
    with pytest.raises(ConfigurationError):
        parse_profile({"kind": "trial", "chain_id": 5})


@pytest.mark.parametrize(
    ("rule", "confirmations"), [("finalized", None), ("instant", 0), ("confirmations:12", 12)]
)
def test_finality_rules(rule: str, confirmations: int | None) -> None:
    assert parse_finality(rule).confirmations == confirmations


@pytest.mark.parametrize(
    "rule", ["", "confirmations:0", "confirmations:", "confirmations:999999", "Finalized", "confirmations:1 "]
)
def test_no_finality_rules(rule: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_finality(rule)


def test_observers() -> None:
    key = PrivateKey.generate().public
    (peer,) = parse_observers({"court": {"url": "http://127.0.0.1:8480/", "public_key": key.to_base64()}})
    assert (peer.name, peer.url, peer.key) == ("court", "http://127.0.0.1:8480", key)
    watched = {"url": "http://a", "public_key": key.to_base64(), "chain": "mainnet"}
    assert parse_observers({"court": watched}, "mainnet") == parse_observers({"court": watched})
    assert parse_observers({"court": watched}, "other") == ()
    for row in (
        {},
        {**watched, "more": 1},
        {"url": "x", "public_key": key.to_base64()},
        {"url": "http://a", "public_key": "AA=="},
        7,
    ):
        with pytest.raises(ConfigurationError, match="court"):
            parse_observers({"court": row})


def test_the_publishers_key_is_kept_and_shown_to_nobody(tmp_path: Path) -> None:
    path = tmp_path / "publisher.key"
    publisher = KeyFileSigner.load_or_create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert KeyFileSigner.load_or_create(path).address == publisher.address
    secret = path.read_text().strip()
    assert len(secret) == 64
    assert secret not in repr(publisher)
    with pytest.raises(FileExistsError):
        KeyFileSigner.create(path)


@pytest.mark.parametrize("content", ["", "zz", "00" * 32, "ff" * 32, "11" * 31, "\xff"])
def test_what_is_no_publishers_key(tmp_path: Path, content: str) -> None:
    path = tmp_path / "publisher.key"
    path.write_text(content, "latin-1")
    path.chmod(0o600)
    with pytest.raises(ConfigurationError) as caught:
        KeyFileSigner.load(path)
    assert not content or content not in str(caught.value)


def test_a_publishers_key_that_others_can_read(tmp_path: Path) -> None:
    path = tmp_path / "publisher.key"
    KeyFileSigner.create(path)
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="others may read"):
        KeyFileSigner.load(path)


def test_a_known_address() -> None:
    # The first of the accounts that every test chain knows.
    publisher = Publisher(
        KeyFileSigner(bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"))
    )
    assert publisher.address.hex() == "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"
