"""The Python interface beyond sealing and depositing: for a court, and for what comes later."""

from __future__ import annotations

import subprocess
import sys

from mizheng.cli import api

from tests.cli.runner import Mizheng
from tests.docs.test_python import program


def test_a_bundle_for_a_court_and_what_came_later(final: Mizheng) -> None:
    """The page's third program, and the rest of the interface, on a deposit that is final."""
    (final.cwd / "deed.txt").write_text("the deed")
    arguments = ["drawings.seal", "drawings/pump.dwg", "示例法院", "(2026)示01民初1号"]
    done = subprocess.run(
        [sys.executable, "-c", program("A PLM that answers a court"), *arguments],
        cwd=final.cwd,
        env=final.variables(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    first, second = done.stdout.splitlines()
    assert first == "pump.dwg.zip final"
    assert second.endswith("示例法院 environment drawings/pump.dwg")
    report = api.verify(final.cwd / "pump.dwg.zip", None)
    assert not [check for check in report.checks if check.status == "FAIL"]
    script = (
        "from mizheng.cli.api import supplement\n"
        "made = supplement('drawings.seal', ['deed.txt'], type='notarization', title='Deed')\n"
        "print(made.number, made.seal.name, made.deposit.leaf_index > 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=final.cwd,
        env=final.variables(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("1 drawings.supplement-1.seal True\n", "")
