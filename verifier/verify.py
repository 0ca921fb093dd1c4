"""Verification, in the order of the specification (formats §8, §10; court list "order of checking").

 1. trust       is the trust file there, and has it not expired
 2. structure   ZIP, names, limits, form
 3. envelope    the statement and its signature
 4. members     the depositor's signed list, every digest
 5. records     each opened record in the commitment; each file against its record
 6. log         entry, inclusion, checkpoint signature, witnesses
 7. chain       observations; seals; each anchor: header, receipt, event, storage, checkpoint, contract,
                canonical
 8. tokens      each time-stamp token: whole, over a checkpoint, by a trusted authority, not revoked; what
                renewed it; whether it still counts
 9. time        not before the beacon, not after the earliest token or anchor
10. depositor   enrolment in the same tree, key not revoked
11. disclosure  for whom this opening was made, for exactly these records, on record in the log
12. supplement  whether the deposit that an opened supplement names is an earlier one of the same depositor
13. custody     who had the evidence since: one chain of events, signed, on record, of known keys
14. others      the X.509 certificate that names the depositor; what the platform says of itself
15. papers      the certificate's signature and whose deposit it is about; the exhibit list; the enclosed page
16. verdict

Nothing of the bundle is believed because the bundle says so, and nothing outside is asked: trust,
the present time and what nodes answered are arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .archive import Source
from .bundle import Bundle
from .canonical import parse_instant
from .checks import (
    anchors,
    block,
    consensus,
    content,
    custody,
    disclosures,
    foreign,
    identity,
    log,
    others,
    papers,
    platforms,
    renewals,
    structure,
    supplements,
    times,
    tokens,
    x509,
)
from .checks.context import Context, OnlineBlock, OnlineRoot
from .checks.papers import PdfReader
from .dsse import MAX_ENVELOPE_BYTES
from .members import STATEMENT
from .memory import Memory
from .report import Findings, Report, Status, Support, compute_verdict
from .statement import parse_envelope
from .timestamp.algorithms import SHA256
from .trust import Trust
from .words import N_

__all__ = ["OnlineBlock", "OnlineRoot", "verify_bundle"]

# Records that speak for the time before anchoring (法释〔2021〕12号 Art. 18), as a report lists them.
_SUPPORTS = (
    (("environment",), N_("environment of the sealing machine, by the depositor's own account")),
    (("source",), N_("source, and how it was produced in the ordinary course")),
    (("corroboration", "supplement"), N_("notarization, third-party witness, corroborating data")),
    (("measure",), N_("secrecy measures")),
    (("carrier",), N_("carriers")),
    (("authority",), N_("the operator's power of attorney")),
)


def verify_bundle(
    source: Source,
    trust: Trust | None,
    *,
    now: int | None = None,
    files: Sequence[Path] = (),
    online_blocks: Sequence[OnlineBlock] = (),
    online_roots: Sequence[OnlineRoot] = (),
    memory: Memory | None = None,
    pdf_reader: PdfReader | None = None,
) -> Report:
    """Check a bundle against a trust file. Any bytes whatever give a report; OSError if they cannot be read.

    `now` is seconds since 1970 by the caller's clock; without it nothing says whether the trust file
    has expired, and the verdict is undetermined. `files` are originals, or folders of them. A
    `memory` that is handed on from bundle to bundle, with the same trust, saves doing the same work again.
    Without a `pdf_reader` no PDF is looked into.
    """
    findings = Findings()
    _check_trust(findings, trust, now)
    bundle = findings.attempt("bundle.structure", "", lambda: Bundle(source))
    if bundle is None:
        return _finish(findings, trust, None)
    with bundle:
        findings.passed("bundle.structure")
        data = findings.attempt(
            "envelope.signature", STATEMENT, lambda: bundle.read(STATEMENT, MAX_ENVELOPE_BYTES)
        )
        if data is None:
            return _finish(findings, trust, None)
        read = findings.attempt("envelope.signature", STATEMENT, lambda: parse_envelope(data))
        if read is None:
            return _finish(findings, trust, None)
        envelope, statement = read
        findings.passed(
            "envelope.signature", STATEMENT, keyid=statement.public_key.keyid, sha256=envelope.sha256
        )
        context = Context(
            bundle,
            trust,
            findings,
            statement,
            data,
            envelope.sha256,
            files,
            online_blocks,
            online_roots,
            now,
            # An empty one is false.
            Memory(0) if memory is None else memory,
        )
        structure.check_form(context)
        document = structure.check_document(context)
        if document:
            structure.check_members(context, document)
        content.check_records(context)
        content.check_originals(context)
        log.check_log(context)
        log.check_witnesses(context)
        observations = block.check_observations(context)
        consensus.check_consensus(context)
        anchors.check_anchors(context, observations)
        foreign.check_foreign(context)
        stamped = tokens.check_tokens(context)
        renewed = renewals.check_renewals(context, stamped)
        for item in stamped:
            tokens.conclude(context, item, renewed[item.member])
        times.check_beacon(context, observations)
        identity.check_enrolment(context)
        identity.check_key_status(context)
        disclosures.check_disclosure(context, document)
        supplements.check_supplements(context)
        custody.check_custody(context)
        x509.check_x509(context)
        platforms.check_platform(context)
        papers.check_papers(context, pdf_reader)
        others.check_page(context)
        return _finish(findings, trust, context)


def _check_trust(findings: Findings, trust: Trust | None, now: int | None) -> None:
    if trust is None:
        findings.not_provided("trust.current", message=N_("no trust file was given"))
    elif now is None:
        message = N_("no present time was given to hold the expiry against")
        findings.not_checked("trust.current", message=message)
    elif now >= parse_instant(trust.expires_at):
        message = N_("the trust file expired at {expires_at}: get the current one")
        findings.not_checked("trust.current", message=message, expires_at=trust.expires_at)
    else:
        findings.passed("trust.current", sha256=trust.sha256, expires_at=trust.expires_at)


def _finish(findings: Findings, trust: Trust | None, context: Context | None) -> Report:
    latest = times.check_time_order(context) if context else None
    verdict, missing = compute_verdict(findings, _required(trust))
    has_failed = any(check.status is Status.FAIL for check in findings.checks)
    return Report(
        checks=tuple(findings.checks),
        verdict=verdict,
        missing=missing,
        is_trial=context.is_trial if context else False,
        earliest=context.earliest if context else None,
        latest=latest,
        clocks=tuple(sorted(context.latest, key=lambda clock: clock.at)) if context else (),
        is_unchanged_since_anchored=bool(
            context
            and context.anchored_sizes
            and context.records
            and not has_failed
            and "hash.current" not in missing
        ),
        supports=_supports(context) if context else (),
        facts=_facts(trust, context),
        custody=tuple(context.custody) if context else (),
    )


def _required(trust: Trust | None) -> tuple[str, ...]:
    """What the trust file asks for; where it retires the hash of all proofs, that this was seen to."""
    if trust is None:
        return ()
    return (*trust.require, *(("hash.current",) if SHA256.name in trust.retired_hashes else ()))


def _supports(context: Context) -> tuple[Support, ...]:
    found = (
        (what, [name for name, record in context.records if record.kind in kinds])
        for kinds, what in _SUPPORTS
    )
    return tuple(Support(what, bool(names), ", ".join(names)) for what, names in found)


def _facts(trust: Trust | None, context: Context | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"trust_sha256": trust.sha256 if trust else None}
    if context is None:
        return facts
    statement = context.statement
    head = min((head.checkpoint.size for head in context.heads), default=None)
    return facts | {
        "depositor": statement.depositor.name,
        "depositor_id": f"{statement.depositor.id_scheme} {statement.depositor.id}",
        "depositor_is_enrolled": context.is_enrolled,
        "operator": statement.operator,
        "claimed_at": statement.claimed_at,
        "envelope_sha256": context.envelope_sha256,
        "commitment": statement.commitment.hex(),
        "software": f"{statement.software.name} {statement.software.version}",
        "leaf_index": context.heads[0].index if context.heads else None,
        "tree_size": head,
    }
