"""verify.html, opened from disk in Chromium: the whole job, in both languages, with mouse and keyboard."""

import base64
import hashlib
from hashlib import sha256
from pathlib import Path

import pytest
from mizheng.verifier.page import bundle_copy, page_parts
from playwright.sync_api import Browser, FileChooser, Page, TimeoutError

from tests.browser.checkpage import BUNDLE, ORIGINAL, TRUST, check, check_files, check_page, lay, payload
from tests.support.browser import visit
from tests.support.scale import scaled
from tests.support.webbuild import PAGE


def test_the_example(browser: Browser) -> None:
    with check_page(browser) as found:
        assert check_files(found, BUNDLE, TRUST, ORIGINAL) == "有效 VALID"
        text = found.page.inner_text("body")
        assert "TRIAL" in found.page.inner_text(".verdict")
        assert "与封存时的文件逐字节相同。" in text
        assert sha256(ORIGINAL.read_bytes()).hexdigest() in text
        # What it was judged with, to be compared on paper.
        assert sha256(TRUST.read_bytes()).hexdigest() in text
        assert sha256(BUNDLE.read_bytes()).hexdigest() in text
        assert "2026-11-23 10:02:02 UTC+8 (2026-11-23T02:02:02Z)" in text


def test_the_custody_is_a_line_of_time(browser: Browser) -> None:
    with check_page(browser, locale="en") as found:
        check_files(found, BUNDLE)
        items = found.page.locator(".custody > li").all_inner_texts()
    assert ["new seal number" in items[0], "hand-over" in items[1]] == [True, True]
    assert "→ 书记员乙 · 示例市中级人民法院 [key of 示例市中级人民法院]" in items[1].splitlines()


def test_in_english(browser: Browser) -> None:
    with check_page(browser, locale="en-GB") as found:
        assert check_files(found, BUNDLE) == "VALID"
        found.page.click("#mizheng-language")
        assert found.page.inner_text(".verdict h2") == "有效 VALID"
        assert found.page.get_attribute("html", "lang") == "zh-CN"


def test_without_a_trust_file_it_stays_open(browser: Browser) -> None:
    with check_page(browser) as found:
        assert check_files(found, BUNDLE, None).startswith("无法确定")


def test_another_file_is_not_the_one(browser: Browser) -> None:
    with check_page(browser) as found:
        assert check_files(found, BUNDLE, TRUST, payload("other.dwg", b"other")).startswith("无效")
        assert "这不是当时封存的文件；这并不说明证据本身有问题。" in found.page.inner_text(".originals")


def choose_by_space(page: Page) -> FileChooser:
    """On a busy machine Chromium was seen to let a press go by; whoever sits there presses again."""
    for _ in range(3):
        try:
            with page.expect_file_chooser(timeout=8_000) as chooser:
                page.keyboard.press("Space")
            return chooser.value
        except TimeoutError:
            continue
    raise AssertionError("Space opens no file chooser")


def test_by_keyboard_alone(browser: Browser) -> None:
    with check_page(browser) as found:
        page = found.page
        names = []
        for name, file in (("bundle", BUNDLE), ("trust", TRUST)):
            while page.evaluate("document.activeElement.id") != f"mizheng-file-{name}":
                page.keyboard.press("Tab")
                names.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
                assert len(names) < 20, names
            choose_by_space(page).set_files(file)
            # Where the hands are, they stay.
            assert page.evaluate("document.activeElement.id") == f"mizheng-file-{name}"
        while page.evaluate("document.activeElement.id") != "mizheng-check":
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector(".verdict")
        # A screen reader goes on at the answer.
        assert page.evaluate("document.activeElement.classList.contains('verdict')")


def test_files_dropped_anywhere_find_their_place(browser: Browser) -> None:
    with check_page(browser) as found:
        files = [(path.name, list(path.read_bytes())) for path in (ORIGINAL, TRUST, BUNDLE)]
        found.page.evaluate(
            """(files) => {
                const transfer = new DataTransfer();
                for (const [name, data] of files) transfer.items.add(new File([new Uint8Array(data)], name));
                document.dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, cancelable: true}));
            }""",
            files,
        )
        found.page.wait_for_selector("#mizheng-check:enabled")
        assert [row.inner_text() for row in found.page.query_selector_all(".files .name")] == [
            "bundle.zip",
            "trust.toml",
            "0002",
        ]
        assert check(found) == "有效 VALID"


def name(script: str) -> str:
    """By which the page's policy allows it."""
    return base64.b64encode(sha256(script.encode()).digest()).decode()


def without_byte_streams(folder: Path) -> Path:
    """The page as it runs in Chromium 109, where a file's stream takes no memory to read into."""
    page = PAGE.read_text("utf-8")
    asked, other = '{mode:"byob"}', '{mode:"none"}'
    assert page.count(asked) == 1
    script = page.partition("<script>")[2].partition("</script>")[0]
    path = folder / "verify.html"
    changed = page.replace(asked, other).replace(name(script), name(script.replace(asked, other)))
    path.write_text(changed, "utf-8")
    return path


@pytest.mark.parametrize("has_byte_streams", [True, False], ids=["byte streams", "plain streams"])
@pytest.mark.parametrize("script", ["", "delete window.Worker"], ids=["two workers", "one thread"])
def test_a_large_original_is_read_in_pieces(
    browser: Browser, tmp_path: Path, script: str, has_byte_streams: bool
) -> None:
    """Both digests are those of hashlib. By two workers larger than memory with MIZHENG_SOAK=1."""
    path = tmp_path / "large.bin"
    is_long_form = not script and has_byte_streams
    digests = {"sha256": sha256(), "sm3": hashlib.new("sm3")}
    with path.open("wb") as file:
        for number in range(scaled(24, 5_000) if is_long_form else 24):
            piece = sha256(number.to_bytes(4, "big")).digest() * 32_768
            file.write(piece)
            for digest in digests.values():
                digest.update(piece)
    with check_page(browser, PAGE if has_byte_streams else without_byte_streams(tmp_path)) as found:
        found.page.set_default_timeout(scaled(60_000, 600_000))
        found.page.evaluate(script)
        assert check_files(found, BUNDLE, TRUST, path).startswith("无效")
        text = found.page.inner_text(".originals")
        assert all(digest.hexdigest() in text for digest in digests.values())


def test_the_copy_in_a_bundle_says_so(browser: Browser, tmp_path: Path) -> None:
    copy = tmp_path / "verify.html"
    copy.write_bytes(bundle_copy())
    with check_page(browser, copy) as found:
        assert "本页面随证据包而来。" in found.page.inner_text(".warning")
    with check_page(browser) as found:
        assert found.page.query_selector(".warning") is None


def test_a_site_pins_its_trust_file(browser: Browser, tmp_path: Path) -> None:
    """The same script in another page, which names whom to believe."""
    parts = page_parts()
    (tmp_path / "verify.js").write_text(parts.script, "utf-8")
    site = tmp_path / "site.html"
    site.write_text(
        f"""<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>site</title>
        <style>{parts.style}</style>
        <script type="text/plain" id="mizheng-pinned-trust" data-name="示例法院">{TRUST.read_text()}</script>
        <main><h1>site</h1><div id="mizheng-verify" class="mizheng" data-lang="zh-CN"></div></main>
        <script src="verify.js"></script></html>""",
        "utf-8",
    )
    with check_page(browser, site) as found:
        assert "由本网站固定：示例法院" in found.page.inner_text("body")
        lay(found, "bundle", BUNDLE)
        assert check(found) == "有效 VALID"


@pytest.mark.parametrize(
    ("width", "scheme"), [(360, "light"), (768, "light"), (1440, "light"), (1440, "dark")]
)
def test_looks_and_accessibility(browser: Browser, width: int, scheme: str) -> None:
    size = {"width": width, "height": 900}
    with check_page(browser, viewport=size, color_scheme=scheme) as found:
        for stage in ("start", "done"):
            if stage == "done":
                originals = payload("0002", ORIGINAL.read_bytes()), payload("other.dwg", b"other")
                check_files(found, BUNDLE, TRUST, *originals)
                found.page.evaluate(
                    "document.querySelectorAll('details').forEach((it) => { it.open = true; })"
                )
            found.picture(f"verify-{width}-{scheme}-{stage}")
            assert not found.is_too_wide()
            # The same elements at every width: judged where they are smallest, and in the other colours.
            if (width, scheme) in ((360, "light"), (1440, "dark")):
                assert found.judge_accessibility() == []


def test_printed(browser: Browser) -> None:
    with check_page(browser) as found:
        check_files(found, BUNDLE, TRUST, ORIGINAL)
        found.page.emulate_media(media="print")
        assert not found.page.is_visible(".files-form")
        found.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert found.page.query_selector("details.group:not([open])") is None
        found.picture("verify-print")


def test_the_network_is_closed(browser: Browser) -> None:
    """Not for want of trying: what a script in the page asks for is refused by the page's own policy."""
    with visit(browser, PAGE.as_uri()) as found:
        refused = found.page.evaluate(
            "fetch('http://127.0.0.1:9/').then(() => 'let through', (error) => error.name)"
        )
        assert refused == "TypeError"
        assert found.requests == []
        assert any("Content Security Policy" in line for line in found.complaints)
