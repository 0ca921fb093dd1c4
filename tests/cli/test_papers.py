"""Exhibit list and report as a company and an appraiser get them from the command line."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.backends.openssl import backend
from mizheng.cli.checking import selftest
from mizheng.cli.main import main

from tests.cli.runner import Mizheng
from tests.cli.test_self_test import few
from tests.support import vectors
from tests.support.notary import NotaryServer
from tests.support.pictures import read_text

WORDS = """\
[[exhibits]]
name = "drawings/**"
source = "研发服务器"
pages = "1"

[[exhibits]]
name = "drawings/pump.dwg"
proves = "叶轮间隙"
"""


def joined(text: str) -> str:
    return re.sub(r"\s", "", text)


def read_member(path: Path, name: str) -> bytes | None:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name) if name in archive.namelist() else None


def bundle(company: Mizheng, *arguments: str) -> Path:
    target = company.cwd / "out.zip"
    company(
        "bundle", "drawings.seal", "--open", "drawings/pump.dwg", "-o", "out.zip", "--force", *arguments
    ).ok()
    return target


def hide(folder: Path, module: str) -> str:
    """A PYTHONPATH on which this module cannot be imported."""
    (folder / "hidden").mkdir()
    (folder / "hidden" / f"{module}.py").write_text("raise ImportError('not installed')\n")
    return str(folder / "hidden")


def test_bundle_carries_an_exhibit_list(final: Mizheng) -> None:
    (final.cwd / "words.toml").write_text(WORDS)
    pdf = read_member(bundle(final, "--exhibits", "words.toml", "--for", "示例法院"), "exhibits.pdf")
    assert pdf is not None
    text = joined(read_text(pdf))
    for wanted in ("drawings/pump.dwg", "研发服务器", "叶轮间隙", "示例法院", "试用TRIAL"):
        assert wanted in text
    assert hashlib.sha256((final.cwd / "drawings" / "pump.dwg").read_bytes()).hexdigest() in text


def test_no_list_where_none_is_wanted(final: Mizheng) -> None:
    assert read_member(bundle(final, "--no-exhibits"), "exhibits.pdf") is None


def test_words_about_what_is_closed_are_refused(final: Mizheng) -> None:
    (final.cwd / "words.toml").write_text('[[exhibits]]\nname = "other.dwg"\nproves = "x"\n')
    done = final(
        "bundle", "drawings.seal", "--open", "drawings/pump.dwg", "-o", "new.zip", "--exhibits", "words.toml"
    )
    assert done.code == 66
    assert "nothing that is opened is called other.dwg" in done.err
    assert not (final.cwd / "new.zip").exists()


@pytest.mark.parametrize("text", ["[[exhibits]]\nprove = 'x'\n", "exhibits = 3\n", "not toml"])
def test_words_that_are_no_list_are_refused(final: Mizheng, text: str) -> None:
    (final.cwd / "words.toml").write_text(text)
    done = final("bundle", "drawings.seal", "--open", "drawings/pump.dwg", "--exhibits", "words.toml")
    assert done.code == 65
    assert "words.toml is no list of exhibits" in done.err


def test_a_bundle_is_made_without_the_extra_too(final: Mizheng) -> None:
    path = hide(final.cwd, "typst")
    done = final(
        "bundle", "drawings.seal", "--open", "drawings/pump.dwg", "-o", "bare.zip", PYTHONPATH=path
    ).ok()
    assert "no exhibit list is made" in done.err
    assert "pip install 'mizheng[pdf]'" in done.err
    assert read_member(final.cwd / "bare.zip", "exhibits.pdf") is None


def test_report_is_written(final: Mizheng, notary: NotaryServer) -> None:
    path = bundle(final)
    trust = notary.export_trust(final.cwd / "trust.toml")
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    arguments = ("verify", "out.zip", "drawings", "--trust", trust, "--report", "report.pdf")
    done = final(*arguments, MIZHENG_LANG="zh_CN").ok()
    text = joined(read_text((final.cwd / "report.pdf").read_bytes()))
    for wanted in ("技术核验报告", before, "核验后复算：一致", "--reportreport.pdf", "drawings/pump.dwg"):
        assert wanted in text
    # The result is told on the terminal as well.
    assert "record.inclusion" in done.out
    again = final(*arguments)
    assert again.code == 73
    assert "report.pdf exists" in again.err


def test_report_needs_the_extra(final: Mizheng) -> None:
    bundle(final)
    done = final("verify", "out.zip", "--report", "none.pdf", PYTHONPATH=hide(final.cwd, "typst"))
    assert done.code >= 64
    assert "pip install 'mizheng[pdf]'" in done.err
    assert not (final.cwd / "none.pdf").exists()


def test_the_self_test_is_in_the_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of this very software, in this process; three vectors stand for all."""
    monkeypatch.setattr(selftest, "read_vectors", few)
    target = tmp_path / "report.pdf"
    bundle_path = str(vectors.FOLDER / "sound" / "one-file.zip")
    assert main(["--lang", "en", "verify", bundle_path, "--report", str(target), "--self-test"]) == 2
    text = joined(read_text(target.read_bytes()))
    assert joined("3 of 3 published vectors got the published answer") in text
    assert joined("self-test: PASS 3/3") in text
    # What checked the signatures is the library's own OpenSSL, whatever the interpreter is linked with.
    assert joined(backend.openssl_version_text()) in text
    assert main(["verify", bundle_path, "--self-test"]) == 64
