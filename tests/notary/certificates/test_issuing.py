"""Certificates are issued once, of final deposits, whatever happens meanwhile."""

from __future__ import annotations

import time

import pytest
from mizheng.notary.certificates import issuing
from mizheng.notary.certificates.issuing import Issuer
from mizheng.notary.certificates.kept import ask_for, find_of_deposit
from mizheng.notary.certificates.setup import CertificateSetup, parse_certificates
from mizheng.notary.chain.configured import load_profiles
from mizheng.notary.config import load_settings
from mizheng.notary.database import reading, writing
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.instance import Instance, open_instance
from mizheng.verifier.paper.certificate import CertificateFacts
from mizheng.verifier.paper.missing import PaperError

from tests.notary.depositor import TestDepositor
from tests.support.certificates import Issued, wait_until_issued
from tests.support.notary import NotaryServer
from tests.support.pictures import read_text


@pytest.fixture(scope="package")
def beside(server: NotaryServer) -> Instance:
    """The server's data as a second process has it; it does not serve."""
    return open_instance(load_settings({"MIZHENG_DATA_DIR": str(server.data_dir)}))


def issuer_of(instance: Instance, **changed: object) -> Issuer:
    profiles = load_profiles(instance.settings)
    return Issuer(instance, lambda: profiles, CertificateSetup(**changed))  # type: ignore[arg-type]


def test_what_is_printed_is_what_is_kept(issued: Issued) -> None:
    text = read_text(issued.pdf)
    for fact in (issued.number, issued.depositor.org.name, issued.id):
        assert fact in "".join(text.split())


def test_asked_again_it_is_the_same(issued: Issued) -> None:
    client, path = issued.depositor.client, f"/v1/deposits/{issued.id}/certificate"
    again = client.post(path)
    assert again.status_code == 200
    assert again.json() == issued.state
    assert client.get(path + ".pdf").content == issued.pdf


def test_dying_on_the_way_leaves_the_wish(
    depositor: TestDepositor, beside: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the interrupted one is kept; whoever looks next issues it."""
    _, deposit = depositor.deposit()
    depositor.wait_until("final", deposit["id"])
    drawn: list[str] = []

    def die(facts: CertificateFacts) -> bytes:
        drawn.append(facts.number)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(issuing, "make_certificate", die)
        with pytest.raises(KeyboardInterrupt):
            issuer_of(beside)._issue(deposit["leaf_index"], int(time.time()))
    path = f"/v1/deposits/{deposit['id']}/certificate"
    assert depositor.client.get(path).json()["state"] == "none"
    depositor.client.post(path)
    state = wait_until_issued(depositor.client, path)
    assert drawn and state["number"] not in drawn


def test_two_at_once_issue_one(issued: Issued, beside: Instance) -> None:
    """For once two leases were held: one of them worked for nothing."""
    leaf_index = issued.depositor.status(issued.id)["leaf_index"]
    issuer_of(beside)._issue(leaf_index, int(time.time()))
    path = f"/v1/deposits/{issued.id}/certificate"
    assert issued.depositor.client.get(path).json() == issued.state
    assert issued.depositor.client.get(path + ".pdf").content == issued.pdf


def test_all_deposits_when_all_are_to_have_one(depositor: TestDepositor, beside: Instance) -> None:
    _, deposit = depositor.deposit()
    depositor.wait_until("final", deposit["id"])
    issuer = issuer_of(beside, is_for_all=True)
    while issuer._ask_for_more(time.time()):
        pass
    with reading(beside.engine) as connection:
        assert find_of_deposit(connection, deposit["leaf_index"]) is not None


def test_without_what_makes_pdfs_the_notary_says_so(
    beside: Instance, monkeypatch: pytest.MonkeyPatch, depositor: TestDepositor
) -> None:
    def missing(*_: object) -> bytes:
        raise PaperError("PDF files cannot be made")

    monkeypatch.setattr(issuing, "make_certificate", missing)
    issuer = issuer_of(beside)
    _, deposit = depositor.deposit()
    depositor.wait_until("final", deposit["id"])
    monkeypatch.setattr(issuer, "_find", lambda *_: deposit["leaf_index"])
    with writing(beside.engine) as connection:
        ask_for(connection, deposit["leaf_index"], 0)
    assert issuer.step() is False
    assert issuer.state == "pdf-missing"


def test_settings() -> None:
    found = parse_certificates({"issue": "all", "issuer": "示例公证处"})
    assert found == CertificateSetup(True, "示例公证处")
    for wrong in ({"issue": "some"}, {"issuer": ""}, {"issuer": 1}, {"colour": "red"}):
        with pytest.raises(ConfigurationError, match="certificates"):
            parse_certificates(wrong)
