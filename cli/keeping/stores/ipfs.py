"""A Kubo node as a store, over its RPC (extra `ipfs`): ciphertexts in its own block store, pinned.

ipfshttpclient asks for versions, files' states, contents and pins. It is made without the check of the node's
version, which knows none of today's; files that are added and single blocks go over httpx (`kubo`). The CID
is computed here from what is sent (`cid`) and the node has to come to the same. All is asked of the node
`offline`: what other nodes may have is not what this one keeps.

What is public there, and how a node is kept private: docs/keeping.md. MIZHENG_IPFS_AUTHORIZATION is sent as
the header Authorization, for a node whose API.Authorizations asks for one.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from mizheng.cli.errors import ConfigurationFault, UnavailableFault
from mizheng.cli.keeping.stores.cid import CidBuilder, base58
from mizheng.cli.keeping.stores.interface import PIECE, Ciphertext, Reading, gone, other_bytes, unreadable
from mizheng.cli.keeping.stores.kubo import ANSWER_SECONDS, CONNECT_SECONDS, Block, Rpc, Sending, refused
from mizheng.cli.terminal.language import N_
from mizheng.verifier.errors import FormatError, MizhengError

UNPINNED = N_("not pinned")

_CID = re.compile(r"Qm[1-9A-HJ-NP-Za-km-z]{44}")
_NOT_PINNED = "not pinned"


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
            timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
        )
        self._rpc = Rpc(address, self._url, self._headers)
        with self._translated():
            self._node.version()

    def put(self, what: Ciphertext, read: Reading) -> str:
        sending = Sending(read(0))
        told = self._rpc.add(sending)
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

    def repair(self, what: Ciphertext, read: Reading) -> str:
        """A node takes a block that it has for what it is given, and fails at one that it cannot read: so
        what has rotted is given up first. What it then still lacks it believes to have.
        """
        self._give_up(read, is_lost_too=False)
        location = self.put(what, read)
        if self._give_up(read, is_lost_too=True):
            self.put(what, read)
        return location

    def read(self, location: str, start: int = 0) -> Iterator[bytes]:
        _require_cid(location)
        with self._translated(unreadable):
            size = int(self._node.files.stat(f"/ipfs/{location}")["Size"])
        while start < size:
            with self._translated(unreadable):
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

    def _give_up(self, read: Reading, *, is_lost_too: bool) -> bool:
        """Have the node remove the blocks of a ciphertext that are not what they should be; was there one?

        No other: before each removal a node walks through all that it has pinned.
        """
        bad: list[str] = []

        def look(multihash: bytes) -> None:
            state = self._rpc.block(multihash)
            if state is Block.ROTTEN or (state is Block.LOST and is_lost_too):
                bad.append(base58(multihash))

        builder = CidBuilder(look)
        for piece in read(0):
            builder.update(piece)
        location = builder.finish()
        if bad:
            # What is pinned is not given up.
            self.delete(location)
            for cid in bad:
                self._rpc.give_up(cid)
        return bool(bad)

    @contextmanager
    def _translated(self, otherwise: Callable[[str, str], MizhengError] = gone) -> Iterator[None]:
        """The client's errors in our words; `otherwise`: what an error means that the node itself tells."""
        import ipfshttpclient

        try:
            yield
        except ipfshttpclient.exceptions.ErrorResponse as error:
            raise refused(self.address, str(error), otherwise) from error
        except ipfshttpclient.exceptions.Error as error:
            raise gone(self.address, type(error).__name__) from error


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
