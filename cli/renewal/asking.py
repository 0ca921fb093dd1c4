"""Asking a time-stamp authority directly (RFC 3161 §3.4): it sees one hash, nothing else."""

from __future__ import annotations

import secrets
import time

import httpx
from mizheng.cli.depositing.client import is_loopback, tls_context
from mizheng.cli.errors import DataFault, UnavailableFault, UsageFault
from mizheng.verifier.errors import MizhengError, ProofError
from mizheng.verifier.timestamp.algorithms import Hash
from mizheng.verifier.timestamp.authority import Judgement, judge
from mizheng.verifier.timestamp.token import dump_request, parse_response, parse_token
from mizheng.verifier.trust import Trust

# A token with its chain has three to ten kilobytes.
_MAX_ANSWER_BYTES = 512 * 1024
_SECONDS = 30.0


def ask_token(address: str, trust: Trust, algorithm: Hash, digest: bytes) -> Judgement:
    """A token over this digest, of an authority that the trust file knows; a fault if there is none."""
    nonce = secrets.randbits(64)
    answer = _exchange(address, dump_request(algorithm, digest, nonce, None))
    try:
        token = parse_token(parse_response(answer))
        if token.nonce != nonce or token.hash != algorithm:
            raise ProofError("the authority answered another request than this one")
        token.require_imprint(digest)
        return judge(token, trust.tsas, {})
    except MizhengError as error:
        raise DataFault(
            "the answer of {address} is not usable: {reason}",
            "the trust file has to name this authority; nothing was changed",
            address=address,
            reason=str(error),
        ) from error


def _exchange(address: str, request: bytes) -> bytes:
    headers = {"Content-Type": "application/timestamp-query", "Accept-Encoding": "identity"}
    until = time.monotonic() + _SECONDS
    body = b""
    try:
        with (
            httpx.Client(
                timeout=_SECONDS, trust_env=not is_loopback(address), verify=tls_context(address)
            ) as client,
            client.stream("POST", address, content=request, headers=headers) as answer,
        ):
            for chunk in answer.iter_raw():
                body += chunk
                if len(body) > _MAX_ANSWER_BYTES or time.monotonic() > until:
                    raise httpx.ReadTimeout("too long")
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise UsageFault(
            "{address} is not the address of a time-stamp authority",
            "an address looks like https://tsa.example",
            address=address,
        ) from error
    except httpx.HTTPError as error:
        raise UnavailableFault(
            "the time-stamp authority at {address} does not answer",
            "nothing was changed; run the command again later",
            address=address,
        ) from error
    if answer.status_code != 200:
        raise UnavailableFault(
            "the time-stamp authority at {address} answers {status}",
            "nothing was changed; run the command again later",
            address=address,
            status=answer.status_code,
        )
    return body
