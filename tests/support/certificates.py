"""A certificate as its depositor has it: asked for, waited for, read."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

import httpx

from tests.notary.depositor import TestDepositor
from tests.support.pictures import read_text

_CODE = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b(?!-)")
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Issued:
    """A deposit with its certificate."""

    depositor: TestDepositor
    envelope: bytes
    state: dict[str, Any]
    pdf: bytes

    @property
    def id(self) -> str:
        return str(self.state["id"])

    @property
    def number(self) -> str:
        return str(self.state["number"])

    @property
    def code(self) -> str:
        """The code, which is nowhere but on the paper."""
        return find_code(self.pdf, self.number)

    def show(self, visibility: str) -> None:
        """Say who may see it without the code."""
        path = f"/v1/deposits/{self.id}/certificate/visibility"
        answer = self.depositor.client.put(path, json={"visibility": visibility})
        assert answer.status_code == 200, answer.text


def find_code(pdf: bytes, number: str) -> str:
    """The code as it is printed."""
    return str(_CODE.findall(read_text(pdf).replace(number, ""))[0])


def issue(depositor: TestDepositor, **changed: Any) -> Issued:
    """Deposit a statement and have its certificate issued."""
    envelope, deposit = depositor.deposit(depositor.envelope(**changed))
    path = f"/v1/deposits/{deposit['id']}/certificate"
    assert depositor.client.post(path).status_code in (200, 202)
    state = wait_until_issued(depositor.client, path)
    pdf = depositor.client.get(path + ".pdf")
    assert pdf.status_code == 200, pdf.text
    return Issued(depositor, envelope, state, pdf.content)


def wait_until_issued(client: httpx.Client, path: str) -> dict[str, Any]:
    """The state of a certificate that was asked for, once it is issued."""
    deadline = time.monotonic() + _SECONDS
    while True:
        found: dict[str, Any] = client.get(path).json()
        if found["state"] == "issued":
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
