"""A Kubo node as a store, over its RPC (extra `ipfs`): ciphertexts in its own block store, pinned.

ipfshttpclient asks for versions, files' states, contents and pins. It is made without the check of the node's
version, which knows none of today's; and what is added goes over httpx, because that client sends it tens of
times slower. The CID is computed here from what is sent (`cid`) and the node has to come to the same. All is
asked of the node `offline`: what other nodes may have is not what this one keeps.

What is public there, and how a node is kept private: docs/keeping.md. MIZHENG_IPFS_AUTHORIZATION is sent as
the header Authorization, for a node whose API.Authorizations asks for one.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from mizheng.cli.errors import ConfigurationFault, UnavailableFault
from mizheng.cli.keeping.stores.cid import ADD_OPTIONS, CidBuilder
from mizheng.cli.keeping.stores.interface import PIECE, Ciphertext, Reading, full, gone, missing, other_bytes
from mizheng.cli.terminal.language import N_
from mizheng.verifier.errors import FormatError

UNPINNED = N_("not pinned")

# A node that has to read a file of some gigabytes before it answers.
_ANSWER_SECONDS = 600.0
_CONNECT_SECONDS = 10.0
_CID = re.compile(r"Qm[1-9A-HJ-NP-Za-km-z]{44}")
_NOT_PINNED = "not pinned"
# What Kubo says of a block that it is not to look for elsewhere.
_NOT_FOUND = re.compile("not found|could not find")
_NO_SPACE = re.compile("no space left|storage limit|disk quota")


class IpfsStore:
    """One node."""

    def __init__(self, address: str) -> None:
        """`address`: ipfs+http://HOST:PORT or ipfs+https://…; UnavailableFault when no node answers there."""
        try:
            import ipfshttpclient
        except ImportError:
            raise ConfigurationFault(
                "keeping on an IPFS node needs the package ipfshttpclient", "pip install 'mizheng[ipfs]'"
            ) from None
        self.address = address
        self._url = address.removeprefix("ipfs+")
        authorization = os.environ.get("MIZHENG_IPFS_AUTHORIZATION")
        self._headers = {"Authorization": authorization} if authorization else {}
        _require_private(self._url, is_secret=bool(authorization))
        self._node = ipfshttpclient.Client(
            _multiaddr(self._url),
            offline=True,
            session=True,
            headers=self._headers,
            timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
        )
        with self._translated():
            self._node.version()

    def put(self, what: Ciphertext, read: Reading) -> str:
        sending = _Sending(read(0))
        told = self._add(sending)
        if (sending.digest.hexdigest(), sending.size) != (what.sha256, what.size):
            self.delete(sending.cid.finish())
            raise other_bytes()
        expected = sending.cid.finish()
        if told != expected:
            raise UnavailableFault(
                "the node {name} gave another CID than its content has",
                "it was told how to make it: a node that does otherwise is of no use as a store",
                name=self.address,
            )
        if self.finding(expected):
            raise UnavailableFault(
                "the node {name} has not pinned what it was given",
                "ipfs pin ls on that machine says what it keeps",
                name=self.address,
            )
        return expected

    def read(self, location: str, start: int = 0) -> Iterator[bytes]:
        _require_cid(location)
        with self._translated():
            size = int(self._node.files.stat(f"/ipfs/{location}")["Size"])
        while start < size:
            with self._translated():
                piece: bytes = self._node.cat(location, offset=start, length=min(PIECE, size - start))
            if not piece:
                return
            yield piece
            start += len(piece)

    def finding(self, location: str) -> str | None:
        import ipfshttpclient

        _require_cid(location)
        with self._translated():
            try:
                pinned = self._node.pin.ls(location, type="recursive")["Keys"]
            except ipfshttpclient.exceptions.ErrorResponse as error:
                if _NOT_PINNED in str(error):
                    return UNPINNED
                raise
        return None if location in pinned else UNPINNED

    def delete(self, location: str) -> None:
        """Without its pin it goes when the node next collects its garbage."""
        import ipfshttpclient

        _require_cid(location)
        with self._translated():
            try:
                self._node.pin.rm(location)
            except ipfshttpclient.exceptions.ErrorResponse as error:
                if _NOT_PINNED not in str(error):
                    raise

    def _add(self, sending: _Sending) -> str:
        """The CID that the node gives to what is sent, pinned."""
        import httpx

        boundary = os.urandom(16).hex()
        headers = {**self._headers, "Content-Type": f"multipart/form-data; boundary={boundary}"}
        timeout = httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS)
        # No proxy of the environment: the node is the company's own.
        with httpx.Client(timeout=timeout, trust_env=False) as client:
            try:
                answer = client.post(
                    f"{self._url}/api/v0/add",
                    params={**ADD_OPTIONS, "pin": "true", "quieter": "true", "offline": "true"},
                    headers=headers,
                    content=_form(boundary, sending),
                )
                if answer.status_code != 200:
                    raise self._refused(_message(answer.text))
                # The last line is the whole; before it a node may tell how far it is.
                return str(_last(answer.text)["Hash"])
            except httpx.HTTPError as error:
                raise gone(self.address, type(error).__name__) from error
            except (ValueError, KeyError, TypeError) as error:
                raise gone(self.address, N_("its answer is not that of a Kubo node")) from error

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The client's errors in our words."""
        import ipfshttpclient

        try:
            yield
        except ipfshttpclient.exceptions.ErrorResponse as error:
            raise self._refused(str(error)) from error
        except ipfshttpclient.exceptions.Error as error:
            raise gone(self.address, type(error).__name__) from error

    def _refused(self, message: str) -> Any:
        if _NO_SPACE.search(message):
            return full(self.address)
        if _NOT_FOUND.search(message):
            return missing(self.address)
        return gone(self.address, message[:200])


class _Sending:
    """Pieces that are hashed on their way."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.digest = hashlib.sha256()
        self.cid = CidBuilder()
        self.size = 0
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.digest.update(piece)
            self.cid.update(piece)
            self.size += len(piece)
            yield piece


def _form(boundary: str, sending: _Sending) -> Iterator[bytes]:
    """A multipart form with one file, which is called nothing that says anything (RFC 7578)."""
    yield (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="ciphertext"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    yield from sending
    yield f"\r\n--{boundary}--\r\n".encode()


def _last(text: str) -> Any:
    import json

    return json.loads(text.strip().splitlines()[-1])


def _message(text: str) -> str:
    try:
        return str(_last(text)["Message"])
    except (ValueError, KeyError, TypeError, IndexError):
        return "HTTP"


def _multiaddr(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        kind = f"ip{ipaddress.ip_address(host).version}"
    except ValueError:
        kind = "dns"
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"/{kind}/{host}/tcp/{port}/{parts.scheme}"


def _require_private(url: str, *, is_secret: bool) -> None:
    parts = urlsplit(url)
    is_here = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if is_secret and parts.scheme != "https" and not is_here and os.environ.get("MIZHENG_ALLOW_HTTP") != "1":
        raise ConfigurationFault(
            "MIZHENG_IPFS_AUTHORIZATION would go over an unprotected connection",
            "use ipfs+https://; MIZHENG_ALLOW_HTTP=1 allows it on a network that is protected otherwise",
        )


def _require_cid(location: str) -> None:
    if not _CID.fullmatch(location):
        raise FormatError("a location that no store of this kind gave")
