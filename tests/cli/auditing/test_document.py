"""docs/auditing.md against the command: options, findings, and the check of evidence that it prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
from mizheng.cli.commands.audit import audit

from tests.cli.runner import Mizheng
from tests.support.staticlog import StaticLog
from tests.tools.layout import ROOT

TEXT = (ROOT / "docs" / "auditing.md").read_text("utf-8")


def test_options_are_those_of_the_command() -> None:
    table = TEXT[TEXT.index("| option | what |") : TEXT.index("**The key never")]
    documented = set(re.findall(r"^\| `(--[a-z]+)`", table, re.MULTILINE))
    context = click.Context(audit)
    assert documented == {
        name for option in audit.get_params(context) for name in option.opts if name.startswith("--")
    } - {"--help"}


def test_findings_are_those_of_the_code() -> None:
    table = TEXT[TEXT.index("| finding | what |") : TEXT.index("## Every hour")]
    documented = set(re.findall(r"^\| `([a-z-]+)`", table, re.MULTILINE))
    code = "".join(path.read_text("utf-8") for path in sorted((ROOT / "cli" / "auditing").glob("*.py")))
    assert documented == set(re.findall(r'MisbehaviourFault\(\s*"([a-z-]+)"', code))


def test_the_check_of_evidence_works(bare: Mizheng, tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    log = StaticLog(tmp_path / "log").grow(300)
    state = tmp_path / "state.json"
    bare("audit", str(log.folder), "--key", log.vkey, "--since", state).ok()
    for size in (300, 400):
        fork = StaticLog(tmp_path / f"fork{size}", log.signer).grow(20).grow(size, b"other")
        assert bare("audit", str(fork.folder), "--since", state).code == 1
    found = list(tmp_path.glob("state-equivocation-*.json"))
    assert len(found) == 2
    for path in found:
        command = [sys.executable, "-c", program, log.vkey, str(path)]
        assert subprocess.check_output(command, text=True) == "equivocation\n"
