"""What this notary says of itself in every bundle: the table `[platform]` of notary.toml, signed.

[platform]
operator = "示例电子数据存证中心有限公司"     # the legal name of whoever runs it
[[platform.facts]]
about = "filing"            # or: protection, cryptography, nodes, keys, shareholding, administration, other
text = "区块链信息服务备案号 …"
expires_at = "2028-06-30T16:00:00Z"     # optional
sha256 = "…"                            # optional: of the paper that shows it
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mizheng.notary.errors import ConfigurationError
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.platform_facts import ABOUT, Fact, PlatformFacts
from mizheng.verifier.signature import PrivateKey

_KEYS = {"about", "text", "expires_at", "sha256"}


def state_platform(table: Mapping[str, Any], issuer: PrivateKey, now: int) -> bytes | None:
    """The signed facts as of now, seconds since 1970; None for an empty table.

    ConfigurationError names what is wrong.
    """
    if not table:
        return None
    facts = table.get("facts")
    is_form = isinstance(facts, list) and all(isinstance(fact, dict) for fact in facts)
    if set(table) != {"operator", "facts"} or not isinstance(table["operator"], str) or not is_form:
        raise ConfigurationError("notary.toml: [platform] has operator and tables [[platform.facts]]")
    made = []
    for number, fact in enumerate(table["facts"], 1):
        if not {"about", "text"} <= set(fact) <= _KEYS or not all(isinstance(v, str) for v in fact.values()):
            raise ConfigurationError(
                "notary.toml: [[platform.facts]] {number} is not of the right form",
                hint="it has about and text, perhaps expires_at and sha256, each in quotes",
                number=number,
            )
        made.append(Fact(fact["about"], fact["text"], fact.get("expires_at"), fact.get("sha256")))
    try:
        return PlatformFacts(table["operator"], format_instant(now), made).sign(issuer)
    except MizhengError as error:
        raise ConfigurationError(
            "notary.toml: [platform]: {reason}",
            hint="about is one of: {about}; an instant looks like 2028-06-30T16:00:00Z",
            reason=error,
            about=", ".join(ABOUT),
        ) from None
