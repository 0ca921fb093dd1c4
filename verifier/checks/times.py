"""The proven interval of time: not before the beacon block, not after the earliest token or anchor."""

from __future__ import annotations

from ..beacon import MAX_BYTES, parse_beacon, verify_beacon
from ..canonical import format_instant
from ..errors import ProofError
from ..members import BEACON
from ..report import ProvenTime
from ..words import N_
from .block import Observations, check_canonical
from .context import Context

# Blocks and tokens of one checkpoint are made within minutes. What lies further apart is told to the reader:
# an authority that did not answer for a while, or a clock that is wrong.
FAR_APART_SECONDS = 3600


def check_beacon(context: Context, observations: Observations) -> None:
    """The statement names a block hash nobody could know earlier: it was signed after that block."""
    findings = context.findings
    block = context.statement.not_before
    if block is None:
        findings.not_provided("beacon.block", message=N_("the statement names no not-before block"))
        return
    if not context.bundle.has(BEACON):
        message = N_("the bundle does not carry the header of the not-before block")
        findings.not_checked("beacon.block", message=message)
        return
    beacon = findings.attempt(
        "beacon.block", BEACON, lambda: parse_beacon(context.bundle.read(BEACON, MAX_BYTES))
    )
    if beacon is None:
        return
    context.is_trial |= beacon.chain.kind == "trial"
    header = findings.attempt("beacon.block", BEACON, lambda: verify_beacon(beacon, block))
    if header is None:
        return
    findings.passed("beacon.block", BEACON, number=header.number, hash=header.hash.hex())
    chain = context.trust.chain(block.chain_id, block.genesis_hash) if context.trust else None
    if context.trust is None:
        findings.not_checked("beacon.canonical", BEACON, N_("no trust file was given"))
        return
    # The kind is in no block and in no statement: without this a trial chain could pass for a real one.
    if chain is None or chain.kind != beacon.chain.kind:
        message = N_("the trust file does not know this chain")
        findings.not_checked("beacon.canonical", BEACON, message, chain_id=block.chain_id)
        return
    if check_canonical(context, "beacon.canonical", BEACON, chain, block, observations):
        source = N_("block {number} of {chain}")
        values = {"number": header.number, "chain": chain.name}
        context.earliest = ProvenTime(header.timestamp, source, values)


def check_time_order(context: Context) -> ProvenTime | None:
    """The earliest of the latest times; FAIL when the beacon is later than that."""
    _check_clocks(context)
    latest = min(context.latest, key=lambda time: time.at, default=None)
    earliest = context.earliest
    has_latest = context.bundle.group("anchors") or context.bundle.group("timestamps")
    if context.statement.not_before is None or not has_latest:
        message = N_("only with a not-before block and an anchor or token is there an order to check")
        context.findings.not_provided("time.order", message=message)
    elif latest is None or earliest is None:
        message = N_("not both of the times are proven")
        context.findings.not_checked("time.order", message=message)
    elif earliest.at > latest.at:
        error = ProofError(
            "the not-before block of {earliest} is later than {latest}",
            earliest=format_instant(earliest.at),
            latest=format_instant(latest.at),
        )
        context.findings.failed("time.order", "", error)
    else:
        context.findings.passed(
            "time.order", earliest=format_instant(earliest.at), latest=format_instant(latest.at)
        )
    return latest


def _check_clocks(context: Context) -> None:
    """Whether all that dates the bundle tells about the same time. No clock is right because others are."""
    clocks = sorted(context.latest, key=lambda clock: clock.at)
    if len(clocks) < 2:
        message = N_("fewer than two clocks date this: there is nothing to compare")
        context.findings.not_provided("time.clocks", message=message)
        return
    first, last = clocks[0], clocks[-1]
    values = {
        "first": first.by.format(**first.values),
        "first_at": format_instant(first.at),
        "last": last.by.format(**last.values),
        "last_at": format_instant(last.at),
    }
    if last.at - first.at > FAR_APART_SECONDS:
        message = N_(
            "more than an hour apart: the first says {first_at}, the last {last_at}; one was asked late, or "
            "its clock is wrong"
        )
        context.findings.not_checked("time.clocks", message=message, **values)
    else:
        message = N_("the first says {first_at}, the last {last_at}")
        context.findings.passed("time.clocks", message=message, **values)
