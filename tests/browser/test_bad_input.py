"""What people drop on verify.html by mistake, and what stands in names: clear words, no crash, no request."""

import io
import zipfile
import zlib
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.checkpage import BUNDLE, TRUST, Given, check, check_files, check_page, lay, payload
from tests.support import vectors
from tests.support.zips import Member, build_zip

BYTES = BUNDLE.read_bytes()
TROUBLE = "信任文件不能使用"


def bomb() -> bytes:
    """A ZIP with a record that unpacks to more than any member may have, and says so."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        with zipfile.ZipFile(BUNDLE) as bundle:
            archive.writestr("bundle.dsse.json", bundle.read("bundle.dsse.json"))
            archive.writestr("statement.dsse.json", bundle.read("statement.dsse.json"))
        with archive.open("records/0001.json", "w", force_zip64=True) as member:
            for _ in range(65):
                member.write(bytes(1 << 20))
    return target.getvalue()


def lying_bomb() -> bytes:
    """A member that says 100 bytes and unpacks to a hundred million."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packed.compress(bytes(100_000_000)) + packed.flush()
    with zipfile.ZipFile(BUNDLE) as bundle:
        members = [Member(name, bundle.read(name)) for name in bundle.namelist()]
    victim = next(member for member in members if member.name == "README.txt")
    victim.method, victim.raw, victim.data = 8, data, bytes(100)
    return build_zip(members)


WRONG = {
    "empty": (payload("bundle.zip", b""), "文件为空"),
    "PDF": (payload("certificate.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), "这是 PDF 文件"),
    "HTML": (payload("verify.html", b"<!doctype html><title>x</title>"), "这不是 ZIP 文件"),
    "trust file": (payload("bundle.zip", TRUST.read_bytes()), "这不是证据包"),
    "half a bundle": (payload("bundle.zip", BYTES[: len(BYTES) // 2]), "不是 ZIP 文件，或文件不完整"),
    "another ZIP": (payload("photos.zip", build_zip([Member("photo.jpg", b"x")])), "证据包"),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_wrong_file(browser: Browser, name: str) -> None:
    file, words = WRONG[name]
    with check_page(browser) as found:
        assert check_files(found, file).startswith("无效")
        assert words in found.page.inner_text(".report")


@pytest.mark.parametrize("size", [1000, 9 << 20], ids=["on this thread", "in workers"])
def test_a_file_that_changes_after_it_was_chosen(browser: Browser, tmp_path: Path, size: int) -> None:
    original = tmp_path / "original.bin"
    original.write_bytes(bytes(size))
    with check_page(browser) as found:
        lay(found, "bundle", BUNDLE)
        lay(found, "originals", original)
        original.write_bytes(bytes(size + 1))
        assert check(found).startswith("有文件无法读取")


@pytest.mark.parametrize("make", [bomb, lying_bomb])
def test_a_bomb_is_not_unpacked(browser: Browser, make: object) -> None:
    with check_page(browser) as found:
        assert check_files(found, payload("bundle.zip", make())).startswith("无效")  # type: ignore[operator]


def test_a_later_version_is_left_open(browser: Browser) -> None:
    vector = vectors.read("version/later-bundle-with-new-names")
    with check_page(browser) as found:
        verdict = check_files(found, payload("bundle.zip", vector.bundle))
        assert verdict.startswith("无法确定")
        assert "bundle.v" in found.page.inner_text(".report")


@pytest.mark.parametrize(
    "trust", [b"", b"\xff\xfe", b"format = 1", b"[[logs]", b'format = "mizheng/trust/v2"']
)
def test_a_trust_file_that_cannot_be_used(browser: Browser, trust: bytes) -> None:
    with check_page(browser) as found:
        assert check_files(found, BUNDLE, payload("trust.toml", trust)).startswith(TROUBLE)
        assert found.page.query_selector(".verdict") is None


NAMES = [
    "<img src=x onerror=document.title='owned'>.zip",
    '"><script>document.title="owned"</script>.zip',
    "\u202egpj.exe.zip",
    "a\u0000b\u0007\u200b\u2066.zip",
    "名" * 200 + ".zip",
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_names_are_only_ever_text(browser: Browser, name: str) -> None:
    original: Given = payload(name, b"other")
    with check_page(browser) as found:
        check_files(found, payload(name, BYTES), TRUST, original)
        assert found.page.title() != "owned"
        assert found.page.query_selector("#mizheng-verify img, #mizheng-verify script") is None
        text = found.page.inner_text("body")
        assert not {"\u202e", "\u2066", "\u200b", "\u0007"} & set(text)
        assert not found.is_too_wide()
