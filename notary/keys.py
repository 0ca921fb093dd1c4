"""The notary's own signing keys, as files that only its account can read.

`log.pem` signs checkpoints, `issuer.pem` signs enrolments, revocations and key statuses. Both are Ed25519,
PKCS#8 without a passphrase, so that the service can start unattended.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from mizheng.notary.errors import ConfigurationError
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.signature import PrivateKey


@dataclass(frozen=True, slots=True)
class NotaryKeys:
    """The keys the notary signs with."""

    log: PrivateKey
    issuer: PrivateKey


def load_keys(keys_dir: Path) -> NotaryKeys:
    """The keys of an existing notary; ConfigurationError when one is missing, unreadable or open to
    others.
    """
    return NotaryKeys(_load(keys_dir / "log.pem"), _load(keys_dir / "issuer.pem"))


def create_keys(keys_dir: Path) -> NotaryKeys:
    """Load the keys, making those that do not exist yet."""
    keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("log.pem", "issuer.pem"):
        if not (keys_dir / name).exists():
            write_secret(keys_dir / name, PrivateKey.generate("ed25519").to_pem())
    return load_keys(keys_dir)


def write_secret(path: Path, data: bytes) -> None:
    """Write a file that is 0600 from its first byte on and either complete or absent; it must not exist."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    # Dying here leaves a draft that the next start throws away: nothing was signed with it.
    os.link(draft, path)
    draft.unlink()


def _load(path: Path) -> PrivateKey:
    try:
        mode = path.stat().st_mode
        pem = path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(
            "the notary's key {path} is missing",
            hint="restore it from your backup; a new key cannot go on with this log",
            path=path,
        ) from None
    except OSError:
        raise ConfigurationError("the notary's key {path} cannot be read", path=path) from None
    if mode & 0o077:
        raise ConfigurationError(
            "the notary's key {path} is open to other accounts", hint="run: chmod 600 {path}", path=path
        )
    try:
        return PrivateKey.from_pem(pem)
    except MizhengError:
        raise ConfigurationError("the notary's key {path} is not a key in PKCS#8 PEM", path=path) from None
