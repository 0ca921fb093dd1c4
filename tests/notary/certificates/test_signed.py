"""What a serving notary issues is signed, by a key that its trust export names."""

from __future__ import annotations

from pathlib import Path

from mizheng.verifier.paper.reading import PyHankoReader
from mizheng.verifier.timestamp.x509 import load_certificate
from mizheng.verifier.trust import parse_trust

from tests.support.certificates import Issued
from tests.support.notary import NotaryServer


def test_issued_certificates_are_signed(issued: Issued, server: NotaryServer, tmp_path: Path) -> None:
    signature = PyHankoReader().read_signature(issued.pdf)
    trust = parse_trust(server.export_trust(tmp_path / "trust.toml").read_bytes())
    (certifier,) = trust.certifiers
    # For trying: a certificate that stands for itself, and says so.
    assert [root.encoded for root in certifier.roots] == list(signature.certificates)
    assert "TRIAL" in load_certificate(signature.certificates[0]).name
    # The second keyword is the number as it is printed.
    assert signature.keywords[1].replace("-", "") == issued.number.replace("-", "")
