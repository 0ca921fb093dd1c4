"""One point of an environment record: {check, state, value, how}."""

from __future__ import annotations

from typing import Any

Observation = dict[str, Any]


def observed(check: str, value: str, how: str, *, is_as_wanted: bool = True) -> Observation:
    """What was seen, read as PASS. An empty value was looked for and not seen; what was seen may not be as it
    should: both are read as FAIL."""
    state = "observed" if value and is_as_wanted else "not_observed"
    return {"check": check, "state": state, "value": value or None, "how": how}


def not_checked(check: str, why: str) -> Observation:
    """What was not looked at, and why."""
    return {"check": check, "state": "not_checked", "value": None, "how": why}
