"""What the notary says of itself: read from its settings, signed, and carried to every bundle."""

from __future__ import annotations

from typing import Any

import pytest
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.platform_facts import state_platform
from mizheng.verifier.platform_facts import ABOUT, MAX_FACTS, Fact, parse_platform
from mizheng.verifier.signature import PrivateKey

from tests.tools.layout import ROOT

KEY = PrivateKey.generate()
FACT = {"about": "filing", "text": "示例备案号"}


def state(**changes: Any) -> bytes | None:
    return state_platform({"operator": "示例中心", "facts": [FACT], **changes}, KEY, 1_800_000_000)


def test_it_is_signed_as_it_stands() -> None:
    full = {**FACT, "expires_at": "2028-06-30T16:00:00Z", "sha256": "ab" * 32}
    data = state(facts=[full, {"about": "keys", "text": "两人分持"}])
    assert data is not None
    stated, signer = parse_platform(data)
    assert signer == KEY.public
    assert (stated.operator, stated.stated_at) == ("示例中心", "2027-01-15T08:00:00Z")
    assert stated.facts == (
        Fact("filing", "示例备案号", "2028-06-30T16:00:00Z", "ab" * 32),
        Fact("keys", "两人分持", None, None),
    )
    assert state_platform({}, KEY, 0) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"operator": ""},
        {"operator": 7},
        {"facts": []},
        {"facts": "filing"},
        {"facts": [FACT] * (MAX_FACTS + 1)},
        {"facts": [{"about": "filing"}]},
        {"facts": [{**FACT, "about": "weather"}]},
        {"facts": [{**FACT, "text": "a\u0007"}]},
        {"facts": [{**FACT, "expires_at": "2028-06-30"}]},
        {"facts": [{**FACT, "sha256": "ab"}]},
        {"facts": [{**FACT, "expires_at": 2028}]},
        {"facts": [{**FACT, "by": "a friend"}]},
        {"name": "example"},
    ],
)
def test_what_is_wrong_is_said_before_anything_is_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as found:
        state(**changes)
    assert "[platform]" in str(found.value) or "[[platform.facts]]" in str(found.value)


def test_what_may_be_stated_is_in_the_manual() -> None:
    manual = (ROOT / "docs" / "operating.md").read_text("utf-8")
    part = manual.partition("## The platform about itself")[2].partition("\n## ")[0]
    assert not [about for about in ABOUT if about not in part]
