"""A notary as its users meet it: a process of its own, a data directory, a URL."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support import prepared
from tests.support.serving import Serving

_PROGRAM = "mizheng.notary"
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True, slots=True)
class Org:
    """A registered company, as statements must name it."""

    name: str
    id_scheme: str
    id: str


def make_uscc(number: int) -> str:
    """A well-formed 统一社会信用代码; its check digit is computed here, apart from the notary's code."""
    first = f"91350100M{number:08d}"
    total = sum(
        _USCC_ALPHABET.index(character) * weight
        for character, weight in zip(
            first, (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28), strict=True
        )
    )
    return first + _USCC_ALPHABET[(31 - total % 31) % 31]


class NotaryServer(Serving):
    """`mizheng-notary serve` over a data directory, on a port of its own that it keeps over restarts."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        super().__init__()
        self.data_dir = Path(data_dir)
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MIZHENG_")},
            "MIZHENG_DATA_DIR": str(self.data_dir),
            # Short, so that a test sees an anchor soon; each anchor is a block of the embedded chain.
            "MIZHENG_ANCHOR_INTERVAL": "0.5",
            "MIZHENG_LANG": "en",
            **environment,
        }
        self._organisations = 0

    def _begin(self) -> prepared.Prepared | subprocess.Popen[str]:
        return prepared.start(
            _PROGRAM,
            ("serve", "--port", str(self.port)),
            self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def _is_there(self, line: str) -> bool:
        return self.url in line

    def add_org(self, name: str = "", identifier: str = "") -> tuple[Org, str]:
        """Register a company through the operator's command line; it and its API key."""
        self._organisations += 1
        name = name or f"第{self._organisations}试验有限公司"
        made = self.run("org", "add", name, identifier or make_uscc(self._organisations), "--json")
        values = json.loads(made.stdout)
        return Org(values["name"], values["id_scheme"], values["id"]), values["api_key"]

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run another command of `mizheng-notary` on the same data directory, in a process of its own."""
        result = prepared.run(_PROGRAM, arguments, self._environment)
        if check and result.returncode:
            raise RuntimeError(f"mizheng-notary {' '.join(arguments)}:\n{result.stdout}{result.stderr}")
        return result

    def export_trust(self, path: Path) -> Path:
        """Write the trust file and return its path."""
        self.run("trust", "export", "-o", str(path))
        return path
