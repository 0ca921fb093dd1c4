"""What can go wrong at the notary, and under which stable name the outside sees it.

    MizhengError
    ├── ConfigurationError      the settings, the data directory or the keys cannot be used
    ├── OperatorError           a command of the operator cannot be carried out
    └── Problem                 an answer of the HTTP API: RFC 9457 problem details

`PROBLEMS` is the whole list of problem types. It is append-only: a code keeps its meaning and its status
for good.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mizheng.verifier.errors import MizhengError

PROBLEM_TYPE_PREFIX = "urn:mizheng:problem:"


class ConfigurationError(MizhengError):
    """The settings, the data directory or the keys cannot be used."""


class OperatorError(MizhengError):
    """A command of the operator cannot be carried out."""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One row: HTTP status, a title that never changes, and what the caller can do about it."""

    status: int
    title: str
    hint: str = ""


PROBLEMS: Mapping[str, ProblemType] = {
    # Who is calling.
    "api-key-missing": ProblemType(401, "no API key was sent", "send the header Authorization: Bearer mzk_…"),
    "api-key-wrong": ProblemType(401, "the API key is not known", "ask the notary's operator for a new key"),
    "api-key-expired": ProblemType(401, "the API key has expired", "ask the notary's operator for a new key"),
    "api-key-disabled": ProblemType(
        401, "the API key has been disabled", "ask the notary's operator for a new key"
    ),
    "organisation-disabled": ProblemType(
        403, "the organisation is disabled at this notary", "ask the notary's operator"
    ),
    "scope-missing": ProblemType(
        403,
        "the API key may not be used for this",
        "make one with the scope: deposit, read, keys, webhooks, mailbox or access",
    ),
    # What was sent, in the order in which it is looked at.
    "body-too-large": ProblemType(
        413, "the body is larger than allowed", "an envelope has at most 64 KiB, a batch 4 MiB"
    ),
    "request-malformed": ProblemType(422, "the request does not have the fields that are asked for"),
    "envelope-malformed": ProblemType(
        400,
        "the body is not a canonical DSSE envelope",
        "send the envelope's bytes exactly as they were signed",
    ),
    "payload-type-wrong": ProblemType(
        422, "the envelope does not hold a deposit statement", "only statements can be deposited"
    ),
    "statement-type-wrong": ProblemType(
        422, "the document is of another type or a later version", "this notary takes mizheng/deposit/v1"
    ),
    "statement-malformed": ProblemType(422, "the statement is not well formed"),
    "event-malformed": ProblemType(
        422, "the document is not an event, or not well formed", "this notary takes mizheng/event/v1"
    ),
    "key-not-enrolled": ProblemType(
        403, "the signing key is not enrolled for this organisation", "enrol it first: mizheng init"
    ),
    "key-revoked": ProblemType(
        403, "the signing key has been revoked", "sign with the organisation's present key"
    ),
    "signature-wrong": ProblemType(422, "the signature does not check against the statement's key"),
    "depositor-mismatch": ProblemType(
        422,
        "the statement names another depositor than the API key",
        "name, identifier scheme and identifier must be exactly those registered",
    ),
    # Company keys.
    "key-malformed": ProblemType(
        422, "the public key cannot be used", "Ed25519 or P-256, as SubjectPublicKeyInfo"
    ),
    "proof-wrong": ProblemType(422, "the proof that the key is held does not check"),
    "key-exists": ProblemType(
        409,
        "the organisation has an active key already",
        "rotate it with a proof by the old key; if it is lost, ask the operator for a re-enrolment",
    ),
    "key-known": ProblemType(409, "the key has been enrolled before", "make a new key"),
    "replaces-wrong": ProblemType(409, "the key to be replaced is not the organisation's active key"),
    "quota-day": ProblemType(
        429,
        "the organisation has made as many entries as it may in a day",
        "send it again after the given time, or ask the notary's operator",
    ),
    "quota-in-all": ProblemType(
        429, "the organisation has made as many entries as it may", "ask the notary's operator"
    ),
    "quota-minute": ProblemType(
        429, "the organisation asks more often than it may", "ask again after the given time"
    ),
    "urgent-limit": ProblemType(
        429,
        "the organisation has had the log anchored at once as often as it may in 24 hours",
        "the deposit is safe, and is anchored with the others when its turn comes",
    ),
    # Requests to see records.
    "access-document-wrong": ProblemType(
        422,
        "the document is not one that is taken here, or its signature does not check",
        "send the file's bytes exactly as mizheng access or mizheng custody wrote them",
    ),
    "access-request-unknown": ProblemType(404, "there is no such request of this organisation"),
    "access-request-elsewhere": ProblemType(
        409,
        "somebody else has lodged this request already",
        "what became of it is shown to whoever did; sign a new one if that was not you",
    ),
    "access-limit": ProblemType(429, "too many requests or documents", "send it again tomorrow"),
    # Webhooks.
    "webhook-url-wrong": ProblemType(
        422,
        "this cannot be the address of a webhook",
        "https://, a host, no user name and no fragment; at most 1,000 ASCII characters",
    ),
    "webhook-address-refused": ProblemType(
        422,
        "nothing is sent to this address",
        "a public address over https; an inner network has to be named by the notary's operator",
    ),
    "webhook-event-unknown": ProblemType(422, "there is no such event to be told"),
    "webhook-limit": ProblemType(
        409, "the organisation has as many webhooks as it may have", "delete one of them first"
    ),
    "webhook-unknown": ProblemType(404, "no such webhook of this organisation"),
    "delivery-unknown": ProblemType(404, "no such delivery of this webhook"),
    # What is asked for.
    "cursor-wrong": ProblemType(
        422, "this is not a cursor", "send `next` of an answer as it is, or leave it out"
    ),
    "deposit-unknown": ProblemType(404, "no such deposit of this organisation"),
    "certificate-not-issued": ProblemType(
        404,
        "no certificate of this deposit is issued yet",
        "ask for one: POST to the same path without .pdf; it is issued when the deposit is final",
    ),
    "no-final-block": ProblemType(404, "no final block is known", "leave not_before out, or ask again later"),
    # What anybody may ask for.
    "certificate-unknown": ProblemType(
        404,
        "there is no such certificate, or it is not shown without its code",
        "the code is printed below the number",
    ),
    "certificate-masked": ProblemType(
        403, "this is not shown without the certificate's code", "the code is printed below the number"
    ),
    "certificate-number-wrong": ProblemType(
        422,
        "this is not the number of a certificate",
        "20 letters and digits, the last two of which check the others",
    ),
    "certificate-code-wrong": ProblemType(
        422, "this is not the code of a certificate", "12 letters and digits, printed below the number"
    ),
    "digest-wrong": ProblemType(422, "this is not a digest", "64 hex digits"),
    "transaction-unknown": ProblemType(404, "no anchor of this log stands in such a transaction"),
    "lookup-unknown": ProblemType(
        404,
        "nothing that may be shown is known of this",
        "a certificate that is withheld is shown with its code alone, by a digest also one that is masked",
    ),
    "lookup-unreadable": ProblemType(
        422,
        "this is neither the number of a certificate nor a digest",
        "20 letters and digits, or 64 hex digits",
    ),
    "too-many-requests": ProblemType(
        429, "too many requests came from this address", "ask again after the given time"
    ),
    # What companies leave for each other.
    "mailbox-unknown": ProblemType(
        404, "there is no such item for you", "check the item and its token, or ask the sender"
    ),
    "mailbox-limit": ProblemType(
        422, "this is more than the mailbox takes of a company", "withdraw what nobody needs any more"
    ),
    "mailbox-full": ProblemType(507, "the mailbox is full", "send it as a file, or again later"),
    "mailbox-complete": ProblemType(409, "all of this item is there already"),
    "mailbox-incomplete": ProblemType(
        409, "parts of the item are missing", "send them: `have` names the others"
    ),
    "mailbox-digest-wrong": ProblemType(
        422, "the parts together are not what was announced; they were deleted", "send all parts again"
    ),
    "mailbox-withdrawn": ProblemType(
        410, "the sender has withdrawn it", "his signed word is at …/withdrawal"
    ),
    "mailbox-expired": ProblemType(410, "it has expired", "ask the sender to send it again"),
    "mailbox-answered": ProblemType(409, "another word on this item was kept before"),
    "mailbox-unanswered": ProblemType(404, "there is no word on this item yet"),
    "withdrawal-malformed": ProblemType(
        422, "this is not a withdrawal of this company", "this notary takes mizheng/withdrawal/v1"
    ),
    "not-found": ProblemType(404, "nothing is here"),
    "method-not-allowed": ProblemType(405, "the method is not allowed here"),
    "request-refused": ProblemType(400, "the request cannot be read"),
    # What an observer is asked.
    "chain-other": ProblemType(409, "the observer's node is on another chain"),
    "block-unknown": ProblemType(404, "the observer's node has no block at this height"),
    "block-differs": ProblemType(409, "the observer's node has another block at this height"),
    "block-not-final": ProblemType(
        425, "the block is not final by the observer's rule yet", "ask again later"
    ),
    "chain-unavailable": ProblemType(503, "the observer's node does not answer", "ask again later"),
    # The notary itself.
    "queue-full": ProblemType(503, "too many deposits are waiting", "send it again after the given time"),
    "log-unavailable": ProblemType(
        503, "the log cannot be written just now", "send it again: a deposit is never made twice"
    ),
    "log-behind": ProblemType(
        503,
        "the log's database is older than what was signed; nothing is signed",
        "tell the operator, and send it again later: a deposit is never made twice",
    ),
    "log-damaged": ProblemType(
        503,
        "the log's database is damaged; nothing is signed",
        "tell the operator, and send it again later: a deposit is never made twice",
    ),
    "log-key-replaced": ProblemType(
        503,
        "the log's key was replaced, and this process of the notary has the old one; it signs nothing",
        "tell the operator, and send it again later: a deposit is never made twice",
    ),
    "issuer-key-replaced": ProblemType(
        503,
        "the issuer's key was replaced, and this process of the notary has the old one; it enrols nobody",
        "tell the operator, and send it again later",
    ),
    "internal": ProblemType(500, "the notary failed", "send it again; if it stays, tell the operator"),
}


class Problem(MizhengError):
    """An answer of the HTTP API that is not a success.

    `code` is a key of PROBLEMS, `detail` says in one sentence what was wrong this time and never repeats
    contents of the request; `retry_after` is in seconds.
    """

    def __init__(self, code: str, detail: str = "", *, retry_after: int | None = None) -> None:
        kind = PROBLEMS[code]
        super().__init__(kind.title, hint=kind.hint)
        self.code = code
        self.status = kind.status
        self.detail = detail
        self.retry_after = retry_after

    def as_json(self) -> dict[str, str | int]:
        """The members of RFC 9457 §3.1 and `hint`, an extension member."""
        members: dict[str, str | int] = {
            "type": PROBLEM_TYPE_PREFIX + self.code,
            "title": PROBLEMS[self.code].title,
            "status": self.status,
        }
        if self.detail:
            members["detail"] = self.detail
        if PROBLEMS[self.code].hint:
            members["hint"] = PROBLEMS[self.code].hint
        return members
