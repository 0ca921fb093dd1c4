"""Debian's Chromium, driven by Playwright: pages opened from disk, and what they asked the network for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.pictures import PICTURES
from tests.support.tools import axe_path

FOLDER = PICTURES / "browser"
# What a page of one file may load: itself, and scripts for its workers that it made itself.
_OWN = ("file:", "blob:", "data:")


@contextmanager
def start_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Tests may run as root, where Chromium has no sandbox.
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page in a window of its own."""

    page: Page
    requests: list[str] = field(default_factory=list)
    """Everything it asked for that is not its own."""
    complaints: list[str] = field(default_factory=list)
    """Errors in its script and in its console."""

    def picture(self, name: str, *, whole: bool = True) -> Path:
        FOLDER.mkdir(parents=True, exist_ok=True)
        path = FOLDER / f"{name}.png"
        self.page.screenshot(path=path, full_page=whole)
        return path

    def judge_accessibility(self) -> list[str]:
        """The serious and critical violations that axe-core finds, as `rule: element`."""
        self.page.evaluate(axe_path().read_text("utf-8"))
        found = self.page.evaluate("axe.run()")
        return [
            f"{rule['id']}: {node['html'][:200]}"
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ]

    def is_too_wide(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@contextmanager
def visit(browser: Browser, address: str, **options: Any) -> Iterator[Visit]:
    """Open an address in a new window; `options` are those of Playwright's new_context."""
    context = browser.new_context(**{"locale": "zh-CN", **options})
    page = context.new_page()
    found = Visit(page)
    page.on("request", lambda it: None if it.url.startswith(_OWN) else found.requests.append(it.url))
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.on("console", lambda line: found.complaints.append(line.text) if line.type == "error" else None)
    page.goto(address)
    yield found
    context.close()
