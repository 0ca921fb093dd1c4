"""A notary's API for programs: typed answers, lists to their end, errors with a message and a hint.

It talks to the notary and checks nothing: what counts is what the verifier says of a bundle. To seal, deposit
and bundle with all checks use `mizheng.cli.api`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

from mizheng.cli.depositing.client import NotaryClient, decode_base64
from mizheng.cli.depositing.lists import list_items
from mizheng.cli.errors import UsageFault
from mizheng.cli.terminal.text import printable

State = Literal["deposited", "anchored", "final"]
# The most that a page has.
_LIMIT = "200"


@dataclass(frozen=True, slots=True)
class Entry:
    """A deposit or an event of the company."""

    id: str
    """SHA-256 of its envelope, hex."""
    leaf_index: int
    received_at: str
    """RFC 3339, by the notary's clock."""
    state: State


@dataclass(frozen=True, slots=True)
class Receipt:
    """A deposit's answer; `tlog_proof` is to be checked by whoever relies on it."""

    id: str
    leaf_index: int
    tlog_proof: str
    received_at: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that the company asked for."""

    id: str
    """The deposit's."""
    state: Literal["none", "requested", "issued"]
    number: str | None
    issued_at: str | None
    pdf_sha256: str | None


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook, without its secret."""

    id: str
    url: str
    events: tuple[str, ...]
    state: Literal["active", "dead"]
    last_outcome: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """What anybody is shown for a number, a digest or a transaction; what is not there is None."""

    certificate: Mapping[str, Any] | None
    entry: Mapping[str, Any] | None
    anchor: Mapping[str, Any] | None
    pdf: str | None
    """Path of the PDF, for `fetch`; None unless the certificate is shown whole."""
    proof: str | None


@dataclass(frozen=True, slots=True)
class LodgedRequest:
    """A request to see records that lies with the notary, by what the company of the deposit shows of it."""

    sha256: str
    deposit: str
    state: Literal["open", "approved", "refused", "withdrawn", "expired"]
    name: str
    role: str
    organisation: str | None
    matter: str
    ends_at: str
    lodged_at: str


class Notary:
    """One notary; without an API key for what anybody may ask. To be used with `with`."""

    def __init__(self, address: str, api_key: str | None = None) -> None:
        self._client = NotaryClient(address, api_key)

    def __enter__(self) -> Notary:
        self._client.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.__exit__(kind, error, trace)

    def deposit(self, envelope: bytes) -> Receipt:
        """Deposit a signed statement; sent again, it is the same deposit."""
        return Receipt(**_only(Receipt, self._client.deposit(envelope)))

    def state(self, deposit: str) -> State:
        """How far a deposit has come."""
        found: State = self._client.status(deposit)["state"]
        return found

    def evidence(self, deposit: str) -> Mapping[str, Any]:
        """EvidenceAnswer of the API: everything in it proves itself or is signed."""
        return self._client.evidence(deposit)

    def deposits(self, *, state: State | None = None, after: int | None = None) -> Iterator[Entry]:
        """All deposits, or those in one state, in the order of the log; behind the place `after`."""
        return self._entries("/v1/deposits", state, after)

    def events(self, *, state: State | None = None, after: int | None = None) -> Iterator[Entry]:
        """The same of events."""
        return self._entries("/v1/events", state, after)

    def certificates(self) -> Iterator[Certificate]:
        """All certificates that the company asked for, in the order of their deposits."""
        for item in list_items(self._client, "/v1/organisation/certificates", limit=_LIMIT):
            yield Certificate(**_only(Certificate, item))

    def add_webhook(self, url: str, events: Sequence[str] = ()) -> tuple[Webhook, str]:
        """Register an address; the webhook, and its secret, which is told this once."""
        wanted = {"id": str, "secret": str}
        body = {"url": url, "events": list(events)}
        made = self._client.ask("POST", "/v1/webhooks", wanted, json=body)
        return _webhook(made), made["secret"]

    def webhooks(self) -> list[Webhook]:
        """All webhooks of the company."""
        return [_webhook(item) for item in list_items(self._client, "/v1/webhooks")]

    def remove_webhook(self, webhook: str) -> None:
        """Be told no more."""
        self._client.ask_bytes("DELETE", f"/v1/webhooks/{webhook}")

    def lodge_request(self, document: bytes) -> LodgedRequest:
        """Lodge a request as `mizheng access request` wrote it; lodged again, it is the same."""
        return LodgedRequest(**_only(LodgedRequest, self._client.lodge_request(document)))

    def request(self, sha256: str) -> tuple[LodgedRequest, tuple[bytes, ...]]:
        """One that this company lodged, or of a deposit of its own, and the signed documents shown of it."""
        found = self._client.lodged_request(sha256)
        shown = (decode_base64(item["document"]) for item in found["shown"])
        return LodgedRequest(**_only(LodgedRequest, found)), tuple(shown)

    def requests(self) -> Iterator[LodgedRequest]:
        """All about this company's deposits, the oldest first."""
        for item in list_items(self._client, "/v1/access/requests", limit=_LIMIT):
            yield LodgedRequest(**_only(LodgedRequest, item))

    def look_up(self, asked: str, code: str | None = None) -> Found:
        """By a certificate's number, a digest or a transaction's hash; RefusedFault if nothing is shown."""
        wanted = {"asked": str}
        answer = self._client.ask("GET", "/v1/lookup", wanted, params={"q": asked}, headers=_code(code))
        files = answer.get("retrieval") or {}
        return Found(
            answer.get("certificate"),
            answer.get("entry"),
            answer.get("anchor"),
            files.get("pdf"),
            files.get("proof"),
        )

    def fetch(self, path: str, code: str | None = None) -> bytes:
        """The bytes of a path of `Found`; UsageFault for anything that would lead to another address."""
        if not path.startswith("/v1/"):
            # The path is the notary's word; it may not send this machine, with its code and key, elsewhere.
            raise UsageFault("{name} is no path of the notary's API", name=printable(path[:80]))
        return self._client.ask_bytes("GET", path, headers=_code(code))

    def _entries(self, path: str, state: str | None, after: int | None) -> Iterator[Entry]:
        behind = None if after is None else str(after)
        for item in list_items(self._client, path, state=state, after=behind, limit=_LIMIT):
            yield Entry(**_only(Entry, item))


def _only(kind: type[Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    # A later notary may say more.
    return {name: answer.get(name) for name in kind.__dataclass_fields__}


def _webhook(answer: Mapping[str, Any]) -> Webhook:
    return Webhook(**{**_only(Webhook, answer), "events": tuple(answer.get("events", ()))})


def _code(code: str | None) -> dict[str, str]:
    return {} if code is None else {"mizheng-code": code}
