"""Time-stamp tokens over checkpoints (formats §6): each by its own time, then whether it still counts today.

A check that fails ends its token; what follows reads NOT_CHECKED. Only a token of which every check passed
gives a time. An authority that the trust file does not know is not checked; a token that is broken fails.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..canonical import format_instant
from ..checkpoint import parse_checkpoint
from ..errors import FormatError, LimitError, ProofError
from ..members import number_of
from ..report import ProvenTime
from ..timestamp.authority import Judgement, judge
from ..timestamp.revocation import check_revocation
from ..timestamp.token import MAX_BYTES, MAX_TEXT_BYTES, Token, parse_response, parse_token
from ..words import N_
from .context import Context

# Of as many authorities as anybody asks; each takes milliseconds.
MAX_TOKENS = 64


@dataclass(frozen=True, slots=True)
class StampedText:
    """A token of the bundle that holds by its own time, over a checkpoint that the log signed."""

    member: str
    text: bytes
    size: int
    """Tree size of the checkpoint."""
    judgement: Judgement

    @property
    def token(self) -> Token:
        return self.judgement.token


def check_tokens(context: Context) -> list[StampedText]:
    """The tokens that hold by their own time."""
    names = context.bundle.group("timestamps")
    if not names:
        message = N_("the bundle carries no time-stamp token")
        context.findings.not_provided("token.valid", message=message)
    found: list[StampedText] = []
    numbers = sorted({number_of(name) for name in names})
    if len(numbers) > MAX_TOKENS:
        error = LimitError("more than {limit} time-stamp tokens", limit=MAX_TOKENS)
        context.findings.failed("timestamp.token", "", error)
        return found
    for number in numbers:
        stem = f"timestamps/{number:04}"
        stamped = _check_token(context, f"{stem}.tsr", f"{stem}.txt")
        if stamped is None:
            message = N_("not reached: a check of this token before it did not pass")
            context.findings.not_checked("token.valid", f"{stem}.tsr", message)
        else:
            found.append(stamped)
    return found


def conclude(context: Context, stamped: StampedText, renewed_until: int | None) -> None:
    """Whether the token still counts at the present time, and the time that it proves then.

    `renewed_until`: how long later tokens over it hold, seconds since 1970; None if there are none.
    """
    findings, name = context.findings, stamped.member
    judgement = stamped.judgement
    until = max(judgement.holds_until, renewed_until or 0)
    if context.now is None:
        message = N_("no present time was given to hold the token's end against")
        findings.not_checked("timestamp.current", name, message)
    elif context.now > until:
        message = N_("it held until {until} ({why}), and nothing in the bundle renewed it before")
        findings.not_checked(
            "timestamp.current", name, message, until=format_instant(until), why=judgement.why
        )
    else:
        message = N_("holds until {until}")
        findings.passed("timestamp.current", name, message, until=format_instant(until))
        findings.passed(
            "token.valid",
            name,
            N_("by {authority}, at the latest {at}"),
            authority=judgement.authority.name,
            at=format_instant(stamped.token.latest),
            size=stamped.size,
        )
        source = N_("time-stamp token of {authority}")
        values = {"authority": judgement.authority.name}
        context.latest.append(ProvenTime(stamped.token.latest, source, values))
        return
    message = N_("not reached: a check of this token before it did not pass")
    findings.not_checked("token.valid", name, message)


def _check_token(context: Context, name: str, text_name: str) -> StampedText | None:
    findings = context.findings
    token = findings.attempt("timestamp.token", name, lambda: _read_token(context, name))
    if token is None:
        return None
    findings.passed(
        "timestamp.token",
        name,
        N_("policy {policy}, serial number {serial}, {at}"),
        policy=token.policy,
        serial=token.serial,
        at=format_instant(token.at),
        accuracy="-" if token.accuracy is None else f"{token.accuracy} µs",
        hash=token.hash.name,
    )
    text = findings.attempt("timestamp.imprint", name, lambda: _read_text(context, text_name, token))
    if text is None:
        return None
    size = _check_checkpoint(context, name, text, token)
    judgement = _check_authority(context, name, token)
    if judgement is None or not _check_revocation(context, name, judgement) or size is None:
        return None
    return StampedText(name, text, size, judgement)


def _read_token(context: Context, name: str) -> Token:
    _require(context, name)
    return parse_token(parse_response(context.bundle.read(name, MAX_BYTES)))


def _read_text(context: Context, name: str, token: Token) -> bytes:
    _require(context, name)
    text = context.bundle.read(name, MAX_TEXT_BYTES)
    token.require_over(text)
    return text


def _require(context: Context, name: str) -> None:
    if not context.bundle.has(name):
        raise FormatError("half of a pair: {name} is missing", name=name)


def _check_checkpoint(context: Context, name: str, text: bytes, token: Token) -> int | None:
    """The text is that of a head which holds the entry and which the log signed; its size."""
    findings = context.findings
    checkpoint = findings.attempt("timestamp.imprint", name, lambda: parse_checkpoint(text))
    if checkpoint is None:
        return None
    for head in context.heads:
        if head.checkpoint.size != checkpoint.size:
            continue
        if head.checkpoint.text() != text:
            error = ProofError("the stamped text is another than the checkpoint of its size")
            findings.failed("timestamp.imprint", name, error)
            return None
        if not head.is_trusted:
            message = N_("the checkpoint's signature was not verified")
            findings.not_checked("timestamp.imprint", name, message)
            return None
        message = N_("the checkpoint of tree size {size}")
        findings.passed("timestamp.imprint", name, message, size=checkpoint.size, imprint=token.imprint.hex())
        return checkpoint.size
    error = ProofError(
        "the token is of tree size {size}, for which the bundle proves nothing", size=checkpoint.size
    )
    findings.failed("timestamp.imprint", name, error)
    return None


def _check_authority(context: Context, name: str, token: Token) -> Judgement | None:
    findings, trust = context.findings, context.trust
    if trust is None:
        findings.not_checked("timestamp.authority", name, N_("no trust file was given"))
        return None
    judgement = findings.attempt(
        "timestamp.authority", name, lambda: judge(token, trust.tsas, trust.retired_hashes)
    )
    if judgement is not None:
        findings.passed(
            "timestamp.authority",
            name,
            N_("{authority}, certificate {digest}"),
            authority=judgement.authority.name,
            digest=token.signer.sha256,
            path=" < ".join(certificate.name for certificate in judgement.path),
        )
    return judgement


def _check_revocation(context: Context, name: str, judgement: Judgement) -> bool:
    findings, token = context.findings, judgement.token
    given = token.signed.revocation
    status = findings.attempt(
        "timestamp.revocation", name, lambda: check_revocation(judgement.path, given, token.at)
    )
    if status is None:
        return False
    if len(judgement.path) == 1:
        message = N_("the trust file names the authority's own certificate: nobody above could revoke it")
        findings.not_provided("timestamp.revocation", name, message)
    elif status.as_of is None:
        message = N_("neither revocation lists nor OCSP answers in the token speak of its whole chain")
        findings.not_checked("timestamp.revocation", name, message)
    else:
        message = N_("by lists or answers of {as_of} or later")
        findings.passed("timestamp.revocation", name, message, as_of=format_instant(status.as_of))
    return True
