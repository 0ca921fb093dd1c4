"""The pages of chain profiles: every TOML on them is a profile that the notary takes."""

from __future__ import annotations

import re
import tomllib

import pytest
from mizheng.notary.chain.profiles import ChainProfile, parse_profile
from mizheng.verifier import foreign
from mizheng.verifier.evm.block import KINDS

from tests.tools.layout import ROOT

PAGES = sorted((ROOT / "docs" / "chains").glob("*.md"))
TABLES = [
    (page.name, text)
    for page in PAGES
    for text in re.findall(r"```toml\n(\[chain\].*?)```", page.read_text("utf-8"), re.DOTALL)
]


def load(text: str) -> ChainProfile:
    return parse_profile(tomllib.loads(text)["chain"])


@pytest.mark.parametrize(("page", "text"), TABLES)
def test_every_profile_on_a_page_is_one(page: str, text: str) -> None:
    profile = load(text)
    assert profile.rpc
    assert len(text.splitlines()) <= 10, f"{page}: a profile is a few lines"


def test_there_is_a_page_for_each_kind_of_final_and_of_fee() -> None:
    profiles = [load(text) for _, text in TABLES]
    rules = {profile.finality.rule.partition(":")[0] for profile in profiles}
    assert rules == {"finalized", "instant", "confirmations"}
    assert {profile.fee_rule.kind for profile in profiles} == {"dynamic", "legacy", "free"}
    kinds = {profile.kind for profile in profiles}
    assert {"ethereum", "clique", "qbft", *foreign.KINDS} <= kinds <= {*KINDS, *foreign.KINDS}


def test_the_page_says_that_no_real_fisco_node_was_tried() -> None:
    text = (ROOT / "docs" / "chains" / "fisco-bcos.md").read_text("utf-8")
    assert "No real node was tried." in text
