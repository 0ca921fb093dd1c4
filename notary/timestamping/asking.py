"""Asking a time-stamp authority over HTTP (RFC 3161 §3.4), and believing nothing that it answers.

One request, one answer: redirects are not followed, what is long or slow is cut off, and a token is
taken only after the verifier's own checks. The answer can be anybody's, so the address may be http; the nonce
and the signature say whose it is.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from itertools import pairwise

import httpx
from mizheng.notary.timestamping.setup import AuthoritySetup
from mizheng.verifier.errors import MizhengError, NotBelievedError
from mizheng.verifier.timestamp.algorithms import Hash
from mizheng.verifier.timestamp.authority import Judgement, judge
from mizheng.verifier.timestamp.cms import add_revocation
from mizheng.verifier.timestamp.ocsp import MAX_ANSWER_BYTES as MAX_OCSP_BYTES
from mizheng.verifier.timestamp.ocsp import dump_ocsp_request, parse_ocsp_response
from mizheng.verifier.timestamp.revocation import check_revocation
from mizheng.verifier.timestamp.token import Token, dump_request, parse_response, parse_token
from mizheng.verifier.timestamp.x509 import MAX_CRL_BYTES, load_revocation_list

# A token with its chain has three to ten kilobytes.
MAX_ANSWER_BYTES = 512 * 1024
# From the first byte sent to the last one received: an authority that drips is slow, not busy.
TOTAL_SECONDS = 30.0
TIMEOUT_SECONDS = 10.0
# Ours may be off a little, and so may theirs; beyond this one of the two misleads a court.
_CLOCK_SECONDS = 300


class AskingError(MizhengError):
    """No token. `code` is shown to the operator: unreachable, too-slow, refused-…, …"""

    def __init__(self, code: str, message: str, hint: str = "", **values: object) -> None:
        super().__init__(message, hint, **values)
        self.code = code


def ask_token(
    client: httpx.Client,
    setup: AuthoritySetup,
    algorithm: Hash,
    digest: bytes,
    clock: Callable[[], float] = time.time,
) -> Judgement:
    """A token over this digest, checked, with what could be had about its revocation; AskingError if there is
    none.
    """
    nonce = secrets.randbits(64)
    request = dump_request(algorithm, digest, nonce, setup.policy)
    answer = _exchange(client, setup, request)
    try:
        token = parse_token(parse_response(answer))
    except MizhengError as error:
        raise AskingError(
            "broken-answer", "the authority's answer does not check: {why}", why=str(error)
        ) from error
    if token.nonce != nonce or token.hash != algorithm or token.imprint != digest:
        raise AskingError("other-request", "the authority answered another request than this one")
    if abs(token.at - clock()) > _CLOCK_SECONDS:
        raise AskingError("clock-differs", "the authority's clock and this one are minutes apart")
    return _judge(setup, _with_revocation(client, setup, _judge(setup, token)))


def _judge(setup: AuthoritySetup, token: Token) -> Judgement:
    try:
        found = judge(token, [setup.trusted], {})
        check_revocation(found.path, token.signed.revocation, token.at)
    except NotBelievedError as error:
        raise AskingError(
            "not-believed", "not the authority that is configured: {why}", why=str(error)
        ) from error
    except MizhengError as error:
        raise AskingError(
            "broken-answer", "the authority's answer does not check: {why}", why=str(error)
        ) from error
    return found


def _with_revocation(client: httpx.Client, setup: AuthoritySetup, found: Judgement) -> Token:
    """The token with those lists and answers beside its signature that somebody above its chain signed.

    What cannot be had says nothing then, and the verifier will say so. The next token asks again.
    """
    lists, answers = _lists(client, setup, found), _answers(client, setup, found)
    if not lists and not answers:
        return found.token
    return parse_token(add_revocation(found.token.encoded, lists, answers))


def _lists(client: httpx.Client, setup: AuthoritySetup, found: Judgement) -> list[bytes]:
    lists = []
    for url in setup.crls:
        try:
            data = fetch_list(client, url)
            listed = load_revocation_list(data)
        except MizhengError:
            continue
        if any(listed.is_signed_by(certificate) for certificate in found.path):
            lists.append(data)
    return lists


def _answers(client: httpx.Client, setup: AuthoritySetup, found: Judgement) -> list[bytes]:
    """Of OCSP responders (RFC 6960 appendix A), each asked about each certificate below the root."""
    headers = {"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"}
    answers = []
    for url in setup.ocsp:
        for certificate, issuer in pairwise(found.path):
            request = dump_ocsp_request(certificate, issuer)
            try:
                sent = client.build_request("POST", url, content=request, headers=headers)
                answer = parse_ocsp_response(_read(client, sent, MAX_OCSP_BYTES))
            except MizhengError:
                continue
            if answer and answer.find(certificate, issuer) and answer.is_signed_for(issuer):
                answers.append(answer.encoded)
    return answers


def fetch_list(client: httpx.Client, url: str) -> bytes:
    """A revocation list as its address gives it, DER; AskingError when it cannot be had."""
    return _read(client, client.build_request("GET", url), MAX_CRL_BYTES)


def _exchange(client: httpx.Client, setup: AuthoritySetup, request: bytes) -> bytes:
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    if setup.authorization is not None:
        headers["Authorization"] = setup.authorization
    return _read(
        client,
        client.build_request("POST", setup.url or "", content=request, headers=headers),
        MAX_ANSWER_BYTES,
    )


def _read(client: httpx.Client, request: httpx.Request, limit: int) -> bytes:
    # As it comes over the wire: nothing is unpacked, so nothing can be larger than it looks.
    request.headers["Accept-Encoding"] = "identity"
    until = time.monotonic() + TOTAL_SECONDS
    try:
        answer = client.send(request, stream=True)
        try:
            if answer.status_code != 200:
                raise AskingError(
                    f"refused-{answer.status_code}",
                    "the authority answers {status}",
                    status=answer.status_code,
                )
            body = b""
            for chunk in answer.iter_raw():
                body += chunk
                if len(body) > limit:
                    raise AskingError("answer-too-long", "the authority's answer is too long")
                if time.monotonic() > until:
                    raise AskingError("too-slow", "the authority takes too long to answer")
            return body
        finally:
            answer.close()
    except httpx.TimeoutException as error:
        raise AskingError("too-slow", "the authority takes too long to answer") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise AskingError(
            "unreachable", "the authority does not answer ({kind})", kind=type(error).__name__
        ) from error
