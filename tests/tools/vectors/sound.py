"""Sound bundles of every shape."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mizheng.verifier.anchor import dump_anchor, parse_anchor
from mizheng.verifier.canonical import dump
from mizheng.verifier.digests import compute_digests
from mizheng.verifier.enrolment import Enrolment, KeyStatus, Revocation
from mizheng.verifier.manifest import Manifest
from mizheng.verifier.merkle import leaf_hash
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.record import build_record, compute_salt
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.trust import NamedKey, Trust

from tests.support.keychanges import ChangingLog
from tests.support.world import AT, Company, Deposit
from tests.tools.spec_examples import _records as example_records
from tests.verifier.attacks.forging import FREE_NUMBER, forge_anchor

from .case import Case, Cases
from .keys import DeterministicKey
from .setting import (
    ANCHOR,
    BEACON,
    ENROLMENT_PROOF,
    HEAD,
    STAMPED_AT,
    STATUS,
    Log,
    Members,
    Setting,
    ordered,
    p256,
)

_ABSENT = (
    "depositor.x509",
    "custody.chain",
    "disclosure.entry",
    "platform.facts",
    "certificate.signature",
    "exhibits.list",
    "page.digest",
    "renewal.chain",
    "foreign.observed",
    "anchor.seals",
    "witness.quorum",
)


def cases() -> list[Case]:
    found = Cases("sound")
    found.passes(
        "one-file",
        "one file with its record, an anchor whose block two observers saw, a token, a not-before block",
        lambda s: s.base,
        absent=_ABSENT,
    )
    found.passes("no-original", "a record without its file: the digest alone is proven", no_original)
    found.passes("many-records", "a record of every kind, files and links among them", many_records)
    found.passes(
        "pins", "the trust file itself pins the blocks", lambda s: without(s, "observations/"), trust="pins"
    )
    found.passes(
        "token-only", "no anchor: the token alone dates it", token_only, absent=("anchor.canonical",)
    )
    found.passes(
        "anchor-only",
        "no token: the anchor alone dates it",
        lambda s: without(s, "timestamps/"),
        absent=("token.valid",),
    )
    found.passes("receipt-only", "an anchor without a storage proof", receipt_only)
    found.passes("storage-only", "an anchor without a receipt", storage_only)
    found.passes(
        "two-anchors", "two heads of one entry, each anchored: the earlier block counts", two_anchors
    )
    found.passes("no-beacon", "the not-before block is named and not shown: no earliest time", no_beacon)
    found.passes("statement-without-beacon", "a statement that names no not-before block", no_not_before)
    found.passes(
        "stranger-observes-too",
        "an observer whom nobody knows, beside those who are known, takes nothing away",
        stranger_observes,
        open=("observation.signature",),
    )
    found.passes(
        "stranger-cosigns",
        "a signature line of an unknown key under the checkpoint is skipped",
        stranger_cosigns,
    )
    found.passes(
        "witnesses", "two of three witnesses cosigned, as the policy asks", witnesses, trust="witnesses"
    )
    found.passes("p256", "the depositor's key is ECDSA P-256", p256_depositor)
    found.passes("rotated-key-before", "deposited before the key was revoked for its successor", old_key)
    found.passes("rotated-key-after", "deposited by the successor of a revoked key", new_key)
    found.passes(
        "issuer-of-two-keys",
        "the issuer's newer key speaks of what the older one enrolled",
        two_issuers,
        trust=trust_of_two_issuers,
    )
    found.passes(
        "log-key-changed",
        "a head of the log's second key, which the trust file knows",
        second_log_key,
        trust=trust_of_two_log_keys,
    )
    found.passes(
        "not-enrolled",
        "nobody enrolled the key, and the trust file does not ask for it",
        not_enrolled,
        trust=lambda s: s.trust(require=()),
        absent=("depositor.enrolment",),
    )
    found.passes(
        "record-of-a-later-kind",
        "a kind of record to come: it belongs to the commitment all the same",
        later_kind,
        open=("record.content",),
    )
    found.passes(
        "forged-anchor-beside",
        "a home-made block of 2020 beside the honest anchor moves no time",
        forged_beside,
        open=("anchor.canonical",),
    )
    found.passes("recipient", "made out to a court, for a purpose", recipient)
    return found.all


def without(s: Setting, start: str) -> Members:
    """The base bundle without the members whose name begins so."""
    return {name: data for name, data in s.base.items() if not name.startswith(start)}


def no_original(s: Setting) -> Members:
    return s.write(s.scene.first, s.base_evidence(), originals={})


def recipient(s: Setting) -> Members:
    return s.write(s.scene.first, s.base_evidence(), recipient="示例市中级人民法院", purpose="示例")


def many_records(s: Setting) -> Members:
    key = s.stream.take(32)
    records = example_records(key)
    odd = compute_digests([b"old"])
    fields: dict[str, Any] = {"size": odd.size, "sha256": odd.sha256, "sm3": odd.sm3}
    records["odd"] = build_record(key, "file", b"\xb2\xc4\xc1\xcf.txt", fields)
    return s.stamped(*own_manifest(s, key, records), opened=tuple(records))


def own_manifest(s: Setting, key: bytes, records: dict[str, bytes]) -> tuple[Log, Deposit]:
    """A deposit of these records by the first company, in a log that a token dates."""
    log, manifest = s.log(), Manifest([leaf_hash(data) for data in records.values()], key)
    commitment = manifest.commitment(s.acme.key.public)
    deposit = s.deposit(log, s.acme, beacon=False, change=lambda it: replace(it, commitment=commitment))
    return log, replace(deposit, records=records, manifest=manifest)


def token_only(s: Setting) -> Members:
    members = without(s, "anchors/")
    return {name: data for name, data in members.items() if not name.startswith("observations/")}


def receipt_only(s: Setting) -> Members:
    return {**s.base, ANCHOR: dump_anchor(replace(s.evidence, storage=None))}


def storage_only(s: Setting) -> Members:
    return {**s.base, ANCHOR: dump_anchor(replace(s.evidence, receipt=None))}


def two_anchors(s: Setting) -> Members:
    size, anchor = s.scene.late_anchor
    evidence = s.base_evidence()
    deposit = s.scene.first
    late = parse_anchor(anchor).block.number
    return s.write(
        deposit,
        replace(
            evidence,
            heads={**evidence.heads, size: s.world.proof(deposit.index, size)},
            anchors=[*evidence.anchors, anchor],
            observations=[*evidence.observations, *s.observations(late)],
        ),
    )


def no_beacon(s: Setting) -> Members:
    return without(s, BEACON)


def no_not_before(s: Setting) -> Members:
    log = s.log()
    return s.stamped(log, s.deposit(log, s.acme, beacon=False))


def stranger_observes(s: Setting) -> Members:
    return {**s.base, "observations/0005.dsse.json": s.world.observe(s.scene.anchor_block, 2)}


def stranger_cosigns(s: Setting) -> Members:
    return cosigned(s, NoteSigner("log.example/trial", s.stream.key()).sign(s.text()))


def cosigned(s: Setting, *lines: bytes) -> Members:
    """The base bundle with further lines under its checkpoint."""
    notes = (HEAD, ENROLMENT_PROOF)
    return {name: data + b"".join(lines) if name in notes else data for name, data in s.base.items()}


def witnesses(s: Setting) -> Members:
    return cosigned(s, *(s.witnesses[n].cosign(s.text(), STAMPED_AT) for n in (0, 2)))


def p256_depositor(s: Setting) -> Members:
    log, company = s.log(), Company(key=DeterministicKey(p256(s.stream)))
    return s.stamped(log, s.deposit(log, s.enrol(log, company)))


def rotation(s: Setting) -> tuple[Log, Deposit, Deposit, Deposit, int]:
    """A log, the old key's deposit, the new key's, one of the old key after its end, where that stands."""
    log = s.log()
    old = s.enrol(log, Company(key=s.stream.key()))
    before = s.deposit(log, old)
    new = Company(key=s.stream.key())
    new.enrolment = Enrolment(new.key.public, new.name, "rotation", AT, old.key.public.keyid).sign(
        s.world.issuer
    )
    new.enrolment_index = log.append(new.enrolment)
    revoked = log.append(Revocation(old.key.public.keyid, "rotated", AT).sign(s.world.issuer))
    return log, before, s.deposit(log, new), s.deposit(log, old), revoked


def old_key(s: Setting) -> Members:
    log, before, _, _, revoked = rotation(s)
    return s.stamped(log, before, revoked=revoked)


def new_key(s: Setting) -> Members:
    log, _, after, _, _ = rotation(s)
    return s.stamped(log, after)


def _newer_issuer(s: Setting) -> PrivateKey:
    s.stream.restart("the issuer's second key")
    return s.stream.key()


def two_issuers(s: Setting) -> Members:
    status = KeyStatus(s.acme.key.public.keyid, None, 5).sign(_newer_issuer(s))
    return {**s.base, STATUS: status}


def trust_of_two_issuers(s: Setting) -> Trust:
    keys = (s.world.issuer.public, _newer_issuer(s).public)
    return s.trust(issuers=tuple(NamedKey("issuer", key) for key in keys))


def changed_log(s: Setting) -> tuple[Log, Deposit, ChangingLog]:
    """The log with its key's change behind `first`, `second` and `other`, and a deposit after that."""
    s.stream.restart("the log's second key")
    changing = ChangingLog(s.world.signer.verifier.name, s.world.signer, s.stream.key)
    changing.leaves = s.log().leaves
    changing.change()
    log = Log(changing.signer, list(changing.leaves))
    return log, s.deposit(log, s.acme), changing


def second_log_key(s: Setting) -> Members:
    log, deposit, _ = changed_log(s)
    return s.stamped(log, deposit)


def trust_of_two_log_keys(s: Setting) -> Trust:
    _, _, changing = changed_log(s)
    return s.trust(logs=changing.keys.ranges)


def not_enrolled(s: Setting) -> Members:
    log = s.log()
    return s.stamped(log, s.deposit(log, Company(key=s.stream.key())))


def later_kind(s: Setting) -> Members:
    key = s.stream.take(32)
    salt = compute_salt(key, "hologram", b"1")
    record = dump({"kind": "hologram", "salt": salt, "facets": [1, {"of": "light"}]})
    return s.stamped(*own_manifest(s, key, {"it": record}), opened=("it",))


def forged_beside(s: Setting) -> Members:
    forged = dump_anchor(forge_anchor(s.scene, number=FREE_NUMBER))
    return ordered({**s.base, "anchors/0002.json": forged})
