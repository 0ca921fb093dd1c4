"""A security module for tests: SoftHSM 2 with a token and a key pair of its own, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.missing import do_without

# Where Debian and others put it.
_PLACES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/libsofthsm2.so",
)
PIN = "pin-4711-of-tests"
TOKEN = "mizheng-test"


def module_path() -> str:
    """The library; the test is left out where there is none."""
    found = next((path for path in _PLACES if Path(path).exists()), None)
    if found is None or not all(map(shutil.which, ("softhsm2-util", "pkcs11-tool"))):
        do_without("no SoftHSM 2 on this machine (Debian packages softhsm2, opensc)")
    return found


def make_token(folder: Path) -> Mapping[str, str]:
    """A token in `folder`; the environment in which the module finds it."""
    tokens = folder / "tokens"
    tokens.mkdir()
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    environment = {**os.environ, "SOFTHSM2_CONF": str(config)}
    _run(
        environment,
        "softhsm2-util",
        "--init-token",
        "--free",
        "--label",
        TOKEN,
        "--pin",
        PIN,
        "--so-pin",
        "4711",
    )
    return environment


def make_key(environment: Mapping[str, str], label: str, curve: str = "secp256k1") -> None:
    """A key pair, as docs/operating.md tells operators to make one."""
    command = f"pkcs11-tool --module {module_path()} --token-label {TOKEN} --login --pin {PIN}"
    command += f" --keypairgen --key-type EC:{curve} --label {label} --usage-sign"
    _run(environment, *command.split())


def _run(environment: Mapping[str, str], *command: str) -> None:
    subprocess.run(command, env=dict(environment), check=True, capture_output=True)
