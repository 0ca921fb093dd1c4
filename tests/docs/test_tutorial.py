"""docs/tutorial.md and docs/tutorial-court.md are true: their commands are run as they stand, and what they
show is seen.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from mizheng.verifier.canonical import format_instant

from tests.docs.walks import play
from tests.support.webverifier import WebVerifier
from tests.tools.layout import ROOT

DOCS = ROOT / "docs"
PORTS = re.compile(r"\b84(?:70|75)\b")
LONGEST_SECONDS = 300
CUSTODY = ("custody.chain", "custody.signatures", "custody.log")


def test_the_year(tmp_path: Path) -> None:
    play((DOCS / "tutorial.md").read_text("utf-8"), PORTS, tmp_path, seconds=LONGEST_SECONDS, least=20)


def test_the_court(tmp_path: Path) -> None:
    page = (DOCS / "tutorial-court.md").read_text("utf-8")
    play(page, PORTS, tmp_path, seconds=LONGEST_SECONDS, least=12)
    (bundle,) = tmp_path.rglob("结案.zip")
    (trust,) = bundle.parent.glob("trust.toml")
    assert bundle.with_name("鉴定报告.pdf").read_bytes().startswith(b"%PDF")
    with WebVerifier() as second:
        now = format_instant(int(time.time()))
        report = second.verify(bundle.read_bytes(), trust.read_bytes(), now=now)
    found = {check["code"]: check["status"] for check in report["checks"]}
    assert {code: found[code] for code in CUSTODY} == dict.fromkeys(CUSTODY, "PASS")
    assert report["verdict"] == "valid"
