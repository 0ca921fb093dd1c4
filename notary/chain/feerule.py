"""What anchoring on a chain may cost, and when a transaction counts as stuck: lines of a chain's table.

fees = "dynamic"            # EIP-1559 (the default); "legacy": one gas price; "free": gas costs nothing
max_fee_gwei = 80           # the cap: dearer than this for each unit of gas, anchoring waits
budget_per_day = "0.05"     # in the chain's unit: what the last 24 hours may cost together
low_balance = "0.1"         # below this the account is to be filled up
unit = "ETH"                # what 10^18 wei are called
replace_after = 90          # seconds; what is in no block by then is replaced by a dearer one
stalled_after = 600         # seconds; a chain without a new block for so long, while we wait, has stalled
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mizheng.notary.errors import ConfigurationError

KINDS = ("dynamic", "legacy", "free")
WEI = 10**18
_GWEI = 10**9
# Seven blocks of Ethereum: a transaction that offers what is asked for is in one of the first three.
_REPLACE_SECONDS = 90
# Ten minutes without a block are an incident on every chain that makes blocks by itself.
_STALLED_SECONDS = 600
_MAX_SECONDS = 7 * 86_400
# Wei with all their digits, and no exponents: an amount is written as people write money.
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,18})?")

FEE_KEYS: Mapping[str, type] = {
    "fees": str,
    "max_fee_gwei": int,
    "budget_per_day": str,
    "low_balance": str,
    "unit": str,
    "replace_after": int,
    "stalled_after": int,
}


@dataclass(frozen=True, slots=True)
class FeeRule:
    """How a chain is paid. Amounts in wei; None: no limit."""

    kind: str = "dynamic"
    max_fee: int | None = None
    """For each unit of gas."""
    budget_per_day: int | None = None
    low_balance: int | None = None
    unit: str = "ETH"
    replace_after: int = _REPLACE_SECONDS
    stalled_after: int = _STALLED_SECONDS


def parse_fee_rule(table: Mapping[str, object]) -> FeeRule:
    """The fee lines of a chain's table, whose types have been looked at; ConfigurationError for the rest."""
    kind = str(table.get("fees", "dynamic"))
    if kind not in KINDS:
        raise _wrong("fees", "must be dynamic, legacy or free")
    cap = table.get("max_fee_gwei")
    if cap is not None and not (isinstance(cap, int) and 1 <= cap < 2**33):
        # More than 2^33 gwei for a unit of gas would not fit where costs are kept; nobody pays that.
        raise _wrong("max_fee_gwei", "must be a whole number from 1")
    unit = str(table.get("unit", "ETH"))
    if not re.fullmatch(r"[A-Za-z0-9]{1,12}", unit):
        raise _wrong("unit", "must be letters and digits, at most 12")
    return FeeRule(
        kind=kind,
        max_fee=None if cap is None else cap * _GWEI,
        budget_per_day=_amount("budget_per_day", table.get("budget_per_day")),
        low_balance=_amount("low_balance", table.get("low_balance")),
        unit=unit,
        replace_after=_seconds("replace_after", table.get("replace_after", _REPLACE_SECONDS)),
        stalled_after=_seconds("stalled_after", table.get("stalled_after", _STALLED_SECONDS)),
    )


def format_amount(wei: int) -> str:
    """Wei in the chain's unit, exactly, without needless zeros: 1500000000000000 is "0.0015"."""
    whole, rest = divmod(wei, WEI)
    return f"{whole}.{rest:018}".rstrip("0").rstrip(".")


def parse_amount(text: str) -> int:
    """The wei of an amount such as "0.05"; ValueError if it is none."""
    if not _AMOUNT.fullmatch(text):
        raise ValueError("not an amount")
    whole, _, rest = text.partition(".")
    return int(whole) * WEI + int(rest.ljust(18, "0"))


def _amount(key: str, value: object) -> int | None:
    if value is None:
        return None
    try:
        return parse_amount(str(value))
    except ValueError:
        raise _wrong(key, 'must be an amount in the chain\'s unit, as "0.05"') from None


def _seconds(key: str, value: object) -> int:
    if not isinstance(value, int) or not 1 <= value <= _MAX_SECONDS:
        raise _wrong(key, f"must be seconds, from 1 to {_MAX_SECONDS}")
    return value


def _wrong(key: str, why: str) -> ConfigurationError:
    return ConfigurationError("notary.toml: {key} of a chain {why}", key=key, why=why)
