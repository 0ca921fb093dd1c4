"""The notary's HTTP API as the command line uses it.

Only the envelope, public keys and identifiers of deposits are ever sent: no name, salt, digest or
content of a sealed thing. Answers are checked by the callers; here only their form is.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from mizheng.cli.errors import (
    CommandError,
    ConfigurationFault,
    PermissionFault,
    RefusedFault,
    SoftwareFault,
    UnavailableFault,
    UsageFault,
)
from mizheng.cli.terminal.language import N_
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    import ssl

PROBLEM_TYPE_PREFIX = "urn:mizheng:problem:"
# Evidence with several anchors on busy chains takes a few MiB; more than this is no answer of a notary.
MAX_ANSWER_BYTES = 64 << 20
# A deposit waits for its batch to be committed, which is well below a second; a slow link adds to it.
_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 60.0

_DEPOSITED = {"id": str, "leaf_index": int, "tlog_proof": str, "received_at": str}
_CERTIFICATE = {"id": str, "state": str, "signed": bool}
# What a notary says of a path that it does not know yet.
_NOT_THERE = frozenset({"not-found", "method-not-allowed"})
_PERMISSION_PROBLEMS = frozenset(
    {"api-key-missing", "api-key-wrong", "api-key-expired", "api-key-disabled", "organisation-disabled"}
)


class NotaryClient:
    """Talks to one notary with one API key."""

    def __init__(self, address: str, api_key: str | None) -> None:
        _refuse_plain_http(address, api_key)
        import httpx

        headers = {"accept": "application/json, application/problem+json"}
        if api_key:
            if not api_key.isascii() or not api_key.isprintable():
                raise ConfigurationFault("the API key holds characters that no API key has")
            headers["authorization"] = f"Bearer {api_key}"
        self.address = address
        self._client = httpx.Client(
            base_url=address,
            headers=headers,
            timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            # A notary on this machine must not be looked for at a proxy.
            trust_env=not is_loopback(address),
            verify=tls_context(address),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def organisation(self) -> dict[str, Any]:
        """Who the API key belongs to, and the notary's public keys."""
        texts = ("name", "id_scheme", "id", "origin", "log_vkey", "issuer_public_key")
        return self._json("GET", "/v1/organisation", dict.fromkeys(texts, str))

    def enrol(self, request: Mapping[str, str | None]) -> dict[str, Any]:
        """{enrolment: Base64, leaf_index, tlog_proof}."""
        wanted = {"enrolment": str, "leaf_index": int, "tlog_proof": str}
        return self._json("POST", "/v1/keys", wanted, json=dict(request))

    def deposit(self, envelope: bytes) -> dict[str, Any]:
        """{id, leaf_index, tlog_proof, received_at}."""
        headers = {"content-type": "application/json"}
        return self._json("POST", "/v1/deposits", _DEPOSITED, content=envelope, headers=headers)

    def record_event(self, event: bytes) -> dict[str, Any]:
        """Put a document on record through its event: {id, leaf_index, tlog_proof, received_at}."""
        headers = {"content-type": "application/json"}
        return self._json("POST", "/v1/events", _DEPOSITED, content=event, headers=headers)

    def lodge_request(self, document: bytes) -> dict[str, Any]:
        """Lodge a request to see records with the company of its deposit; lodged again, it is the same."""
        headers = {"content-type": "application/json"}
        return self._json("POST", "/v1/access/requests", {"sha256": str}, content=document, headers=headers)

    def show_document(self, document: bytes) -> dict[str, Any]:
        """Show a decision or a look to whoever lodged its request; shown again, it is the same."""
        headers = {"content-type": "application/json"}
        return self._json("POST", "/v1/access/documents", {"sha256": str}, content=document, headers=headers)

    def lodged_request(self, sha256: str) -> dict[str, Any]:
        """A request about an own deposit: {document: Base64, shown: […]}."""
        return self._json("GET", f"/v1/access/requests/{sha256}", {"document": str, "shown": list})

    def deposit_many(self, envelopes: Sequence[bytes]) -> list[dict[str, Any] | CommandError] | None:
        """For each envelope, in their order, what `deposit` returns or raises. None: this notary is older
        and takes one at a time.
        """
        body = b"".join(envelope + b"\n" for envelope in envelopes)
        headers = {"content-type": "application/x-ndjson"}
        try:
            answer = self._json("POST", "/v1/deposits:batch", {"items": list}, content=body, headers=headers)
        except RefusedFault as error:
            if error.problem in _NOT_THERE:
                return None
            raise
        items = answer["items"]
        if len(items) != len(envelopes):
            raise _nonsense(self.address)
        return [self._item(item) for item in items]

    def _item(self, item: object) -> dict[str, Any] | CommandError:
        if not isinstance(item, dict) or not isinstance(item.get("status"), int):
            raise _nonsense(self.address)
        if item["status"] not in (200, 201):
            return _problem(item["status"], item, self.address)
        if any(not isinstance(item.get(name), kind) for name, kind in _DEPOSITED.items()):
            raise _nonsense(self.address)
        return item

    def status(self, deposit: str) -> dict[str, Any]:
        """{id, leaf_index, state, waiting_for, anchors: […]}."""
        wanted = {"id": str, "state": str, "anchors": list}
        return self._json("GET", f"/v1/deposits/{deposit}", wanted)

    def request_anchor(self, deposit: str) -> dict[str, Any]:
        """Have the deposit anchored at once: {id, state, remaining, per_day}."""
        wanted = {"id": str, "state": str, "remaining": int}
        return self._json("POST", f"/v1/deposits/{deposit}/urgent", wanted)

    def evidence(self, deposit: str) -> dict[str, Any]:
        """Everything that proves itself, as far as there is any yet."""
        wanted = {"id": str, "leaf_index": int, "heads": dict, "anchors": list}
        return self._json("GET", f"/v1/deposits/{deposit}/evidence", wanted)

    def request_certificate(self, deposit: str) -> dict[str, Any]:
        """Ask for the deposit's certificate: {id, state, number, …}; asked again, it is the same."""
        return self._json("POST", f"/v1/deposits/{deposit}/certificate", _CERTIFICATE)

    def certificate_state(self, deposit: str) -> dict[str, Any]:
        """{id, state, number, pdf_sha256, visibility, …}."""
        return self._json("GET", f"/v1/deposits/{deposit}/certificate", _CERTIFICATE)

    def certificate_pdf(self, deposit: str) -> bytes:
        """The issued certificate of a deposit of one's own."""
        return self._ask("GET", f"/v1/deposits/{deposit}/certificate.pdf")[1]

    def look_up(self, number: str, code: str | None) -> dict[str, Any]:
        """What anybody is shown of a certificate: {masked, number, holder, facts, …}."""
        wanted = {"number": str, "masked": bool, "holder": str, "is_trial": bool}
        return self._json("GET", f"/v1/certificates/{number}", wanted, headers=_code_header(code))

    def certificate_file(self, number: str, name: str, code: str | None) -> bytes:
        """`certificate.pdf` or `proof.zip`, as anybody may fetch them."""
        path = f"/v1/certificates/{number}/{name}"
        return self._ask("GET", path, headers=_code_header(code))[1]

    def beacon(self) -> dict[str, Any] | None:
        """A recent final block, or None when the notary knows none yet."""
        wanted = {"chain_id": int, "genesis_hash": str, "number": int, "hash": str}
        try:
            return self._json("GET", "/v1/beacon", wanted)
        except RefusedFault as error:
            if error.problem == "no-final-block":
                return None
            raise

    def log_keys(self) -> bytes:
        """mizheng/log-keys/v1: every change of the log's key."""
        return self._ask("GET", "/v1/log-keys")[1]

    def ask(self, method: str, path: str, wanted: Mapping[str, type], **options: Any) -> dict[str, Any]:
        """A JSON object that has these fields, for `mizheng.cli.client`."""
        return self._json(method, path, wanted, **options)

    def ask_bytes(self, method: str, path: str, **options: Any) -> bytes:
        """The bytes of whatever is answered."""
        return self._ask(method, path, **options)[1]

    def _json(self, method: str, path: str, wanted: Mapping[str, type], **options: Any) -> dict[str, Any]:
        value, _data = self._ask(method, path, **options)
        if value is None or any(not isinstance(value.get(name), kind) for name, kind in wanted.items()):
            raise _nonsense(self.address)
        return value

    def _ask(self, method: str, path: str, **options: Any) -> tuple[dict[str, Any] | None, bytes]:
        """The answer to a request that succeeded: as a JSON object, if it is one, and its bytes."""
        import httpx

        try:
            with self._client.stream(method, path, **options) as answer:
                data = b""
                for chunk in answer.iter_bytes():
                    data += chunk
                    if len(data) > MAX_ANSWER_BYTES:
                        raise _nonsense(self.address)
        except httpx.TimeoutException as error:
            raise UnavailableFault(
                "the notary at {address} does not answer in time",
                "what is written here stays; run the command again later",
                address=self.address,
            ) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise UsageFault("{address} is not the address of a notary", address=self.address) from error
        except httpx.HTTPError as error:
            raise UnavailableFault(
                "the notary at {address} cannot be reached",
                "what is written here stays; check the address and the network, then run the command again",
                address=self.address,
            ) from error
        value = _decode(data)
        if answer.is_success:
            return value, data
        raise _problem(answer.status_code, value, self.address)


def _code_header(code: str | None) -> dict[str, str]:
    return {} if code is None else {"mizheng-code": code}


def tls_context(address: str) -> ssl.SSLContext:
    """Who is believed about who answers at an address."""
    import ssl

    import httpx

    if urlsplit(address).scheme == "http" and is_loopback(address):
        # No TLS is spoken, so nobody need be believed: to read the certificates that this machine trusts
        # takes longer than all the rest.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.create_ssl_context()


def is_loopback(address: str) -> bool:
    """Whether an address stays on this machine."""
    host = urlsplit(address).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def decode_base64(text: object) -> bytes:
    """Bytes of Base64 in an answer; SoftwareFault when it is none."""
    try:
        if not isinstance(text, str):
            raise ValueError("not a string")
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise SoftwareFault("the notary's answer does not have the expected form") from error


def _refuse_plain_http(address: str, api_key: str | None) -> None:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageFault(
            "{address} is not the address of a notary",
            "an address looks like https://notary.example",
            address=address,
        )
    if parts.scheme == "http" and api_key and not is_loopback(address):
        if os.environ.get("MIZHENG_ALLOW_HTTP") == "1":
            return
        raise UsageFault(
            "the API key would travel in the clear to {address}",
            "use https://; MIZHENG_ALLOW_HTTP=1 allows it on a network that is protected otherwise",
            address=address,
        )


def _decode(data: bytes) -> dict[str, Any] | None:
    import json

    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _problem(status: int, value: dict[str, Any] | None, address: str) -> CommandError:
    """The error for an answer that is not a success (RFC 9457)."""
    kind = str((value or {}).get("type", ""))
    if not kind.startswith(PROBLEM_TYPE_PREFIX):
        if status in (502, 503, 504):
            return UnavailableFault(
                "the notary at {address} cannot be reached",
                "what is written here stays; run the command again later",
                address=address,
            )
        return _nonsense(address)
    assert value is not None  # noqa: S101 - its type was just read
    name = kind[len(PROBLEM_TYPE_PREFIX) :]
    title = _foreign(str(value.get("title", name)))
    hint = _foreign(str(value.get("hint", "")))
    if status >= 500:
        return UnavailableFault(title, hint)
    if name in _PERMISSION_PROBLEMS:
        return PermissionFault(title, hint)
    refused = RefusedFault(title, hint)
    refused.problem = name
    return refused


def _foreign(text: str) -> str:
    """A text from outside as a message id: it steers no terminal and fills no placeholder."""
    return printable(text[:300]).replace("{", "{{").replace("}", "}}")


def _nonsense(address: str) -> SoftwareFault:
    return SoftwareFault(
        "what answers at {address} does not speak like a notary",
        N_("check the address; a proxy may stand in between"),
        address=address,
    )
