"""Asking to see records: what a request names, read on the machine of who asks."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from mizheng.cli.errors import DataFault, InputFault, UsageFault
from mizheng.verifier.bundle import Bundle
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.members import STATEMENT


def read_deposit(named: str) -> str:
    """The deposit that is meant: its id (SHA-256 of its envelope, hex), or a bundle of it."""
    if re.fullmatch(r"[0-9a-fA-F]{64}", named):
        return named.lower()
    if not Path(named).is_file():
        raise UsageFault(
            "{name} is no deposit and no file",
            "64 hex digits, `id` in mizheng status --json, or a bundle of the deposit",
            name=named[:80],
        )
    try:
        with Bundle(Path(named)) as bundle:
            return hashlib.sha256(bundle.read(STATEMENT)).hexdigest()
    except MizhengError as error:
        raise DataFault("{name} is no bundle: {reason}", name=named, reason=str(error)) from error


def read_undertaking(path: Path) -> str:
    """The text that the requester binds himself to; line ends as on every system."""
    try:
        return path.read_text("utf-8-sig").replace("\r\n", "\n").strip()
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error
    except UnicodeDecodeError as error:
        raise DataFault("{name} is not UTF-8 text", name=str(path)) from error
