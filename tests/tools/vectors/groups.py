"""All vectors, group by group."""

from __future__ import annotations

from . import (
    answers,
    believed,
    chains,
    consortium,
    containers,
    custody,
    custody_defects,
    depositors,
    disclosures,
    forgeries,
    forms,
    lists,
    logs,
    mixed,
    papers,
    platforms,
    records,
    renewals,
    signatures,
    sound,
    spelled,
    supplements,
    tokens,
    versions,
    vouchers,
    witnesses,
    x509,
)
from .case import Case

_GROUPS = (
    sound,
    forms,
    containers,
    spelled,
    signatures,
    lists,
    records,
    supplements,
    logs,
    witnesses,
    depositors,
    tokens,
    answers,
    renewals,
    disclosures,
    custody,
    custody_defects,
    papers,
    platforms,
    x509,
    chains,
    forgeries,
    vouchers,
    consortium,
    mixed,
    versions,
    believed,
)


def cases() -> list[Case]:
    return [case for group in _GROUPS for case in group.cases()]
