"""`mizheng certificate`, and what seal, status and bundle have to do with certificates."""

from __future__ import annotations

import zipfile

import pytest
from mizheng.cli.depositing.certificates import require_digest
from mizheng.cli.errors import SoftwareFault
from mizheng.verifier.certificate_number import make_code, make_number, show_grouped

from tests.cli.runner import Mizheng
from tests.support.certificates import find_code


@pytest.fixture
def final(company: Mizheng) -> Mizheng:
    (company.cwd / "a").write_bytes(b"a")
    company("seal", "a").ok()
    company("notarize", "a.seal").ok()
    company("status", "a.seal", "--wait", "--timeout", "60").ok()
    return company


def test_from_status_to_bundle_to_look_up(final: Mizheng) -> None:
    """A whole life in one test: a notary is dear."""
    number = final("status", "a.seal", "--json").ok().json["certificate"]
    assert number in final("status", "a.seal").ok().out
    made = final("bundle", "a.seal", "--open", "a", "-o", "a.zip", "--json").ok().json
    assert made["certificate"] is True
    with zipfile.ZipFile(final.cwd / "a.zip") as archive:
        paper = archive.read("certificate.pdf")
    (final.cwd / "paper.pdf").write_bytes(paper)
    code = find_code(paper, number)

    masked = final("certificate", number.lower()).ok()
    assert "masked" in masked.out
    refused = final("certificate", number, "-o", "b.pdf")
    assert refused.code == 77
    assert not (final.cwd / "b.pdf").exists()

    found = (
        final("certificate", number, "--code", code, "-o", "b.pdf", "--proof", "b.zip", "--json").ok().json
    )
    assert (final.cwd / "b.pdf").read_bytes() == paper
    assert found["proof"] == {"heads": 1, "anchors": 1}
    assert zipfile.is_zipfile(final.cwd / "b.zip")
    same = final("certificate", number, "--code", code, "--compare", "paper.pdf").ok()
    assert "byte for byte" in same.out
    (final.cwd / "paper.pdf").write_bytes(paper + b"\n")
    other = final("certificate", number, "--code", code, "--compare", "paper.pdf")
    assert other.code == 1
    assert "NOT the one" in other.out


def test_mistyped_is_said_before_anybody_is_asked(company: Mizheng) -> None:
    number = make_number()
    wrong = number[1] + number[0] + number[2:] if number[0] != number[1] else "Z" + number[1:]
    result = company("certificate", wrong, "--notary", "http://127.0.0.1:9")
    assert result.code == 64
    assert "mistyped" in result.err
    assert company("certificate", number, "--code", "12", "--notary", "http://127.0.0.1:9").code == 64


def test_unknown_is_said_in_words(company: Mizheng) -> None:
    number = show_grouped(make_number())
    result = company("certificate", number, "--code", show_grouped(make_code()))
    assert result.code == 76
    assert "no such certificate" in result.err


def test_another_pdf_from_the_notary_is_not_taken() -> None:
    with pytest.raises(SoftwareFault, match="not the one that it names"):
        require_digest(b"%PDF-1.7 another", "00" * 32)
