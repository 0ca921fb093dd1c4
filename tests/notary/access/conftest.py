"""A notary that people log in to, with two companies and a deposit of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from mizheng.notary.config import load_settings
from mizheng.notary.instance import Instance, open_instance
from mizheng.notary.intake.deposits import DepositRules, check_deposit
from mizheng.notary.log.sequencer import Sequencer
from mizheng.verifier.access import Document, parse_access
from mizheng.verifier.signature import PrivateKey

from tests.notary.depositor import register_in
from tests.notary.people.conftest import ORIGIN, World
from tests.support.lawful import make_approval, make_request
from tests.support.schema import lay_database


@dataclass
class Company:
    """A company of the notary, who approves in it, and one deposit."""

    number: int
    api_key: str
    deposit: str
    approver: PrivateKey = field(default_factory=PrivateKey.generate)

    def decide(self, request: bytes, **changes: Any) -> bytes:
        """An approval of a request, signed."""
        return make_approval(self.approver, parse_access(request), **changes).sign(self.approver)


class LawfulWorld(World):
    """The same, with companies that have something."""

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance)
        self.has = [make_company(instance) for _ in range(2)]
        self.asking = PrivateKey.generate()

    def ask(self, company: Company, **changes: Any) -> bytes:
        """A request about the company's deposit."""
        return self.sign(make_request(self.asking, envelope_sha256=company.deposit, **changes))

    def sign(self, document: Document) -> bytes:
        return document.sign(self.asking)

    def api(self, company: Company, method: str, path: str, content: bytes = b"") -> httpx.Response:
        client = self.browser().client
        headers = {"Authorization": f"Bearer {company.api_key}"}
        return client.request(method, f"/v1/access{path}", headers=headers, content=content)


def make_company(instance: Instance) -> Company:
    depositor, caller = register_in(instance, ORIGIN)
    sequencer = Sequencer(instance.engine, instance.signer, DepositRules(), guard=instance.guard)
    sequencer.start()
    envelope = depositor.envelope()
    sequencer.submit_all([check_deposit(caller, envelope)]).result()
    sequencer.stop()
    return Company(caller.organisation_id, depositor.api_key, hashlib.sha256(envelope).hexdigest())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LawfulWorld]:
    """Shared by a module's tests."""
    folder: Path = tmp_path_factory.mktemp("access") / "notary"
    database = lay_database(folder)
    settings = load_settings({"MIZHENG_DATA_DIR": str(database.parent)})
    settings = replace(settings, people={"url": ORIGIN}, pages={"per_minute": 0})
    instance = open_instance(settings)
    yield LawfulWorld(instance)
    instance.engine.dispose()
