"""The second verifier gives every published vector the answer that it is published with."""

import pytest

from tests.support import vectors
from tests.support.webverifier import shared

GROUPS = sorted({name.partition("/")[0] for name in vectors.names()})


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_of_vectors(group: str) -> None:
    for name in vectors.names():
        if name.startswith(f"{group}/"):
            vector = vectors.read(name)
            report = shared().verify(vector.bundle, vector.trust, now=vector.now)
            told = vector.told(report)
            assert told == {key: vector.expected[key] for key in told}, name
