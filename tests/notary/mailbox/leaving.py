"""A ciphertext left in a mailbox, by hand over HTTP."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import httpx

from tests.notary.depositor import TestDepositor

TOKEN = "ab" * 32


def content(size: int = 100, seed: int = 1) -> bytes:
    return (hashlib.sha256(b"%d" % seed).digest() * (size // 32 + 1))[:size]


def ask(depositor: TestDepositor, data: bytes, **changed: Any) -> httpx.Response:
    wanted = {
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "token_sha256": hashlib.sha256(TOKEN.encode()).hexdigest(),
        "days": 3,
        **changed,
    }
    return depositor.client.post("/v1/mailbox", json=wanted)


@dataclass(frozen=True, slots=True)
class Left:
    """An item and who left it."""

    depositor: TestDepositor
    id: str
    data: bytes
    part_bytes: int

    @property
    def path(self) -> str:
        return f"/v1/mailbox/{self.id}"

    def part(self, number: int) -> bytes:
        return self.data[number * self.part_bytes : (number + 1) * self.part_bytes]

    def put(self, number: int, data: bytes | None = None) -> httpx.Response:
        return self.depositor.client.put(
            f"{self.path}/parts/{number}", content=self.part(number) if data is None else data
        )

    def complete(self) -> httpx.Response:
        return self.depositor.client.post(f"{self.path}/complete")

    def get(self, path: str = "", token: str | None = TOKEN) -> httpx.Response:
        """As somebody without an API key."""
        headers = {} if token is None else {"Mizheng-Token": token}
        return httpx.get(self.depositor.url + self.path + path, headers=headers, trust_env=False)


def begin(depositor: TestDepositor, data: bytes, **changed: Any) -> Left:
    answer = ask(depositor, data, **changed)
    assert answer.status_code == 201, answer.text
    return Left(depositor, answer.json()["id"], data, answer.json()["part_bytes"])


def leave(depositor: TestDepositor, data: bytes | None = None, **changed: Any) -> Left:
    """Whole."""
    left = begin(depositor, content() if data is None else data, **changed)
    for number in range(-(-len(left.data) // left.part_bytes)):
        assert left.put(number).status_code == 204
    assert left.complete().json()["state"] == "kept"
    return left
