"""Numbers that every test of a fault gives, for the summary at the end of the run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.load import Count
from tests.faults.seeds import SEED
from tests.support.figures import note_into

Tell = Callable[..., None]


@pytest.fixture
def tell(record_property: Callable[[str, object], None], request: pytest.FixtureRequest) -> Tell:
    """`tell("kill -9", 100, count, "words")`: what was done how often, and what became of the deposits."""
    parameters = getattr(request.node, "callspec", None)
    database = parameters.params.get("database_url", "") if parameters else ""

    def tell(fault: str, faults: int, found: Count, more: str = "", *, database: str = database) -> None:
        note_into(record_property, database, SEED)(
            fault,
            more=more,
            faults=faults,
            acknowledged=found.acknowledged,
            lost=found.lost,
            duplicated=found.duplicated,
            inconsistent=found.inconsistent,
        )

    return tell
