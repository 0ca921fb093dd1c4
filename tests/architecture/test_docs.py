"""Documents do not go stale: what they link to is there, and what they tell to run exists."""

import re
from pathlib import Path

import pytest

from tests.architecture.test_files import list_files
from tests.tools.layout import ROOT

# [text](target): the target up to a title or an anchor.
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s#]+)[^)]*\)")
# A word in backticks that is a path of this project: it has a folder, and an ending or a slash at the end.
PATH = re.compile(r"`((?:verifier|contracts|notary|cli|tests|docs)/[\w./-]*)`")
COMMAND = re.compile(r"(?:^ {4}|`|\$ )make ([a-z-]+)", re.MULTILINE)
DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in list_files() if path.suffix == ".md")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    folder = (ROOT / name).parent
    missing = {target for target in LINK.findall(text) if not (folder / target).exists()}
    missing |= {path for path in PATH.findall(text) if not (ROOT / path).exists()}
    assert not missing


@pytest.mark.parametrize("name", DOCUMENTS)
def test_targets_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", Path(ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert not set(COMMAND.findall((ROOT / name).read_text("utf-8"))) - targets
