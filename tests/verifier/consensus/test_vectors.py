"""The vectors of tests/vectors/consensus: each gives the answer that it says, and none is stale."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mizheng.verifier.consensus.sealed import parse_sealed, strip_seals
from mizheng.verifier.evm.keccak import keccak256

from tests.support.consensus import answer
from tests.tools.consensus_vectors import PUBLISHED, VECTORS, make

NAMES = sorted(path.name for path in VECTORS.glob("*.json") if path != PUBLISHED)
REAL: list[dict[str, Any]] = json.loads(PUBLISHED.read_text("utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_is_the_vectors(name: str) -> None:
    vector = json.loads(Path(VECTORS / name).read_text("utf-8"))
    assert answer(vector["evidence"].encode(), vector["validators"]) == vector["answer"]


def test_the_script_writes_these_vectors() -> None:
    files = make()
    assert sorted(files) == NAMES
    assert [name for name, data in files.items() if (VECTORS / name).read_bytes() != data] == []


def test_every_kind_was_tried_on_a_real_chain() -> None:
    """The specification says so, and for which the block's hash was published as well."""
    assert {entry["kind"] for entry in REAL} == {"clique", "ibft2", "qbft"}
    assert {entry["kind"] for entry in REAL if entry["is_hash_published"]} == {"clique", "ibft2", "qbft"}


@pytest.mark.parametrize("entry", REAL, ids=lambda entry: entry["name"])
def test_published_headers(entry: dict[str, Any]) -> None:
    """Hash and signers as those who published the headers say, or whose list the header carries."""
    known = {bytes.fromhex(address) for address in entry["validators"]}
    parent = None
    for place, text in enumerate(entry["headers"]):
        data = bytes.fromhex(text)
        sealed = parse_sealed(entry["kind"], data)
        assert keccak256(strip_seals(entry["kind"], data)) == sealed.header.hash
        assert sealed.header.number == entry["number"] + place
        assert parent in (None, sealed.header.parent_hash)
        assert set(sealed.signers) <= known
        parent = sealed.header.hash
    assert keccak256(strip_seals(entry["kind"], bytes.fromhex(entry["headers"][0]))).hex() == entry["hash"]
