"""What the documents say of the code is so: tables, settings, codes, tests, routes."""

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from mizheng.notary import config
from mizheng.notary.chain.interface import IdentityState
from mizheng.notary.log.guard import Source
from mizheng.notary.routes import beacon, deposits, health, keys, log, mailbox, organisation
from mizheng.verifier.codes import CODES

from tests.tools.documents import BLOCK, DOCUMENTS, refreshed
from tests.tools.layout import ROOT

DOCS = ROOT / "docs"
OPERATING = DOCS / "operating.md"
VARIABLE = re.compile(r"\bMIZHENG_[A-Z_]+\b")
NAMES = [path.relative_to(ROOT).as_posix() for path in DOCUMENTS]


def read(path: Path) -> str:
    return path.read_text("utf-8")


def sources(*folders: str) -> str:
    return "\n".join(read(path) for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_made_from_the_code_is_up_to_date(name: str) -> None:
    # Mended by: python -m tests.tools.documents
    text = read(ROOT / name)
    assert refreshed(text) == text


@pytest.mark.parametrize("name", NAMES)
def test_every_block_is_closed(name: str) -> None:
    text = read(ROOT / name)
    assert (
        len(re.findall("<!-- begin ", text))
        == len(BLOCK.findall(text))
        == len(re.findall("<!-- end -->", text))
    )


def test_settings_are_those_of_the_code() -> None:
    (table,) = [text for _, name, _, text, _ in BLOCK.findall(read(OPERATING)) if name == "settings"]
    documented = {
        line.split("|")[1].strip(" `"): set(VARIABLE.findall(line)) for line in table.splitlines()[2:]
    }
    known = {name: {variable} for name, variable in config._ENVIRONMENT.items()}
    known |= {"data_dir": {"MIZHENG_DATA_DIR"}, "signer_pin": {"MIZHENG_SIGNER_PIN"}}
    known |= {name: set() for name in config._TABLES}
    assert documented == known
    assert set(config.Settings.__dataclass_fields__) == set(known)


def test_every_environment_variable_is_documented() -> None:
    documented = set(VARIABLE.findall(read(OPERATING) + read(DOCS / "command-line.md")))
    assert documented == set(VARIABLE.findall(sources("verifier", "notary", "cli")))


def test_what_anchoring_waits_for_is_what_the_code_says() -> None:
    text = read(OPERATING)
    section = text[text.index("### What anchoring waits for") :].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    documented = {code for row in rows for code in re.findall(r"`([a-z-]+)`", row)}
    code = sources("notary")
    assert not {word for word in documented if f'"{word}"' not in code}
    raised = set(get_args(IdentityState)) - {"ok"}
    raised |= set(re.findall(r'^    code = "([a-z-]+)"', sources("notary/chain"), re.MULTILINE))
    raised |= set(re.findall(r'RejectedError\(\s*"([a-z-]+)"', code))
    # What a collector waits for stands in the table of its own.
    elsewhere = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    assert raised <= documented | {code for row in elsewhere for code in re.findall(r"`([a-z-]+)`", row)}


def test_when_nothing_is_signed_is_what_the_code_says() -> None:
    section = read(OPERATING).split("### When nothing is signed")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    documented = {state for row in rows for state in re.findall(r"`([a-z-]+)`", row)}
    stated = {f"{kind}-{source}" for kind in ("behind", "forked-from") for source in get_args(Source)}
    assert documented - {"log"} == stated | {"damaged", "key-replaced"}


@pytest.mark.parametrize("name", NAMES)
def test_check_codes_exist(name: str) -> None:
    subjects = "|".join({code.partition(".")[0] for code in CODES})
    named = set(re.findall(rf"`((?:{subjects})\.[a-z0-9-]+)`", read(ROOT / name)))
    # File names, and an event of webhooks, that begin like a code.
    files = {"beacon.json", "platform.dsse", "certificate.pdf", "certificate.issued", "exhibits.pdf"}
    files |= {"disclosure.dsse", "disclosure.event", "disclosure.tlog-proof"}
    assert not named - set(CODES) - files - {"trust.toml", "bundle.zip", "log.vkey"}


@pytest.mark.parametrize("name", NAMES)
def test_tests_that_are_named_exist(name: str) -> None:
    named = re.findall(r"(tests/[\w/]+\.py)::(\w+)", read(ROOT / name))
    missing = [
        f"{path}::{test}"
        for path, test in named
        if not (ROOT / path).exists() or f"def {test}(" not in read(ROOT / path)
    ]
    assert not missing


def slugs(path: Path) -> set[str]:
    """Anchors of a document's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", read(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", NAMES)
def test_links_into_documents_lead_to_a_heading(name: str) -> None:
    path = ROOT / name
    links = re.findall(r"\]\(([^)#\s]*\.md|)#([^)\s]+)\)", read(path))
    missing = {
        (file, anchor) for file, anchor in links if anchor not in slugs(path.parent / file if file else path)
    }
    assert not missing


def test_routes_are_documented() -> None:
    text = read(DOCS / "spec" / "http-api.md")
    routes = {
        route.path
        for room in (beacon, deposits, health, keys, log, mailbox, organisation)
        for route in room.router.routes
        if hasattr(route, "path")
    }
    spelled = {
        "/v1/deposits/{deposit_id}": "/v1/deposits/{id}",
        "/v1/deposits/{deposit_id}/evidence": "/v1/deposits/{id}/evidence",
        "/tile/{path:path}": "/tile/<L>/<N>",
    }
    assert not {path for path in routes if spelled.get(path, path) not in text}


def test_every_decision_is_in_the_index() -> None:
    files = sorted(path.name for path in (DOCS / "decisions").glob("0*.md"))
    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))
    index = read(DOCS / "decisions" / "README.md")
    assert all(f"({name})" in index for name in files)


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {re.split(r"[^\w-]", name)[0] for name in wanted} - {"mizheng"}
    text = read(DOCS / "decisions" / "0012-dependencies.md")
    assert not {
        name for name in names if not re.search(rf"^\|[^|]*\b{re.escape(name)}\b", text, re.MULTILINE)
    }


def test_the_list_of_courts_is_whole() -> None:
    text = read(DOCS / "spec" / "11-court-list.md")
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)] == list(range(1, 24))
