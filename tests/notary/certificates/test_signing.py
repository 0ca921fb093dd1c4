"""Certificates are signed: what pdfsig and pyHanko's own validator say, and that no byte can be changed."""

from __future__ import annotations

import asyncio
import io
import random
import stat
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asn1crypto.x509
import pytest
from mizheng.notary.certificates.signer import SignerSetup, load_signer
from mizheng.notary.certificates.signing import CertificateSigner, SigningError, sign_certificate
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.timestamping.setup import parse_timestamps
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.paper.certificate import make_certificate
from mizheng.verifier.paper.reading import PyHankoReader
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import ades, validate_pdf_signature
from pyhanko.sign.validation.policy_decl import PdfSignatureValidationSpec, SignatureValidationSpec
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager

from tests.support.certifier import Certifier, Lists
from tests.support.opensslts import OpensslAuthority
from tests.support.scale import scaled
from tests.verifier.paper.samples import make_facts

# Reading a lasting one takes pyHanko a tenth of a second.
FLIPS = scaled(8, 3_000)


@pytest.fixture(scope="module")
def unsigned() -> bytes:
    return make_certificate(make_facts())


@pytest.fixture(scope="module")
def certifier(tmp_path_factory: pytest.TempPathFactory) -> Certifier:
    return Certifier(tmp_path_factory.mktemp("certifier"))


@pytest.fixture(scope="module")
def tsa() -> Iterator[OpensslAuthority]:
    with OpensslAuthority() as authority:
        yield authority


@pytest.fixture(scope="module")
def lists(certifier: Certifier, tsa: OpensslAuthority) -> Iterator[Lists]:
    import time

    with Lists({"/ca.crl": certifier.crl(), "/tsa.crl": tsa.authority.crl(int(time.time()))}) as server:
        yield server


def plain_setup(certifier: Certifier) -> SignerSetup:
    table = {"key": str(certifier.key), "chain": str(certifier.chain)}
    return load_signer(table, [], certifier.key.parent, "log.example/one")


def lasting_setup(
    certifier: Certifier, tsa: OpensslAuthority, lists: Lists, crl: str = "ca.crl"
) -> SignerSetup:
    text = f'{tsa.settings()}crls = ["{lists.url}/tsa.crl"]\n'
    authorities = parse_timestamps(tomllib.loads(text)["timestamps"])
    table = {
        "key": str(certifier.key),
        "chain": str(certifier.chain),
        "timestamps": "local",
        "crls": [f"{lists.url}/{crl}"],
    }
    return load_signer(table, authorities, certifier.key.parent, "log.example/one")


@pytest.fixture(scope="module")
def plain(unsigned: bytes, certifier: Certifier) -> bytes:
    """Level B-B."""
    return sign_certificate(unsigned, CertificateSigner(lambda: plain_setup(certifier)))


@pytest.fixture(scope="module")
def lasting(unsigned: bytes, certifier: Certifier, tsa: OpensslAuthority, lists: Lists) -> bytes:
    """Level B-LTA."""
    return CertificateSigner(lambda: lasting_setup(certifier, tsa, lists)).sign(unsigned)


def load(der: bytes) -> Any:
    return asn1crypto.x509.Certificate.load(der)


def pdfsig(pdf: bytes, folder: Path, *roots: bytes) -> str:
    """What poppler says, with an NSS database that believes these roots."""
    (folder / "signed.pdf").write_bytes(pdf)
    subprocess.run(["certutil", "-N", "-d", f"sql:{folder}", "--empty-password"], check=True)
    for n, root in enumerate(roots):
        (folder / "root.der").write_bytes(root)
        command = [
            "certutil",
            "-A",
            "-d",
            f"sql:{folder}",
            "-n",
            str(n),
            "-t",
            "C,C,C",
            "-i",
            folder / "root.der",
        ]
        subprocess.run(command, check=True)
    command = ["pdfsig", "-nssdir", f"sql:{folder}", folder / "signed.pdf"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("level", ["plain", "lasting"])
def test_pdfsig_finds_it_valid(
    level: str, certifier: Certifier, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    said = pdfsig(request.getfixturevalue(level), tmp_path, certifier.root.der)
    assert "Signature Type: ETSI.CAdES.detached" in said
    assert "Signature Validation: Signature is Valid." in said
    assert "Certificate Validation: Certificate is Trusted." in said


def test_pyhanko_finds_the_plain_one_valid(plain: bytes, certifier: Certifier) -> None:
    signature = PdfFileReader(io.BytesIO(plain)).embedded_regular_signatures[0]
    context = ValidationContext(trust_roots=[load(certifier.root.der)], crls=[certifier.crl()])
    status = validate_pdf_signature(signature, context)
    assert status.bottom_line, status.pretty_print_details()
    assert status.docmdp_ok


def test_pyhanko_finds_the_lasting_one_valid(
    lasting: bytes, certifier: Certifier, tsa: OpensslAuthority
) -> None:
    """With nothing but the roots: all else, revocation lists too, is in the file."""
    roots = [load(certifier.root.der), load(tsa.authority.root.der)]
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(trust_roots=roots),
        revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO, freshness=None),
    )
    specification = PdfSignatureValidationSpec(SignatureValidationSpec(cert_validation_policy=policy))
    reader = PdfFileReader(io.BytesIO(lasting))
    signature = reader.embedded_regular_signatures[0]
    result = asyncio.run(ades.ades_lta_validation(signature, specification))
    assert str(result.ades_subindic) == "AdESPassed.OK"
    assert len(reader.embedded_timestamp_signatures) == 1


@pytest.mark.parametrize("level", ["plain", "lasting"])
def test_a_changed_byte_is_noticed(level: str, request: pytest.FixtureRequest) -> None:
    """Wherever it is: text, attachment, signature, the padding behind it, stamp, lists, cross references."""
    pdf = request.getfixturevalue(level)
    reader = PyHankoReader()
    reader.read_signature(pdf)
    draw = random.Random(7)
    # Half of them where signatures, lists and stamps are; the rest is one stretch of signed bytes.
    places = [draw.randrange(len(pdf)) for _ in range(FLIPS // 2)]
    places += [
        draw.randrange(len(make_certificate(make_facts())) - 2_000, len(pdf)) for _ in range(FLIPS // 2)
    ]
    for place in places:
        changed = bytearray(pdf)
        changed[place] ^= 1 << draw.randrange(8)
        with pytest.raises(MizhengError):
            reader.read_signature(bytes(changed))


def test_pdfsig_notices_a_changed_byte(plain: bytes, certifier: Certifier, tmp_path: Path) -> None:
    place = plain.index(b"stream") + 40
    changed = plain[:place] + bytes([plain[place] ^ 1]) + plain[place + 1 :]
    assert "Signature is Valid" not in pdfsig(changed, tmp_path, certifier.root.der)


def test_bytes_behind_the_signature_are_noticed(plain: bytes) -> None:
    with pytest.raises(MizhengError):
        PyHankoReader().read_signature(plain + b"\n% more")


def test_keyid_is_that_of_the_certificate(certifier: Certifier) -> None:
    import hashlib

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    spki = certifier.leaf.certificate.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    assert CertificateSigner(lambda: plain_setup(certifier)).keyid == hashlib.sha256(spki).hexdigest()


# When something for a lasting signature is missing, nothing is signed that would not last.


def test_no_signature_without_a_list(
    unsigned: bytes, certifier: Certifier, tsa: OpensslAuthority, lists: Lists
) -> None:
    with pytest.raises(SigningError, match="revocation list"):
        CertificateSigner(lambda: lasting_setup(certifier, tsa, lists, "gone.crl")).sign(unsigned)


def test_no_signature_with_a_strangers_list(
    unsigned: bytes, certifier: Certifier, tsa: OpensslAuthority, lists: Lists
) -> None:
    with pytest.raises(SigningError, match="no revocation list speaks"):
        CertificateSigner(lambda: lasting_setup(certifier, tsa, lists, "tsa.crl")).sign(unsigned)


def test_no_signature_once_revoked(
    unsigned: bytes, certifier: Certifier, tsa: OpensslAuthority, lists: Lists
) -> None:
    with Lists({"/ca.crl": certifier.crl(is_revoked=True), "/tsa.crl": lists.lists["/tsa.crl"]}) as revoked:
        signer = CertificateSigner(lambda: lasting_setup(certifier, tsa, revoked))
        with pytest.raises(MizhengError, match="was revoked"):
            signer.sign(unsigned)


def test_no_signature_without_a_token(unsigned: bytes, certifier: Certifier, lists: Lists) -> None:
    with OpensslAuthority("another TSA") as other:
        setup = lasting_setup(certifier, other, lists)
        other.answer_with = lambda _: (503, "text/plain", b"later")
        with pytest.raises(SigningError, match="no token from local"):
            CertificateSigner(lambda: setup).sign(unsigned)


# Settings.


def test_a_trial_signer_says_so(tmp_path: Path, unsigned: bytes) -> None:
    setup = load_signer(None, [], tmp_path, "log.example/one")
    assert "TRIAL" in setup.chain[0].name
    assert stat.S_IMODE((tmp_path / "certificates.key").stat().st_mode) == 0o600
    # The same one from then on.
    assert load_signer(None, [], tmp_path, "log.example/one").keyid == setup.keyid
    read = PyHankoReader().read_signature(CertificateSigner(lambda: setup).sign(unsigned))
    assert read.certificates == (setup.chain[0].encoded,)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"chain": "/nowhere"}, "are not a key and its certificates"),
        ({"timestamps": "nfsq"}, "there is no"),
        ({"colour": "red"}, "has key and chain"),
        ({"crls": "http://ca.example"}, "list of addresses"),
    ],
)
def test_wrong_settings_are_refused(certifier: Certifier, change: dict[str, str], words: str) -> None:
    table = {"key": str(certifier.key), "chain": str(certifier.chain), **change}
    with pytest.raises(ConfigurationError, match=words):
        load_signer(table, [], certifier.key.parent, "x")


def test_another_ones_certificate_is_refused(certifier: Certifier, tmp_path: Path) -> None:
    other = Certifier(tmp_path, "another", 90)
    table = {"key": str(certifier.key), "chain": str(other.chain)}
    with pytest.raises(ConfigurationError, match="is not that of"):
        load_signer(table, [], tmp_path, "x")


def test_a_chain_that_leads_nowhere_is_refused(certifier: Certifier, tmp_path: Path) -> None:
    (tmp_path / "short.pem").write_bytes(certifier.leaf.pem)
    table = {"key": str(certifier.key), "chain": str(tmp_path / "short.pem")}
    with pytest.raises(ConfigurationError, match="do not lead up to a root"):
        load_signer(table, [], tmp_path, "x")


def test_a_key_that_others_can_read_is_refused(certifier: Certifier, tmp_path: Path) -> None:
    open_key = tmp_path / "open.key"
    open_key.write_bytes(certifier.leaf.key_pem)
    open_key.chmod(0o644)
    table = {"key": str(open_key), "chain": str(certifier.chain)}
    with pytest.raises(ConfigurationError, match="open to other accounts"):
        load_signer(table, [], tmp_path, "x")
