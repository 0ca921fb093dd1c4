"""The notary's mailbox as the command line uses it: parts up, parts down, words of both sides.

The notary gets ciphertexts only. A ticket, a file that the sender gives to the recipient, lets its holder
fetch one item; without the age key what he fetches is of no use to him. What comes is compared with the
ticket's digest before anything else is done with it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mizheng.cli.config import load_api_key, notary_address
from mizheng.cli.depositing.client import NotaryClient
from mizheng.cli.depositing.lists import list_items
from mizheng.cli.errors import ConfigurationFault, DataFault, InputFault, RefusedFault
from mizheng.cli.files import make_private
from mizheng.cli.session import Session
from mizheng.verifier.canonical import dump, from_hex, parse_typed
from mizheng.verifier.errors import MizhengError

TICKET_TYPE = "mizheng/mailbox-ticket/v1"
_TOKEN_HEADER = "mizheng-token"  # noqa: S105 - its name
_ITEM = {"id": str, "state": str, "size": int, "sha256": str, "part_bytes": int, "parts": int}
_ITEM_NAME = re.compile(r"[0-9a-f]{32}")
# A ticket has about 300 bytes; of anything else no more is read to see that it is none.
_MOST_TICKET = 4096
_CHUNK_BYTES = 1024 * 1024

Tick = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Ticket:
    """What fetches one item."""

    notary: str
    item: str
    token: str = field(repr=False)
    size: int
    sha256: str

    def dump(self) -> bytes:
        return dump({"type": TICKET_TYPE, **{name: getattr(self, name) for name in Ticket.__slots__}})


def parse_ticket(data: bytes) -> Ticket | None:
    """A ticket, or None for bytes that are none; DataFault for one that is damaged."""
    if not data.startswith(b'{"item":'):
        return None
    try:
        fields = {"notary": str, "item": str, "token": str, "size": int, "sha256": str}
        value = parse_typed(data, TICKET_TYPE, fields)
        from_hex(value["item"], 16)
        from_hex(value["token"], 32)
        from_hex(value["sha256"], 32)
    except MizhengError as error:
        raise DataFault(
            "this ticket is damaged: {reason}", "ask the sender for it", reason=str(error)
        ) from error
    return Ticket(**{name: value[name] for name in Ticket.__slots__})


@dataclass(frozen=True, slots=True)
class Source:
    """Where a transfer is to be received from."""

    item: str | None
    """The mailbox's item; None for an age file."""
    ticket: Ticket | None


def read_source(named: str) -> Source:
    """What was named: a ticket, an item of the mailbox, or else an age file; InputFault for no file."""
    path = Path(named)
    if _ITEM_NAME.fullmatch(named) and not path.exists():
        return Source(named, None)
    try:
        with path.open("rb") as file:
            ticket = parse_ticket(file.read(_MOST_TICKET))
    except OSError as error:
        raise InputFault("{name}: {reason}", name=named, reason=error.strerror) from error
    return Source(ticket.item if ticket else None, ticket)


def new_token() -> str:
    return secrets.token_hex(32)


class Mailbox(NotaryClient):
    """One notary's mailbox, with an API key, or for the holder of a ticket."""

    @classmethod
    def of(cls, session: Session) -> Mailbox:
        """That of this person's notary; ConfigurationFault without an API key."""
        api_key = load_api_key(session.home)
        if api_key is None:
            raise ConfigurationFault(
                "there is no API key for the notary",
                "run mizheng init, or set MIZHENG_API_KEY; to receive a file or with a ticket none is needed",
            )
        return cls(notary_address(None, session.config), api_key)

    def leave(self, size: int, sha256: str, token: str, days: int, addressee: str | None) -> dict[str, Any]:
        """A place for so many bytes."""
        asked = {
            "size": size,
            "sha256": sha256,
            "token_sha256": hashlib.sha256(token.encode()).hexdigest(),
            "days": days,
            "addressee": addressee,
        }
        return self._json("POST", "/v1/mailbox", _ITEM, json=asked)

    def send(self, item: str, path: Path, tick: Tick) -> None:
        """Send the parts that are missing, and say that they are all; cut off, it goes on where it was."""
        state = self.show(item)
        if state["state"] == "open":
            have = set(state.get("have") or [])
            with path.open("rb") as file:
                for number in range(state["parts"]):
                    size = min(state["part_bytes"], state["size"] - number * state["part_bytes"])
                    if number not in have:
                        file.seek(number * state["part_bytes"])
                        headers = {"content-type": "application/octet-stream"}
                        self._ask(
                            "PUT",
                            f"/v1/mailbox/{item}/parts/{number}",
                            content=file.read(size),
                            headers=headers,
                        )
                    tick(size)
        self._json("POST", f"/v1/mailbox/{item}/complete", _ITEM)

    def show(self, item: str, token: str | None = None) -> dict[str, Any]:
        return self._json("GET", f"/v1/mailbox/{item}", _ITEM, headers=_header(token))

    def waiting(self) -> list[dict[str, Any]]:
        """What others left for this company."""
        return list(list_items(self, "/v1/mailbox", box="received"))

    def fetch(self, item: str, ticket: Ticket | None, target: Path, tick: Tick) -> None:
        """Fetch an item into a file, going on where an earlier run was cut off.

        RefusedFault when it is not there, withdrawn or expired; DataFault when the notary gives something
        else than the ticket is for, or, without one, than it announced.
        """
        token = ticket.token if ticket else None
        told = self.show(item, token)
        size, sha256, part_bytes = told["size"], told["sha256"], told["part_bytes"]
        if part_bytes <= 0 or size < 0 or (ticket and (size, sha256) != (ticket.size, ticket.sha256)):
            raise _other()
        make_private(target.parent)
        done = target.stat().st_size // part_bytes if target.exists() else 0
        with target.open("r+b" if target.exists() else "xb") as file:
            target.chmod(0o600)
            file.truncate(done * part_bytes)
            file.seek(done * part_bytes)
            tick(done * part_bytes)
            for number in range(done, -(-size // part_bytes)):
                path = f"/v1/mailbox/{item}/parts/{number}"
                data = self._ask("GET", path, headers=_header(token))[1]
                if len(data) != min(part_bytes, size - number * part_bytes):
                    raise _other()
                file.write(data)
                tick(len(data))
        if _digest(target) != sha256:
            target.unlink()
            raise _other()

    def withdraw(self, item: str, document: bytes) -> None:
        headers = {"content-type": "application/json"}
        self._ask("POST", f"/v1/mailbox/{item}/withdrawal", content=document, headers=headers)

    def withdrawal(self, item: str, token: str | None) -> bytes:
        return self._ask("GET", f"/v1/mailbox/{item}/withdrawal", headers=_header(token))[1]

    def answer(self, item: str, token: str | None, closed: bytes) -> None:
        """Leave an acceptance, encrypted to the sender."""
        headers = {"content-type": "application/octet-stream", **_header(token)}
        self._ask("POST", f"/v1/mailbox/{item}/acceptance", content=closed, headers=headers)

    def acceptance(self, item: str) -> bytes | None:
        """What the recipient answered; None while he has not."""
        try:
            return self._ask("GET", f"/v1/mailbox/{item}/acceptance")[1]
        except RefusedFault as error:
            if error.problem == "mailbox-unanswered":
                return None
            raise


def _header(token: str | None) -> dict[str, str]:
    return {} if token is None else {_TOKEN_HEADER: token}


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(_CHUNK_BYTES), b""):
            digest.update(chunk)
    return digest.hexdigest()


def _other() -> DataFault:
    return DataFault(
        "what the mailbox gives is not what the sender left there",
        "fetch it again; if it stays so, tell the sender and the notary's operator",
    )
