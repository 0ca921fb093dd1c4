"""Evidence records (RFC 4998): what renewed a token of the bundle, and everything that the token dates.

A record over the checkpoint's text keeps its token alive. Once SHA-256 itself is retired, the bundle's own
proofs need it too: then all that is opened must have been hashed anew before, and shows it here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..canonical import format_instant
from ..checkpoint import MAX_PROOF_BYTES
from ..errors import LimitError, NotBelievedError
from ..members import number_of
from ..renewable import deposit_objects
from ..renewal.chain import Digest, Group, Objects, RenewedEvidence, verify_record
from ..renewal.record import MAX_BYTES, EvidenceRecord, parse_record
from ..timestamp.algorithms import SHA256, Hash
from ..timestamp.token import parse_token
from ..words import N_
from .context import Context
from .tokens import MAX_TOKENS, StampedText

_TEXT, _DEPOSIT = "text", "deposit"
# One for each token; more tokens than that are not looked at either.
_MAX_A_GROUP = MAX_TOKENS


@dataclass(slots=True)
class Renewed:
    """How long what renews one token holds, by what it is over: a group's name to seconds since 1970."""

    until: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, until: int) -> None:
        self.until[name] = max(until, self.until.get(name, 0))

    def all_until(self, names: Sequence[str]) -> int | None:
        """How long all of these hold; None if one of them was not renewed at all."""
        found = [self.until[name] for name in names if name in self.until]
        return min(found) if len(found) == len(names) else None


def check_renewals(context: Context, stamped: Sequence[StampedText]) -> dict[str, int | None]:
    """Until when each token holds by what renewed it, by its member; None for one that nothing renewed."""
    names = context.bundle.group("renewals")
    if not names:
        context.findings.not_provided("renewal.chain", message=N_("the bundle carries no evidence record"))
    renewed = {item.member: Renewed() for item in stamped}
    groups_of: dict[str, tuple[list[str], Objects]] = {}
    most = _MAX_A_GROUP * (len(context.bundle.group("records")) + 2)
    if len(names) > most:
        error = LimitError("more evidence records than the {limit} that what is opened can need", limit=most)
        context.findings.failed("renewal.chain", "", error)
        names = []
    for name in names:
        _check_record(context, name, stamped, renewed, groups_of)
    needed = _needed(context)
    _check_hash(context, renewed, needed)
    return {member: _until(context, found, needed) for member, found in renewed.items()}


def _check_record(
    context: Context,
    name: str,
    stamped: Sequence[StampedText],
    renewed: dict[str, Renewed],
    groups_of: dict[str, tuple[list[str], Objects]],
) -> None:
    findings = context.findings
    record = findings.attempt(
        "renewal.chain", name, lambda: parse_record(context.bundle.read(name, MAX_BYTES))
    )
    if record is None or context.trust is None:
        if record is not None:
            findings.not_checked("renewal.chain", name, N_("no trust file was given"))
        return
    item = findings.attempt("renewal.chain", name, lambda: _find_token(record, stamped))
    if item is None:
        return
    if item.member not in groups_of:
        # Members that do not unpack: other checks fail for them, and nothing of them can be renewed.
        groups = findings.attempt("renewal.chain", name, lambda: _groups(context, item))
        if groups is None:
            return
        groups_of[item.member] = [name for name, _ in groups], Objects([group for _, group in groups])
    trust, (group_names, objects) = context.trust, groups_of[item.member]
    found = findings.attempt(
        "renewal.chain",
        name,
        lambda: verify_record(record, item.text, objects, trust.tsas, trust.retired_hashes),
    )
    if found is None:
        return
    _pass(context, name, item, found)
    renewed[item.member].add(_TEXT if found.group is None else group_names[found.group], found.holds_until)


def _pass(context: Context, name: str, item: StampedText, found: RenewedEvidence) -> None:
    context.findings.passed(
        "renewal.chain",
        name,
        N_("{token}, renewed {count} times, last by {authority} on {at}; holds until {until}"),
        token=item.member,
        count=found.renewals,
        authority=found.last.authority.name,
        at=format_instant(found.last.token.at),
        until=format_instant(found.holds_until),
        hash=found.hash,
    )


def _find_token(record: EvidenceRecord, stamped: Sequence[StampedText]) -> StampedText:
    """The token of the bundle with which the record begins; revocation lists may have been added to it."""
    first = parse_token(record.chains[0][0].token)
    for item in stamped:
        if (item.token.signed.content, item.token.signed.signature) == (
            first.signed.content,
            first.signed.signature,
        ):
            return item
    raise NotBelievedError("it renews no token of this bundle that holds by itself")


def _groups(context: Context, item: StampedText) -> list[tuple[str, Group]]:
    """What the chains of a record may be over, by name: the text, the deposit, each opened record."""
    head = next(head for head in context.heads if head.checkpoint.size == item.size)
    proof = context.bundle.read(head.member, MAX_PROOF_BYTES)
    # Whole groups before what they hold: one object of a group shows itself as well.
    groups: list[tuple[str, Group]] = [
        (_DEPOSIT, [_digest(part) for part in deposit_objects(context.envelope, proof)]),
        (_TEXT, [_digest(item.text)]),
    ]
    for name in context.bundle.group("records"):
        member = _digest(context.bundle.read(name))
        original = f"originals/{number_of(name):04}"
        if context.bundle.has(original):
            groups.append((original, [member, _digest_member(context, original)]))
        groups.append((name, [member]))
    return groups


def _needed(context: Context) -> list[str]:
    """Names of the groups that have to be hashed anew before SHA-256 is retired."""
    originals = set(context.bundle.group("originals"))
    records = context.bundle.group("records")
    beside = [f"originals/{number_of(name):04}" for name in records]
    return [
        _DEPOSIT,
        *(there if there in originals else name for name, there in zip(records, beside, strict=True)),
    ]


def _until(context: Context, found: Renewed, needed: Sequence[str]) -> int | None:
    retired = _retired_at(context)
    if retired is not None and context.now is not None and context.now > retired:
        return found.all_until(needed)
    return max((found.until[name] for name in (_TEXT, _DEPOSIT) if name in found.until), default=None)


def _retired_at(context: Context) -> int | None:
    """When the hash of the log, the manifests and the envelopes is retired, by the trust file."""
    return None if context.trust is None else context.trust.retired_hashes.get(SHA256.name)


def _check_hash(context: Context, renewed: dict[str, Renewed], needed: Sequence[str]) -> None:
    """Whether the bundle's own proofs still count. Only asked where the trust file retires their hash."""
    findings, retired = context.findings, _retired_at(context)
    if retired is None:
        return
    at = format_instant(retired)
    if context.now is None:
        findings.not_checked("hash.current", message=N_("no present time was given"))
    elif context.now <= retired:
        findings.passed("hash.current", message=N_("{hash} counts until {at}"), hash=SHA256.name, at=at)
    elif context.files:
        message = N_(
            "{hash} was retired at {at}: originals have to be in the bundle, beside it they prove nothing"
        )
        findings.not_checked("hash.current", message=message, hash=SHA256.name, at=at)
    elif any((found.all_until(needed) or 0) >= context.now for found in renewed.values()):
        message = N_("{hash} was retired at {at}; all that is opened was hashed anew before")
        findings.passed("hash.current", message=message, hash=SHA256.name, at=at)
    else:
        message = N_("{hash} was retired at {at}, and not all that is opened was hashed anew before")
        findings.not_checked("hash.current", message=message, hash=SHA256.name, at=at)


def _digest(data: bytes) -> Digest:
    return _remembered(lambda algorithm: algorithm.digest(data))


def _digest_member(context: Context, name: str) -> Digest:
    """Read in pieces: an original may be large."""

    def compute(algorithm: Hash) -> bytes:
        running = algorithm.start()
        for chunk in context.bundle.chunks(name):
            running.update(chunk)
        return running.digest()

    return _remembered(compute)


def _remembered(compute: Digest) -> Digest:
    """Each algorithm is computed once, however many records ask."""
    known: dict[str, bytes] = {}

    def digest(algorithm: Hash) -> bytes:
        if algorithm.name not in known:
            known[algorithm.name] = compute(algorithm)
        return known[algorithm.name]

    return digest
