"""The notary's own signing keys, as files that only its account can read.

`log.pem` signs checkpoints, `issuer.pem` signs enrolments, revocations and key statuses. Both are Ed25519,
PKCS#8 without a passphrase, so that the service can start unattended.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from mizheng.notary.errors import ConfigurationError
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.signature import PrivateKey, PublicKey

# Public: the issuer's keys before the present one, as Base64 SPKI, a line each, the oldest first.
EARLIER_ISSUERS = "issuers.pub"


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


def rotate_issuer(keys_dir: Path, *, is_lost: bool = False) -> PublicKey:
    """Put a new issuer key in the place of the present one; the new public key. Nothing may run meanwhile.

    The old private key is gone afterwards: nothing has to be signed with it ever again.
    """
    fresh = PrivateKey.generate("ed25519")
    if not is_lost:
        old = _load(keys_dir / "issuer.pem").public
        kept = [*load_earlier_issuers(keys_dir), old]
        lines = "".join(f"{key.to_base64()}\n" for key in dict.fromkeys(kept))
        _replace(keys_dir / EARLIER_ISSUERS, lines.encode())
    # Dying before this line: the present key is listed among the earlier ones as well, which harms nobody.
    _replace(keys_dir / "issuer.pem", fresh.to_pem())
    return fresh.public


def load_earlier_issuers(keys_dir: Path) -> list[PublicKey]:
    """The issuer's keys before the present one; ConfigurationError if the file is damaged."""
    path = keys_dir / EARLIER_ISSUERS
    try:
        return [PublicKey.from_base64(line) for line in path.read_text("ascii").splitlines()]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, MizhengError):
        raise ConfigurationError("{path} cannot be read", path=path) from None


def _replace(path: Path, data: bytes) -> None:
    """Write a private file whole or not at all, in the place of what is there."""
    draft = path.with_name(path.name + ".next")
    draft.unlink(missing_ok=True)
    write_secret(draft, data)
    draft.replace(path)
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
