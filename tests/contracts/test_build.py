"""The committed artifact is what the sources compile to, and says of itself what is so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mizheng.contracts import build
from mizheng.contracts.artifact import ARTIFACT, load_artifact
from mizheng.contracts.keccak import keccak256
from mizheng.verifier.evm import keccak as verifier_keccak

from tests.contracts.anchor_contract import AnchorContract
from tests.support.tools import ROOT


def test_the_artifact_is_what_the_sources_compile_to(solc: Path) -> None:
    rebuilt = build.build(solc)
    committed = json.loads(ARTIFACT.read_text(encoding="utf-8"))
    for field in ("bytecode", "deployedBytecode", "codeHash", "storageLayout", "abi"):
        assert rebuilt[field] == committed[field], field
    assert build.dump(rebuilt) == ARTIFACT.read_text(encoding="utf-8")


def test_the_build_command(solc: Path, tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if k != "MIZHENG_SOLC"}
        command = [sys.executable, "-m", "contracts.build", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert run("--check", "--solc", str(solc)).returncode == 0
    without = run("--check")
    assert without.returncode == 1
    assert without.stderr.startswith("error: name a compiler")
    other = tmp_path / "solc"
    other.write_text("#!/bin/sh\necho 'Version: 0.8.30+commit.73712a01'\n")
    other.chmod(0o755)
    wrong = run("--check", "--solc", str(other))
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("error: the compiler is 0.8.30")


def test_an_error_in_a_source_is_told(solc: Path) -> None:
    with pytest.raises(build.BuildError, match=r"Bad\.sol"):
        build.compile_sources({"Bad.sol": "contract Bad { function f() public { nothing(); } }"}, solc)


def test_the_deployed_code_is_the_artifacts(contract: AnchorContract) -> None:
    code = contract.chain.code_at(contract.address)
    assert code == load_artifact().deployed_bytecode
    assert verifier_keccak.keccak256(code) == load_artifact().code_hash


def test_names_and_selectors_are_those_of_the_signatures() -> None:
    raw = json.loads(ARTIFACT.read_text(encoding="utf-8"))
    for signature, topic in raw["events"].items():
        assert topic == "0x" + verifier_keccak.keccak256(signature.encode()).hex()
    for signature, selector in {**raw["functions"], **raw["errors"]}.items():
        assert selector == "0x" + verifier_keccak.keccak256(signature.encode())[:4].hex()
    assert "Anchored(bytes32,uint64,bytes32)" in raw["events"]


def test_roots_are_the_first_variable() -> None:
    raw = json.loads(ARTIFACT.read_text(encoding="utf-8"))
    assert raw["storageLayout"][0] == {
        "slot": 0,
        "offset": 0,
        "label": "_roots",
        "type": "mapping(bytes32 => mapping(uint64 => bytes32))",
    }


@pytest.mark.parametrize("length", [0, 1, 135, 136, 137, 271, 272, 2717])
def test_the_builds_keccak_is_the_verifiers(length: int) -> None:
    data = bytes(i % 251 for i in range(length))
    assert keccak256(data) == verifier_keccak.keccak256(data)
