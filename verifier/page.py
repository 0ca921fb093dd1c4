"""verify.html, the second verifier as a page of one file (verifier/web), and the copy for a bundle.

The copy that is put into a bundle differs in one word, by which it says of itself that it came in a bundle:
whoever made the bundle could have changed it. The digests of both are published (`page.digest`).
"""

from __future__ import annotations

import functools
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

_PAGE = Path(__file__).parent / "web" / "verify.html"
_OFFICE, _COPY = b'data-copy="office"', b'data-copy="bundle"'


@functools.cache
def read_page() -> bytes:
    """The page as an office keeps it."""
    return _PAGE.read_bytes()


@functools.cache
def bundle_copy() -> bytes:
    """The page as a member of a bundle."""
    page = read_page()
    if page.count(_OFFICE) != 1:
        raise ValueError("the page does not say whose copy it is")
    return page.replace(_OFFICE, _COPY)


def page_digests() -> tuple[str, str]:
    """Hex SHA-256 of the page and of its copy for bundles."""
    return hashlib.sha256(read_page()).hexdigest(), hashlib.sha256(bundle_copy()).hexdigest()


@dataclass(frozen=True, slots=True)
class PageParts:
    """What of the page another one needs to check bundles in itself.

    The script shows itself in the element of id `mizheng-verify`, of class `mizheng`, in the language of its
    `data-lang`. A trust file that the site pins stands as text in an element of id `mizheng-pinned-trust`,
    which is no script (`<script type="text/plain">`), its name in `data-name`. As a file of its own the
    script starts its workers from its own address; a Content-Security-Policy has to allow
    `'wasm-unsafe-eval'`, and that address as `worker-src`.
    """

    script: str
    style: str


@functools.cache
def page_parts() -> PageParts:
    text = read_page().decode("utf-8")
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    script = re.search(r"<script>(.*)</script>", text, re.DOTALL)
    if not style or not script:
        raise ValueError("the page has no script or no style")
    return PageParts(script[1], style[1])
