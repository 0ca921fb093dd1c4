"""Every published vector gets the answer it is published with, and the script makes it again as it is."""

from __future__ import annotations

import pytest
from mizheng.verifier.canonical import parse_instant
from mizheng.verifier.trust import parse_trust
from mizheng.verifier.verify import verify_bundle

from tests.support import vectors
from tests.tools import bundle_vectors

NAMES = vectors.names()


@pytest.mark.parametrize("name", NAMES)
def test_a_vector(name: str) -> None:
    vector = vectors.read(name)
    trust = None if vector.trust is None else parse_trust(vector.trust)
    report = verify_bundle(vector.bundle, trust, now=parse_instant(vector.now))
    told = vector.told(report.to_json())
    assert told == {key: vector.expected[key] for key in told}


def test_there_are_enough_of_them() -> None:
    assert len(NAMES) >= 150
    assert len({vectors.read(name).expected["why"] for name in NAMES}) == len(NAMES)


def test_the_script_makes_them_as_they_are() -> None:
    made = dict(bundle_vectors.files())
    stored = {
        path.relative_to(vectors.FOLDER).as_posix(): path.read_bytes()
        for path in vectors.FOLDER.rglob("*")
        if path.is_file() and path.name != "README.md"
    }
    assert made.keys() == stored.keys()
    assert [name for name in made if made[name] != stored[name]] == []
