"""Compile the contracts: `python -m contracts.build`, or `--check` to compare with what is committed.

The compiler is the one named by --solc or MIZHENG_SOLC (anything that answers --version and --standard-json
as solc does), and has to be exactly the version below: evidence compares the code's hash.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import solcx
from solcx.exceptions import SolcError
from solcx.wrapper import get_solc_version

from .artifact import ARTIFACT
from .keccak import keccak256

SOURCES = Path(__file__).parent / "src"
CONTRACT = "MizhengAnchor"
COMPILER = "0.8.37+commit.f401782d"
SETTINGS: dict[str, Any] = {
    # The same code comes out for every version from Istanbul to Paris, and costs 25 gas of 72,000 more than
    # for later ones. So it also runs on private chains that never took up PUSH0.
    "evmVersion": "paris",
    "viaIR": True,
    # Deployed once on a chain, called for years: the price of a call counts, not the size of the code.
    "optimizer": {"enabled": True, "runs": 1_000_000},
    # Nothing of the metadata (source digests, compiler build) in the code: it depends on the program alone.
    "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
}
OUTPUTS = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "storageLayout"]


class BuildError(RuntimeError):
    """The contracts cannot be compiled. One line: why."""


def compile_sources(sources: Mapping[str, str], solc: Path) -> dict[str, dict[str, Any]]:
    """Compile source texts by file name; answers the compiler's output by contract name.

    Warnings are errors here.
    """
    request = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sorted(sources.items())},
        "settings": {**SETTINGS, "outputSelection": {"*": {"*": OUTPUTS}}},
    }
    try:
        version = str(get_solc_version(solc, with_commit_hash=True))
        if version != COMPILER:
            raise BuildError(f"the compiler is {version}, the contracts are built with {COMPILER}")
        answer = solcx.compile_standard(request, solc_binary=solc)
    except (SolcError, OSError) as error:
        raise BuildError(str(error)) from error
    for finding in answer.get("errors", []):
        raise BuildError(finding["formattedMessage"])
    return {name: unit for file in answer["contracts"].values() for name, unit in file.items()}


def build(solc: Path) -> dict[str, Any]:
    """The artifact, as JSON values."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(SOURCES.glob("*.sol"))}
    unit = compile_sources(texts, solc)[CONTRACT]
    abi, code = unit["abi"], unit["evm"]["deployedBytecode"]["object"]
    return {
        "contract": CONTRACT,
        "compiler": {"version": COMPILER, "settings": SETTINGS},
        "sources": {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()},
        "codeHash": _hex(keccak256(bytes.fromhex(code))),
        "events": {_signature(e): _hex(_keccak(e)) for e in abi if e["type"] == "event"},
        "functions": {_signature(e): _hex(_keccak(e)[:4]) for e in abi if e["type"] == "function"},
        "errors": {_signature(e): _hex(_keccak(e)[:4]) for e in abi if e["type"] == "error"},
        "storageLayout": _storage_layout(unit["storageLayout"]),
        "abi": abi,
        "bytecode": "0x" + unit["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + code,
    }


def dump(artifact: Mapping[str, Any]) -> str:
    """The artifact file's text."""
    return json.dumps(artifact, indent=1, ensure_ascii=False) + "\n"


def _storage_layout(layout: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The compiler's layout without its internal type names, which change with every edit of a source."""

    def variables(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [
            {
                "slot": int(v["slot"]),
                "offset": v["offset"],
                "label": v["label"],
                "type": layout["types"][v["type"]]["label"],
            }
            for v in found
        ]

    structs = [
        {"struct": kind["label"], "members": variables(kind["members"])}
        for kind in layout["types"].values()
        if "members" in kind
    ]
    return variables(layout["storage"]) + structs


def _signature(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']}({','.join(i['type'] for i in entry['inputs'])})"


def _keccak(entry: Mapping[str, Any]) -> bytes:
    return keccak256(_signature(entry).encode())


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m contracts.build", description="compile the contracts")
    parser.add_argument("--solc", type=Path, default=os.environ.get("MIZHENG_SOLC"), help="the compiler")
    parser.add_argument(
        "--check", action="store_true", help="compare with the committed artifact, write nothing"
    )
    options = parser.parse_args(arguments)
    try:
        if options.solc is None:
            raise BuildError(f"name a compiler, version {COMPILER}, with --solc or MIZHENG_SOLC")
        text = dump(build(Path(options.solc)))
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if not options.check:
        ARTIFACT.parent.mkdir(exist_ok=True)
        ARTIFACT.write_text(text, encoding="utf-8")
    elif not ARTIFACT.exists() or ARTIFACT.read_text(encoding="utf-8") != text:
        print(f"error: {ARTIFACT.name} is not what its sources compile to", file=sys.stderr)
        print("hint: run python -m contracts.build and commit the artifact", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
