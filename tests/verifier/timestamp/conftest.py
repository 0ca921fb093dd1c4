"""One authority for most tests: a chain of three, an instant in the middle of its certificate's time."""

from __future__ import annotations

import pytest

from tests.support.tsa import DAY, YEAR, TestAuthority, make_authority

AT = 1_800_000_000


@pytest.fixture(scope="session")
def authority() -> TestAuthority:
    return make_authority(start=AT - YEAR, end=AT + YEAR, with_intermediate=True)


@pytest.fixture(scope="session")
def other() -> TestAuthority:
    """Of the same name and with the same names of certificates, under another CA."""
    return make_authority(start=AT - YEAR + DAY, end=AT + YEAR, number=7, with_intermediate=True)
