"""docs/two-notaries.md is true: its commands are run as they stand, and what it shows is what is seen."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.walks import play
from tests.support.anvil import Anvil
from tests.support.missing import do_without
from tests.support.postgres import Postgres
from tests.tools.layout import ROOT

PAGE = ROOT / "docs" / "two-notaries.md"
PORTS = re.compile(r"\b(?:8545|8480|8491|8492|847[0-2])\b")
LONGEST_SECONDS = 600


def test_the_walk_through(postgres: Postgres, anvil: Anvil, tmp_path: Path) -> None:
    # The page starts a node of its own; this one only says whether there can be one.
    del anvil
    if not Path("/usr/sbin/nginx").exists():
        do_without("nginx is missing: Debian's nginx-light brings it")
    database = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": "postgres"}
    play(
        PAGE.read_text("utf-8"),
        PORTS,
        tmp_path,
        seconds=LONGEST_SECONDS,
        least=13,
        environment=database,
        programs=(str(postgres.programs),),
    )
