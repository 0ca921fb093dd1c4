"""Who may import whom: verifier and contracts at the bottom, notary and cli side by side above them."""

import subprocess
import sys

import pytest

from tests.architecture.syntax import close, find_circles, find_modules, read_graph
from tests.tools.layout import ROOT

# Top-level names each room may import, itself and the standard library aside.
ALLOWED = {
    # What a court has to trust: these and nothing that talks to a network or a database. The last is asked
    # first where it is installed, and never has the last word.
    "verifier": {"cryptography", "Crypto", "nacl"},
    # The compiler's wrapper, for building only.
    "contracts": {"solcx"},
    "cli": {
        *("mizheng.verifier", "click", "cryptography", "httpx", "keyring", "pathspec", "pyrage"),
        # The extras `objects`, `ipfs` and `dask`.
        *("botocore", "s3fs", "ipfshttpclient", "distributed"),
    },
}
# What must not be reached even through others.
FORBIDDEN = {
    "verifier": {
        *("mizheng.contracts", "mizheng.notary", "mizheng.cli", "web3", "fastapi", "sqlalchemy"),
        *("httpx", "pydantic"),
    },
    "contracts": {"mizheng.verifier", "mizheng.notary", "mizheng.cli"},
    "notary": {"mizheng.cli"},
    "cli": {"mizheng.notary", "mizheng.contracts", "web3", "fastapi", "sqlalchemy", "pydantic"},
}
# Refuses the heavy imports, then says which of the modules it was told to import are there.
IMPORT_WITHOUT = """
import importlib, sys
modules, forbidden = (argument.split(",") for argument in sys.argv[1:3])
class Forbid:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in forbidden:
            raise ImportError("forbidden here: " + name)
sys.meta_path.insert(0, Forbid())
for module in modules:
    importlib.import_module(module)
"""
# The extra `pdf`: the papers themselves import without it, and say so when one is to be made.
PAPER = {"typst", "segno", "pylopdf_fonts_zh_cn", "pyhanko"}
HEAVY = {"web3", "fastapi", "sqlalchemy", "eth_tester", "eth_account", "starlette", "alembic", "pydantic"}


def shorten(name: str) -> str:
    """A module of ours by its room, another by its top-level name."""
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] == "mizheng" else parts[0]


@pytest.mark.parametrize("room", ALLOWED)
def test_room_imports_only_what_its_list_names(room: str) -> None:
    graph = read_graph()
    own = f"mizheng.{room}"
    strangers = {
        f"{name} imports {other}"
        for name, imported in graph.items()
        if shorten(name) == own
        for other in imported
        if shorten(other) not in {own, *ALLOWED[room]} and shorten(other) not in sys.stdlib_module_names
    }
    assert not strangers


@pytest.mark.parametrize("room", FORBIDDEN)
def test_room_reaches_nothing_forbidden_through_others(room: str) -> None:
    graph = read_graph()
    faults = set()
    for name in graph:
        if shorten(name) == f"mizheng.{room}":
            reached = close(graph, name)
            faults |= {
                f"{name} reaches {other} through {by}"
                for other, by in reached.items()
                if shorten(other) in FORBIDDEN[room]
            }
    assert not faults


def test_no_circles() -> None:
    assert find_circles(read_graph()) == []


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [("verifier", HEAVY | PAPER | {"httpx", "click", "keyring"}), ("cli", HEAVY | PAPER)],
    ids=["verifier", "cli"],
)
def test_room_imports_with_the_rest_missing(room: str, forbidden: set[str]) -> None:
    modules = [
        name for name in find_modules() if shorten(name) == f"mizheng.{room}" and "__main__" not in name
    ]
    command = [sys.executable, "-c", IMPORT_WITHOUT, ",".join(modules), ",".join(sorted(forbidden))]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
