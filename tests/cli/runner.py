"""Runs the real command in a process of its own, in a home of its own."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import prepared

SECONDS = 120


@dataclass(frozen=True, slots=True)
class Result:
    """What a run left behind; text with undecodable bytes as surrogates."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def ok(self) -> Result:
        assert self.code == 0, f"exit code {self.code}\n{self.out}{self.err}"
        return self


@dataclass(frozen=True, slots=True)
class Mizheng:
    """`mizheng` with its own MIZHENG_HOME and working directory; nothing of the caller's settings."""

    home: Path
    cwd: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(
        self, *arguments: str | bytes | Path, stdin: str | None = None, **environment: str
    ) -> Result:
        done = prepared.run(
            "mizheng.cli",
            [os.fsdecode(argument) for argument in arguments],
            self.variables(**environment),
            stdin=stdin,
            cwd=self.cwd,
            timeout=SECONDS,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def command(self, *arguments: str | bytes | Path) -> list[str | bytes | Path]:
        return [sys.executable, "-m", "mizheng.cli", *arguments]

    def variables(self, **more: str) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MIZHENG_", "LC_", "LANG", "XDG_"))
        }
        return {
            **kept,
            "LC_ALL": "C.UTF-8",
            "MIZHENG_LANG": "en",
            "MIZHENG_HOME": str(self.home),
            **self.environment,
            **more,
        }
