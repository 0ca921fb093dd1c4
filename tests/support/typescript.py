"""The second verifier, in TypeScript: built from its lock file into build/, and asked through Node.js."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.tools import ROOT, exclusive, node_path, read_text, run_npm

SOURCE = ROOT / "verifier" / "web" / "consensus"
HOME = ROOT / "build" / "web" / "consensus"
RUNNER = ROOT / "tests" / "tools" / "consensus.mjs"

Question = tuple[bytes, Sequence[Any]]
"""Evidence, and the rows of a trust file's validators."""


@functools.cache
def built() -> Path:
    """The folder of the compiled modules; RuntimeError with the compiler's words if they do not compile."""
    HOME.mkdir(parents=True, exist_ok=True)
    with exclusive(HOME.parent / "consensus.lock"):
        stamp, wanted = HOME / "stamp", _digest()
        if read_text(stamp) != wanted:
            shutil.rmtree(HOME)
            shutil.copytree(SOURCE, HOME)
            run_npm("ci", "--ignore-scripts", cwd=HOME, missing="what the second verifier needs")
            compiler = HOME / "node_modules" / "typescript" / "bin" / "tsc"
            done = subprocess.run(
                [node_path(), compiler], cwd=HOME, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise RuntimeError(done.stdout)
            stamp.write_text(wanted)
    return HOME / "dist"


def ask(questions: Sequence[Question]) -> list[dict[str, Any]]:
    """The second verifier's answers, in one process."""
    lines = "".join(
        json.dumps({"evidence": evidence.hex(), "validators": list(validators)}) + "\n"
        for evidence, validators in questions
    )
    done = subprocess.run(
        [node_path(), RUNNER, built()],
        input=lines,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def _digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(SOURCE.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(SOURCE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
