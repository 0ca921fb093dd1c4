"""The certificate in a bundle: signed, unchanged, about this deposit, by somebody the trust file names."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable

import pytest
from mizheng.notary.certificates.signer import load_signer
from mizheng.notary.certificates.signing import CertificateSigner
from mizheng.verifier.paper.certificate import make_certificate
from mizheng.verifier.paper.reading import PyHankoReader
from mizheng.verifier.report import Check
from mizheng.verifier.timestamp.authority import Authority
from mizheng.verifier.timestamp.x509 import load_certificate
from mizheng.verifier.trust import Trust, dump_trust, parse_trust
from mizheng.verifier.verify import verify_bundle
from mizheng.verifier.words import translator

from tests.support.certifier import Certifier
from tests.support.world import Company, Deposit, World, failed, judge, pack

from .samples import make_facts

CODE = "certificate.signature"


@dataclasses.dataclass
class Case:
    """A bundle's members without a certificate, and what signs one."""

    world: World
    members: dict[str, bytes]
    anchors: list[tuple[int, bytes]]
    deposit: Deposit
    trust: Trust
    signer: CertificateSigner
    certifier: Certifier

    def certificate(self, **changes: object) -> bytes:
        digest = hashlib.sha256(self.deposit.envelope).hexdigest()
        return self.signer.sign(make_certificate(make_facts(**{"envelope_sha256": digest, **changes})))

    def check(self, certificate: bytes, trust: Trust | None = None, *, with_reader: bool = True) -> Check:
        members = {**self.members, "certificate.pdf": certificate}
        report = judge(members, trust or self.trust, pdf_reader=PyHankoReader() if with_reader else None)
        return next(check for check in report.checks if check.code == CODE)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("certified")
    world = World(folder)
    deposit = world.deposit(world.enrol(Company()))
    anchors = [world.anchor()]
    members = world.bundle(deposit, anchors)
    certifier = Certifier(folder)
    root = load_certificate(certifier.root.der)
    trust = world.trust(certifiers=(Authority("示例存证服务", (root,)),))
    table = {"key": str(certifier.key), "chain": str(certifier.chain)}
    signer = CertificateSigner(lambda: load_signer(table, [], folder, "log.example/one"))
    return Case(world, members, anchors, deposit, trust, signer, certifier)


def words(check: Check) -> str:
    return translator("en")(check.message).format(**check.values)


def test_a_certificate_of_this_deposit_passes(case: Case) -> None:
    check = case.check(case.certificate())
    assert check.status == "PASS", words(check)
    assert "CN=示例存证服务" in words(check)
    # B-B carries no list, and the words do not claim that one was read.
    assert "was not looked at" in words(check)


def test_without_a_reader_nothing_is_claimed(case: Case) -> None:
    check = case.check(case.certificate(), with_reader=False)
    assert check.status == "NOT_CHECKED"
    assert "extra pdf" in words(check)


def test_another_deposits_certificate_fails(case: Case) -> None:
    check = case.check(case.certificate(envelope_sha256="ab" * 32))
    assert (check.status, words(check)) == ("FAIL", "the certificate is about another deposit")


def test_a_strangers_signature_proves_nothing(case: Case) -> None:
    """The right words under the wrong name are no fault of the bundle's: nobody is believed for them."""
    check = case.check(case.certificate(), dataclasses.replace(case.trust, certifiers=()))
    assert check.status == "NOT_CHECKED"
    assert "names nobody" in words(check)


def test_a_certificate_that_is_believed_by_its_digest_only(case: Case) -> None:
    certifier = case.trust.certifiers[0]
    narrow = dataclasses.replace(certifier, certificates=frozenset({"00" * 32}))
    check = case.check(case.certificate(), dataclasses.replace(case.trust, certifiers=(narrow,)))
    assert check.status == "NOT_CHECKED"


@pytest.mark.parametrize(
    "change",
    [
        lambda pdf: pdf[:3_000] + bytes([pdf[3_000] ^ 1]) + pdf[3_001:],
        lambda pdf: pdf[: len(pdf) // 2],
        lambda pdf: b"",
        lambda pdf: pdf + b"\n",
        lambda pdf: b"PK\x03\x04",
        lambda pdf: make_certificate(make_facts()),
    ],
    ids=["byte", "half", "empty", "longer", "other", "unsigned"],
)
def test_what_is_not_the_signed_file_fails(case: Case, change: Callable[[bytes], bytes]) -> None:
    assert case.check(change(case.certificate())).status == "FAIL"


def test_a_trust_file_keeps_its_certifiers(case: Case) -> None:
    assert parse_trust(dump_trust(case.trust)).certifiers == case.trust.certifiers


def test_an_exhibit_list_is_not_claimed_to_be_read(case: Case) -> None:
    """Its digest is the depositor's, so `bundle.members` has checked it; its pages are for people."""
    members = case.world.bundle(case.deposit, case.anchors, extra_members={"exhibits.pdf": b"%PDF"})
    report = judge(members, case.trust, pdf_reader=PyHankoReader())
    assert [check.status for check in report.checks if check.code == "exhibits.list"] == ["NOT_CHECKED"]
    other = judge({**members, "exhibits.pdf": b"%PDF-"}, case.trust)
    assert "bundle.members" in failed(other)


def test_the_certificate_must_hold_when_it_is_looked_at(case: Case) -> None:
    """Nothing dates a B-B signature: once its certificate has ended, it counts for nothing."""
    late = load_certificate(case.certifier.leaf.der).not_after + 1
    members = {**case.members, "certificate.pdf": case.certificate()}
    report = verify_bundle(pack(members), case.trust, now=late, pdf_reader=PyHankoReader())
    assert next(check.status for check in report.checks if check.code == CODE) != "PASS"
