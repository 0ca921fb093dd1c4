"""The certificate as people and their tools read it."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path

import pytest
from mizheng.verifier.paper import certificate
from mizheng.verifier.paper.certificate import Authentication, make_certificate
from mizheng.verifier.paper.fonts import covered
from mizheng.verifier.paper.names import breakable, visible
from mizheng.verifier.paper.typesetting import qr_code

from tests.support.pictures import read_text, take_pictures

from .samples import ANCHOR, make_facts

# The longest name that a company register's form has room for is shorter.
LONGEST = "示例（中国）高端智能装备与精密制造技术研究开发" * 8


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return make_certificate(make_facts())


@pytest.fixture(scope="module")
def text(pdf: bytes) -> str:
    return read_text(pdf)


def joined(text: str) -> str:
    """Without the breaks that lines make in what belongs together."""
    return re.sub(r"\s", "", text)


def test_every_fact_is_on_the_pages(text: str) -> None:
    facts = make_facts()
    wanted = [
        *(facts.number, facts.lookup_code, facts.holder, facts.holder_id, facts.operator),
        *(facts.holder_keyid, facts.commitment, facts.envelope_sha256, facts.log_origin),
        *(facts.checkpoint_keyid, facts.witnesses[0], facts.issuer, facts.issuer_keyid),
        *(ANCHOR.chain_name, ANCHOR.genesis_hash, ANCHOR.contract, ANCHOR.log_id, ANCHOR.block_hash),
        *(ANCHOR.transaction_hash, str(ANCHOR.height), ANCHOR.finality, *ANCHOR.observers),
        *("2026-11-2310:01:30", "2026-11-23T02:01:30Z", "2026-11-2310:01:01", "2026-11-2310:02:02"),
    ]
    found = joined(text)
    assert not [value for value in wanted if value and value not in found]


def test_same_facts_same_bytes(pdf: bytes) -> None:
    assert make_certificate(make_facts()) == pdf


def test_pages_are_numbered_a4(pdf: bytes, text: str) -> None:
    pages = text.count("\f")
    assert f"第{pages}页，共{pages}页" in joined(text)
    info = subprocess.run(["pdfinfo", "-"], input=pdf, capture_output=True, text=False, check=True)
    assert b"A4" in info.stdout
    assert b"PDF/A-3" in info.stdout or b"pdfaid:part" in pdf


def test_proofs_are_attached(pdf: bytes, tmp_path: Path) -> None:
    (tmp_path / "c.pdf").write_bytes(pdf)
    subprocess.run(["pdfdetach", "-saveall", "-o", tmp_path, tmp_path / "c.pdf"], check=True)
    saved = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name != "c.pdf"}
    facts = make_facts()
    assert saved == {name.replace("/", "-"): data for name, data in facts.attachments.items()}


def test_qr_code_holds_number_and_digest_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(certificate, "qr_code", lambda text: drawn.append(text) or qr_code(text))
    facts = make_facts()
    make_certificate(facts)
    assert drawn == [f"{facts.number} {facts.envelope_sha256}"]


def test_the_title_is_the_number_as_it_is_written(pdf: bytes) -> None:
    told = subprocess.run(["pdfinfo", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    assert f"存证证书 {make_facts().number}\n" in told


def test_trial_stands_in_the_first_line(text: str) -> None:
    assert "TRIAL" not in text
    trial = dataclasses.replace(ANCHOR, chain_kind="trial")
    pages = read_text(make_certificate(make_facts(anchors=(trial,))), as_laid_out=True).split("\f")[:-1]
    assert all("TRIAL" in page.strip().splitlines()[0] for page in pages)


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("api-key", "持有本服务发给该单位的接口密钥held"),
        ("api-key+previous-key", "并由前一签名密钥签署"),
        ("api-key+operator", "并经本服务运营人员确认"),
        ("视频核验", "视频核验"),
    ],
)
def test_how_the_depositor_was_authenticated_is_said_in_words(word: str, shown: str) -> None:
    how = Authentication(word, "2026-11-20T02:00:00Z", "示例签发方")
    found = joined(read_text(make_certificate(make_facts(authentication=how))))
    assert shown in found
    assert "api-key" not in found


def test_unauthenticated_name_is_a_claim() -> None:
    found = joined(read_text(make_certificate(make_facts(authentication=None))))
    assert "名称为存证人自称，未经认证" in found


@pytest.mark.parametrize(
    ("name", "holder"),
    [("longest", LONGEST), ("rare", "𬭎䶮㛃𠅤机械有限公司"), ("foreign", "Ünïted «Pumps» & Co. — Ltd")],
    ids=["longest", "rare", "foreign"],
)
def test_name_is_shown_whole(name: str, holder: str) -> None:
    pdf = make_certificate(make_facts(holder=holder))
    assert joined(holder) in joined(read_text(pdf))
    assert take_pictures(f"certificate-{name}", pdf)


@pytest.mark.parametrize(
    "holder",
    ["#panic[x] *b* $1$ `r` <a> @b \\ // [", '"]); #read("common.typ")', "<script>alert(1)</script>"],
)
def test_markup_in_a_name_is_text(holder: str) -> None:
    assert joined(holder) in joined(read_text(make_certificate(make_facts(holder=holder))))


@pytest.mark.parametrize(
    ("char", "shown"),
    [
        ("\u202e", "[U+202E]"),
        ("\u200b", "[U+200B]"),
        ("\x1b", "[U+001B]"),
        ("\n", "[U+000A]"),
        ("\u0301", "[U+0301]"),
        ("\U000212fe", "[U+212FE]"),
        ("\U0001f600", "[U+1F600]"),
    ],
)
def test_what_cannot_be_seen_is_named(char: str, shown: str) -> None:
    assert visible(f"甲{char}乙") == f"甲{shown}乙"
    assert f"甲{shown}乙" in joined(read_text(make_certificate(make_facts(holder=f"甲{char}乙"))))


def test_fonts_are_whole() -> None:
    """The characters of names that 通用规范汉字表 took from beyond the basic plane, and the basic ones."""
    assert len(covered()) > 30_000
    assert all(ord(char) in covered() for char in "𬭎𬱖𬍛𬘭𫠊𣗋㛃䶮龘喆")


def test_long_words_may_break() -> None:
    assert "\u200b" in breakable("a" * 60)
    assert breakable("短名.dwg").replace("\u200b", "") == "短名.dwg"
