"""docs/tutorial.md and docs/tutorial-court.md are true: their commands are run as they stand, and what they
show is seen.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mizheng.notary.app import create_app
from mizheng.notary.config import load_settings
from mizheng.notary.database import writing
from mizheng.notary.instance import open_instance
from mizheng.notary.models import organisations
from mizheng.notary.people.members import add_member, invite
from mizheng.notary.people.permissions import Role
from mizheng.notary.service import Service
from mizheng.verifier.canonical import format_instant
from sqlalchemy import select

from tests.docs.walks import play
from tests.notary.people.conftest import ORIGIN, Browser
from tests.support.appclient import AppClient
from tests.support.webverifier import WebVerifier
from tests.tools.layout import ROOT

DOCS = ROOT / "docs"
PORTS = re.compile(r"\b84(?:70|75)\b")
LONGEST_SECONDS = 300
CASE, TERM, COMPANY = "(2026)示01民初1号", "2036-12-31T16:00:00Z", "91350100M000100Y43"
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
    with company_member(bundle.parent / "notary") as member:
        shown = member.get("/disclosures").text
        for text in ("示例司法鉴定所", "鉴定人甲", CASE, "法院委托书第 7 号", "研发主管, 法务主管", TERM):
            assert text in shown
        deposit = report["facts"]["envelope_sha256"]
        assert deposit in member.get("/deposits").text
        page = member.get(f"/deposits/{deposit}").text
        # The time line of custody: handed over, examined, given back.
        for text in (CASE, "鉴定所", "鉴定人甲", "鉴定完毕，交还"):
            assert text in page
        assert "R3.2" not in shown + page and "流道" not in shown + page


@contextmanager
def company_member(data_dir: Path) -> Iterator[Browser]:
    """Somebody of the company, logged in to the notary that the walk left behind."""
    settings = replace(load_settings({"MIZHENG_DATA_DIR": str(data_dir)}), people={"url": ORIGIN})
    instance = open_instance(settings)
    with writing(instance.engine) as connection:
        query = select(organisations.c.id).where(organisations.c.identifier == COMPANY)
        number = connection.execute(query).scalar_one()
        invitation = invite(
            connection, add_member(connection, "经办人", number, frozenset({Role.COMPANY_OPERATOR}))
        )
    browser = Browser(AppClient(create_app(Service(instance)), ORIGIN))
    assert browser.join(invitation).status_code == 303
    yield browser
    instance.engine.dispose()
