"""A Kubo node's RPC over plain HTTP: what ipfshttpclient does tens of times slower, or not at all.

https://docs.ipfs.tech/reference/kubo/rpc/
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any

from mizheng.cli.keeping.stores.cid import ADD_OPTIONS, CidBuilder, base58
from mizheng.cli.keeping.stores.interface import full, gone, missing
from mizheng.cli.terminal.language import N_
from mizheng.verifier.errors import MizhengError

if TYPE_CHECKING:
    import httpx

# A node that has to read a file of some gigabytes before it answers.
ANSWER_SECONDS = 600.0
CONNECT_SECONDS = 10.0
# What Kubo says of a block that it is not to look for elsewhere.
_NOT_FOUND = re.compile("not found|could not find")
_NO_SPACE = re.compile("no space left|storage limit|disk quota")


class Block(Enum):
    """What a node has of a block."""

    SOUND = "sound"
    ROTTEN = "rotten"
    LOST = "lost"


class Sending:
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


class Rpc:
    """One node."""

    def __init__(self, address: str, url: str, headers: Mapping[str, str]) -> None:
        """`address`: how messages call the node; `url`: http://HOST:PORT."""
        import httpx

        self._address = address
        self._url = f"{url}/api/v0"
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        # No proxy of the environment: the node is the company's own.
        self._client = httpx.Client(timeout=timeout, trust_env=False, headers=dict(headers))

    def add(self, sending: Sending) -> str:
        """The CID that the node gives to what is sent, pinned."""
        boundary = os.urandom(16).hex()
        with self._answered():
            answer = self._client.post(
                f"{self._url}/add",
                params={**ADD_OPTIONS, "pin": "true", "quieter": "true", "offline": "true"},
                headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
                content=_form(boundary, sending),
            )
            self._require_ok(answer)
            # The last line is the whole; before it a node may tell how far it is.
            return str(_last(answer.text)["Hash"])

    def block(self, multihash: bytes) -> Block:
        """Whether the block of this SHA-256 multihash is there and is it."""
        answer = self._ask("block/get", arg=base58(multihash))
        if answer.status_code == 500:
            # A node may hash what it reads: then it says itself that it is something else.
            return Block.LOST if _NOT_FOUND.search(_message(answer.text)) else Block.ROTTEN
        self._require_ok(answer)
        return Block.SOUND if hashlib.sha256(answer.content).digest() == multihash[2:] else Block.ROTTEN

    def give_up(self, cid: str) -> None:
        """Have the node remove a block, or forget that it has it. Refused when something pinned has it."""
        answer = self._ask("block/rm", arg=cid, force="true")
        with self._answered():
            self._require_ok(answer)
            if error := dict(_last(answer.text)).get("Error"):
                raise refused(self._address, str(error))

    def _ask(self, command: str, **asked: str) -> httpx.Response:
        with self._answered():
            return self._client.post(f"{self._url}/{command}", params={**asked, "offline": "true"})

    def _require_ok(self, answer: httpx.Response) -> None:
        if answer.status_code != 200:
            raise refused(self._address, _message(answer.text))

    @contextmanager
    def _answered(self) -> Iterator[None]:
        import httpx

        try:
            yield
        except httpx.HTTPError as error:
            raise gone(self._address, type(error).__name__) from error
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise gone(self._address, N_("its answer is not that of a Kubo node")) from error


def refused(address: str, message: str, otherwise: Callable[[str, str], MizhengError] = gone) -> MizhengError:
    """What a node's error is called here."""
    if _NO_SPACE.search(message):
        return full(address)
    if _NOT_FOUND.search(message):
        return missing(address)
    return otherwise(address, message[:200])


def _form(boundary: str, sending: Sending) -> Iterator[bytes]:
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
