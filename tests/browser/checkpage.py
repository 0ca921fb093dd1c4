"""verify.html as a person uses it: lay files on it, press the button, read the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mizheng.verifier.canonical import format_instant
from playwright.sync_api import Browser, FilePayload

from tests.support.browser import Visit, visit
from tests.support.webbuild import PAGE
from tests.tools.layout import ROOT

EXAMPLES = ROOT / "docs" / "spec" / "examples"
BUNDLE, TRUST = EXAMPLES / "bundle.zip", EXAMPLES / "trust.toml"
ORIGINAL = EXAMPLES / "bundle" / "originals" / "0002"
CHECKED_AT = json.loads((EXAMPLES / "values.json").read_text("utf-8"))["checked_at"]

Given = Path | FilePayload


@contextmanager
def check_page(browser: Browser, page: Path = PAGE, **options: Any) -> Iterator[Visit]:
    """The page, with the clock at the time for which the example was made. It must have asked for nothing."""
    with visit(browser, page.as_uri(), **options) as found:
        found.page.clock.set_fixed_time(format_instant(CHECKED_AT))
        yield found
        assert found.requests == []
        assert found.complaints == []


def lay(found: Visit, sort: str, *files: Given) -> None:
    """Put files into a box: bundle, trust or originals."""
    given: Any = files
    found.page.set_input_files(f"#mizheng-file-{sort}", given)


def payload(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def check(found: Visit) -> str:
    """Press the button; the verdict, or what stands in its place where the check could not be made."""
    found.page.click("#mizheng-check")
    found.page.wait_for_selector(".verdict, .trouble")
    verdict = found.page.query_selector(".verdict h2")
    return verdict.inner_text() if verdict else found.page.inner_text(".trouble")


def check_files(found: Visit, bundle: Given, trust: Given | None = TRUST, *originals: Given) -> str:
    lay(found, "bundle", bundle)
    if trust is not None:
        lay(found, "trust", trust)
    if originals:
        lay(found, "originals", *originals)
    return check(found)
